//! The names that a Python module defines.

use std::collections::BTreeSet;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::visitor::{Visitor, walk_body, walk_except_handler, walk_expr, walk_pattern, walk_stmt};
use ruff_python_ast::{ExceptHandler, Expr, ModModule, Pattern, Stmt};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged as _;

use super::literal::bytes;
use crate::source::lang::fact::Names;

/// Names whose use can define other names at run time, sorted.
const DYNAMIC: &[&str] = &[
    "__dict__",
    "__getattr__",
    "__path__",
    "eval",
    "exec",
    "execfile",
    "globals",
    "locals",
    "meta_path",
    "modules",
    "path_hooks",
    "setattr",
    "vars",
];

/// Returns the names that the statements of a file bind, on any path through it.
///
/// `None` if they are unknown: the file has syntax errors, a star import, or defines names at run time.
pub(super) fn find(text: &str, parsed: &Parsed<ModModule>) -> Option<Names> {
    let is_dynamic = || {
        let names = parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Name);
        names.map(|token| &text[bytes(token.range())]).any(|name| DYNAMIC.binary_search(&name).is_ok())
    };
    if !parsed.errors().is_empty() || is_dynamic() {
        return None;
    }
    let mut finder = Finder { names: Names::default(), is_nested_scope: false, has_star_import: false };
    walk_body(&mut finder, parsed.suite());
    (!finder.has_star_import).then_some(finder.names)
}

struct Finder {
    names: Names,
    /// Inside a function or a class, which has a separate scope.
    is_nested_scope: bool,
    has_star_import: bool,
}

impl Finder {
    fn bind(&mut self, name: &str) {
        if !self.is_nested_scope {
            self.names.bound.insert(name.to_owned());
        }
    }

    /// Binds the names of an import: `a` for `import a.b`, `c` for `from a import b as c`.
    fn bind_alias(&mut self, name: &str, alias: Option<&str>) {
        match alias {
            _ if name == "*" => self.has_star_import = true,
            Some(alias) => self.bind(alias),
            None => self.bind(name.split('.').next().unwrap_or(name)),
        }
    }

    fn within(&mut self, statement: &Stmt) {
        let before = std::mem::replace(&mut self.is_nested_scope, true);
        walk_stmt(self, statement);
        self.is_nested_scope = before;
    }
}

impl<'a> Visitor<'a> for Finder {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(it) => {
                self.bind(it.name.as_str());
                self.within(statement);
            }
            Stmt::ClassDef(it) => {
                self.bind(it.name.as_str());
                self.within(statement);
            }
            Stmt::Global(it) => self.names.bound.extend(it.names.iter().map(|name| name.as_str().to_owned())),
            Stmt::Import(it) => {
                for alias in &it.names {
                    self.bind_alias(alias.name.as_str(), alias.asname.as_ref().map(|name| name.as_str()));
                }
            }
            Stmt::ImportFrom(it) => {
                for alias in &it.names {
                    self.bind_alias(alias.name.as_str(), alias.asname.as_ref().map(|name| name.as_str()));
                }
            }
            Stmt::Assign(it) if it.targets.iter().any(is_all) => strings(&it.value, &mut self.names.bound),
            Stmt::AugAssign(it) if is_all(&it.target) => strings(&it.value, &mut self.names.bound),
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Name(it) if it.ctx.is_store() => self.bind(it.id.as_str()),
            Expr::Attribute(it) if it.ctx.is_store() => {
                // `module.name = …`.
                if !self.is_nested_scope {
                    self.names.assigned_attributes.insert(it.attr.as_str().to_owned());
                }
                walk_expr(self, expression);
            }
            _ => walk_expr(self, expression),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(it) = handler;
        if let Some(name) = &it.name {
            self.bind(name.as_str());
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(it) => it.name.as_ref(),
            Pattern::MatchStar(it) => it.name.as_ref(),
            Pattern::MatchMapping(it) => it.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str());
        }
        walk_pattern(self, pattern);
    }
}

fn is_all(target: &Expr) -> bool {
    target.as_name_expr().is_some_and(|name| name.id.as_str() == "__all__")
}

/// Returns the strings of `__all__`, which count as defined.
fn strings(value: &Expr, names: &mut BTreeSet<String>) {
    let items = match value {
        Expr::List(it) => &it.elts,
        Expr::Tuple(it) => &it.elts,
        Expr::BinOp(it) => {
            strings(&it.left, names);
            return strings(&it.right, names);
        }
        _ => return,
    };
    names.extend(items.iter().filter_map(|item| Some(item.as_string_literal_expr()?.value.to_str().to_owned())));
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::{Mode, read};

    fn names(text: &str) -> Option<Vec<String>> {
        let names = read(Cow::Borrowed(text), Mode::File).facts.names?;
        Some(names.bound.into_iter().collect())
    }

    #[test]
    fn dynamic_names_are_sorted() {
        assert!(super::DYNAMIC.is_sorted());
    }

    #[test]
    fn all_binding_statements_are_found() {
        let text = "import a.b, c.d as e\nfrom .f import g, h as i\nj = k = 1\nl, (m, *n) = x\no: int\np: int = 1\nq += 1\n\
                    def r(): pass\nasync def s(): pass\nclass t: pass\nfor u in x: pass\nwith x as (v, w): pass\nif (y := 1): pass\n\
                    try:\n  import z\nexcept E as aa:\n  bb = 1\nelse:\n  cc = 1\nif x:\n  dd = 1\nelif y:\n  ee = 1\nelse:\n  ff = 1\n\
                    while x:\n  gg = 1\nmatch x:\n  case {'k': hh, **ii}: jj = 1\n  case [kk, *ll] as mm: pass\ntype nn = int\n";
        let expected = "a e g i j k l m n o p q r s t u v w y z aa bb cc dd ee ff gg hh ii jj kk ll mm nn";
        let mut expected: Vec<&str> = expected.split(' ').collect();
        expected.sort_unstable();
        assert_eq!(names(text).expect("names are known"), expected);
    }

    #[test]
    fn names_in_functions_and_classes_are_local_except_globals() {
        let text = "def f(a, b=1):\n  c = 1\n  import d\n  global e\n  e = 1\nclass G:\n  h = 1\n  def i(self): pass\nx[0] = 1\nx.y = 1\n";
        assert_eq!(names(text).expect("names are known"), ["G", "e", "f"]);
    }

    #[test]
    fn names_in_all_count_as_defined() {
        let text = "__all__ = ['a'] + ['b']\n__all__ += ('c',)\n";
        assert_eq!(names(text).expect("names are known"), ["a", "b", "c"]);
    }

    #[test]
    fn names_of_dynamic_module_are_unknown() {
        for text in [
            "from x import *",
            "if a:\n  from x import *",
            "def __getattr__(name): pass",
            "__getattr__, __dir__, __all__ = attach(x)",
            "globals()['a'] = 1",
            "def f():\n  globals().update(x)",
            "setattr(m, 'a', 1)",
            "import sys\nsys.modules[__name__] = x",
            "exec('a = 1')",
            "sys.meta_path.append(importer)",
            "__path__ = extend_path(__path__, __name__)",
            "a = = 1",
            "print 'old'",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
