//! Syntax that older Pythons don't have.

use ruff_python_ast::{Expr, ModModule, Operator};
use ruff_python_parser::{Parsed, UnsupportedSyntaxErrorKind as Kind};
use ruff_text_size::Ranged as _;

use super::literal::bytes;
use super::reader::{Context, Reader};
use crate::source::lang::fact::{Facts, Syntax};

/// Notes a use: of each version the first place stays.
pub(super) fn note(facts: &mut Facts, syntax: Syntax) {
    match facts.syntax.iter_mut().find(|known| known.since == syntax.since) {
        Some(known) if known.range.start <= syntax.range.start => {}
        Some(known) => *known = syntax,
        None => facts.syntax.push(syntax),
    }
}

/// Notes what the parser says of newer syntax. What is Python 2 is no newer Python 3.
pub(super) fn find(parsed: &Parsed<ModModule>, facts: &mut Facts) {
    if facts.python2.is_some() {
        facts.syntax.clear();
        return;
    }
    for error in parsed.unsupported_syntax_errors() {
        if let Some((since, what)) = since(error.kind) {
            note(facts, Syntax { since, what, range: bytes(error.range) });
        }
    }
}

/// The version that has a syntax first, and what it is.
fn since(kind: Kind) -> Option<((u8, u8), &'static str)> {
    Some(match kind {
        Kind::Walrus => ((3, 8), "an assignment inside an expression (`:=`)"),
        Kind::PositionalOnlyParameter => ((3, 8), "positional-only parameters (`/`)"),
        Kind::StarTuple(_) => ((3, 8), "unpacking in a tuple without parentheses"),
        Kind::RelaxedDecorator(_) => ((3, 9), "any expression as a decorator"),
        Kind::ParenthesizedContextManager => ((3, 9), "parentheses around the context managers of a `with`"),
        Kind::UnparenthesizedUnpackInFor => ((3, 9), "unpacking behind `in` without parentheses"),
        Kind::UnparenthesizedNamedExpr(_) => ((3, 9), "an assignment inside an expression without parentheses"),
        Kind::Match => ((3, 10), "a `match` statement"),
        Kind::ExceptStar => ((3, 11), "`except*`"),
        Kind::StarExpressionInIndex => ((3, 11), "unpacking in a subscript"),
        Kind::StarAnnotation => ((3, 11), "unpacking in an annotation"),
        Kind::TypeParameterList => ((3, 12), "type parameters in brackets"),
        Kind::TypeAliasStatement => ((3, 12), "a `type` statement"),
        Kind::Pep701FString(_) => ((3, 12), "quotes, backslashes or comments inside a formatted value"),
        Kind::TypeParamDefault => ((3, 13), "defaults of type parameters"),
        Kind::TemplateStrings => ((3, 14), "a template string"),
        Kind::UnparenthesizedExceptionTypes => ((3, 14), "`except` of several types without parentheses"),
        Kind::LazyImportStatement => ((3, 15), "a lazy import"),
        Kind::UnpackingInComprehension(_) => ((3, 15), "unpacking in a comprehension"),
        // Older versions have it, newer don't.
        Kind::ParenthesizedKeywordArgumentName => return None,
    })
}

impl<'a> Reader<'a> {
    /// An annotation: evaluated when the function is defined, unless the file says otherwise.
    pub(super) fn annotation(&mut self, annotation: &'a Expr) {
        self.expression(annotation, Context::PLAIN);
        if !self.has_lazy_annotations {
            self.evaluated(annotation);
        }
    }

    fn evaluated(&mut self, annotation: &'a Expr) {
        match annotation {
            Expr::Subscript(subscript) => {
                let base = subscript.value.as_name_expr().map(|name| name.id.as_str());
                if matches!(base, Some("list" | "dict" | "tuple" | "set" | "frozenset" | "type")) {
                    self.newer((3, 9), "a built-in type with a subscript in an annotation", bytes(subscript.range));
                }
                if base != Some("Literal") {
                    self.evaluated(&subscript.slice);
                }
            }
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.evaluated(element)),
            Expr::List(list) => list.elts.iter().for_each(|element| self.evaluated(element)),
            Expr::BinOp(operation) if operation.op == Operator::BitOr => {
                self.newer((3, 10), "`X | Y` in an annotation", bytes(annotation.range()));
                self.evaluated(&operation.right);
                let mut left = &*operation.left;
                while let Expr::BinOp(inner) = left {
                    self.evaluated(&inner.right);
                    left = &inner.left;
                }
                self.evaluated(left);
            }
            _ => {}
        }
    }
}
