//! Python statements.

use ruff_python_ast::{ExceptHandler, Expr, Parameters, Stmt, StmtAssign, StmtImport, StmtImportFrom, StmtTry};
use ruff_text_size::Ranged as _;

use super::literal::{self, bytes};
use super::reader::{Context, Position, Reader};
use crate::source::lang::fact::{Dialect, Import, Setting};
use crate::source::lang::span::{Kind, Role};

impl<'a> Reader<'a> {
    /// Reads consecutive statements.
    pub(super) fn body(&mut self, body: &'a [Stmt]) {
        let mut before: Option<&'a Stmt> = None;
        for statement in body {
            if let Some(word) = before.and_then(|before| self.old_statement(before, statement)) {
                self.facts.python2.get_or_insert(bytes(word.range()));
                self.old_operand(word, statement);
            } else {
                self.statement(statement);
            }
            before = Some(statement);
        }
    }

    /// Returns the word of a Python 2 `print` or `exec` statement, whose argument is parsed as the next statement.
    fn old_statement(&self, before: &'a Stmt, statement: &'a Stmt) -> Option<&'a Expr> {
        let word = &*before.as_expr_stmt()?.value;
        let name = word.as_name_expr()?;
        let gap = self.text.get(word.end().to_usize()..statement.start().to_usize())?;
        (matches!(name.id.as_str(), "print" | "exec") && gap.bytes().all(|byte| byte == b' ' || byte == b'\t'))
            .then_some(word)
    }

    fn old_operand(&mut self, word: &'a Expr, statement: &'a Stmt) {
        let shows = word.as_name_expr().is_some_and(|name| name.id.as_str() == "print");
        let role = if shows { Role::Shown } else { Role::Plain };
        match statement {
            Stmt::Expr(expression) => self.expression(&expression.value, Context::PLAIN.with_role(role)),
            _ => self.statement(statement),
        }
    }

    fn within(&mut self, body: &'a [Stmt], change: impl FnOnce(&mut Position)) {
        let before = self.position;
        change(&mut self.position);
        self.body(body);
        self.position = before;
    }

    fn branch(&mut self, body: &'a [Stmt]) {
        self.within(body, |position| {
            position.is_conditional = true;
            position.is_optional = true;
        });
    }

    fn plain(&mut self, expression: &'a Expr) {
        self.expression(expression, Context::PLAIN);
    }

    fn plains(&mut self, expressions: impl IntoIterator<Item = &'a Expr>) {
        for expression in expressions {
            self.plain(expression);
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Expr(it) => self.expression_statement(&it.value),
            Stmt::Assign(it) => self.assign(it),
            Stmt::AnnAssign(it) => {
                if !self.position.in_function {
                    self.annotation(&it.annotation);
                }
                self.newer((3, 6), "a variable annotation", bytes(it.range));
                self.plain(&it.target);
                if let Some(value) = &it.value {
                    self.assigned_value(&it.target, value);
                }
            }
            Stmt::AugAssign(it) => {
                self.plain(&it.target);
                let context = Context { is_head: false, ..Context::PLAIN };
                self.expression(&it.value, context.named(self.target(&it.target)));
                self.append(&it.target, &it.value);
            }
            Stmt::Return(it) => self.plains(it.value.as_deref()),
            Stmt::Delete(it) => self.plains(&it.targets),
            Stmt::Import(it) => self.import(it),
            Stmt::ImportFrom(it) => self.import_from(it),
            Stmt::Raise(it) => {
                if let Some(raised) = &it.exc {
                    self.raised(raised);
                }
                self.plains(it.cause.as_deref());
            }
            Stmt::Assert(it) => {
                self.plain(&it.test);
                if let Some(message) = &it.msg {
                    self.expression(message, Context::PLAIN.with_role(Role::Shown));
                }
            }
            Stmt::TypeAlias(it) => self.plain(&it.value),
            _ => self.compound(statement),
        }
    }

    fn compound(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(it) => {
                self.plains(it.decorator_list.iter().map(|decorator| &decorator.expression));
                self.parameters(&it.parameters, true);
                if let Some(returned) = &it.returns {
                    self.annotation(returned);
                }
                let written = self.written.len();
                self.within(&it.body, |position| {
                    position.runs_at_import = false;
                    position.in_function = true;
                });
                self.close_written(written);
            }
            Stmt::ClassDef(it) => {
                self.plains(it.decorator_list.iter().map(|decorator| &decorator.expression));
                if let Some(arguments) = &it.arguments {
                    self.plains(&*arguments.args);
                    self.plains(arguments.keywords.iter().map(|keyword| &keyword.value));
                }
                self.within(&it.body, |position| position.in_function = false);
            }
            Stmt::For(it) => {
                if it.is_async {
                    self.newer((3, 5), "an `async for` loop", bytes(it.range));
                }
                self.plain(&it.target);
                self.plain(&it.iter);
                self.body(&it.body);
                self.body(&it.orelse);
            }
            Stmt::While(it) => {
                self.plain(&it.test);
                self.body(&it.body);
                self.body(&it.orelse);
            }
            Stmt::If(it) => {
                self.plain(&it.test);
                if is_main(&it.test) {
                    self.within(&it.body, |position| position.runs_at_import = false);
                } else {
                    self.branch(&it.body);
                }
                for clause in &it.elif_else_clauses {
                    self.plains(&clause.test);
                    self.branch(&clause.body);
                }
            }
            Stmt::With(it) => {
                let mut suppresses = false;
                for item in &it.items {
                    self.plain(&item.context_expr);
                    self.plains(item.optional_vars.as_deref());
                    suppresses |= item
                        .context_expr
                        .as_call_expr()
                        .is_some_and(|call| self.callee(&call.func).is_some_and(|name| name.ends_with("suppress")));
                }
                self.within(&it.body, |position| position.is_optional |= suppresses);
            }
            Stmt::Match(it) => {
                self.plain(&it.subject);
                for case in &it.cases {
                    self.pattern(&case.pattern);
                    self.plains(case.guard.as_deref());
                    self.branch(&case.body);
                }
            }
            Stmt::Try(it) => self.attempt(it),
            _ => {}
        }
    }

    fn attempt(&mut self, attempt: &'a StmtTry) {
        let is_handled = !attempt.handlers.is_empty();
        self.within(&attempt.body, |position| position.is_optional |= is_handled);
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            self.plains(handler.type_.as_deref());
            self.branch(&handler.body);
        }
        self.within(&attempt.orelse, |position| position.is_optional |= is_handled);
        self.body(&attempt.finalbody);
    }

    /// Reads an expression statement.
    fn expression_statement(&mut self, value: &'a Expr) {
        match value {
            Expr::StringLiteral(string) => {
                for part in &string.value {
                    self.push(literal::string_content(self.text, part), Kind::Docstring, Context::PLAIN);
                }
            }
            // Python 2: `print >>f, "x"`.
            Expr::Tuple(tuple) => match tuple.elts.split_first() {
                Some((Expr::BinOp(first), rest)) if self.dotted(&first.left) == Some("print") => {
                    self.facts.python2.get_or_insert(bytes(first.left.range()));
                    self.print_to(&first.right, rest);
                }
                _ => self.plain(value),
            },
            _ => self.plain(value),
        }
    }

    fn raised(&mut self, raised: &'a Expr) {
        match raised {
            Expr::Call(call) => {
                self.note_call(call);
                let shown = Context { call: self.callee(&call.func), ..Context::PLAIN.with_role(Role::Shown) };
                for argument in &call.arguments.args {
                    self.expression(argument, shown);
                }
                for keyword in &call.arguments.keywords {
                    self.expression(&keyword.value, shown.named(keyword.arg.as_ref().map(|name| name.as_str())));
                }
            }
            _ => self.expression(raised, Context::PLAIN.with_role(Role::Shown)),
        }
    }

    fn assign(&mut self, assign: &'a StmtAssign) {
        self.plains(&assign.targets);
        let Some(target) = assign.targets.last() else { return };
        self.assigned_value(target, &assign.value);
    }

    fn assigned_value(&mut self, target: &'a Expr, value: &'a Expr) {
        match (target, value) {
            (Expr::Tuple(targets), Expr::Tuple(values)) if targets.elts.len() == values.elts.len() => {
                for (target, value) in targets.elts.iter().zip(&values.elts) {
                    self.expression(value, Context::PLAIN.named(self.target(target)));
                }
            }
            _ => {
                let name = self.target(target);
                self.expression(value, Context::PLAIN.named(name));
                self.note_assigned(target, name, value);
            }
        }
    }

    fn note_assigned(&mut self, target: &'a Expr, name: Option<&'a str>, value: &'a Expr) {
        let Some(name) = name else { return };
        if target.is_name_expr() && literal::is_string(value) {
            self.assigned.push((name, value));
        }
        self.append(target, value);
        if let Expr::Subscript(subscript) = target {
            let is_variable =
                self.dotted(&subscript.value).is_some_and(|base| base == "environ" || base.ends_with(".environ"));
            let dialect = if is_variable { Dialect::Variable } else { Dialect::Program };
            if let (Some(value), true) = (literal::word(self.text, value), subscript.slice.is_string_literal_expr()) {
                let range = bytes(subscript.slice.range()).start..value.range.end;
                self.facts.settings.push(Setting { dialect, key: name.to_owned(), value, range });
            }
        }
        self.image(name, value);
    }

    fn import(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            self.facts.imports.push(Import {
                module: alias.name.as_str().to_owned(),
                names: Vec::new(),
                range: bytes(alias.name.range()),
                is_optional: self.position.is_optional,
                runs_at_import: self.position.runs_at_import,
            });
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let dots = usize::try_from(import.level).unwrap_or(0).min(64);
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        let names: Vec<String> = import.names.iter().map(|alias| alias.name.as_str().to_owned()).collect();
        if module == "__future__" && names.iter().any(|name| name == "annotations") {
            self.has_lazy_annotations = true;
            self.newer((3, 7), "`from __future__ import annotations`", bytes(import.range));
        }
        let range = import.module.as_ref().map_or(import.range, |module| module.range);
        self.facts.imports.push(Import {
            module: format!("{}{module}", ".".repeat(dots)),
            names,
            range: bytes(range),
            is_optional: self.position.is_optional,
            runs_at_import: self.position.runs_at_import,
        });
    }

    /// Reads the parameters of a function or a lambda. Only those of a function have annotations.
    pub(super) fn parameters(&mut self, parameters: &'a Parameters, is_function: bool) {
        for parameter in parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                let context = Context::PLAIN.with_role(Role::Default).named(Some(parameter.name().as_str()));
                self.expression(default, context);
                self.image(parameter.name().as_str(), default);
            }
        }
        if is_function {
            for parameter in parameters {
                if let Some(annotation) = parameter.annotation() {
                    self.annotation(annotation);
                }
            }
        }
    }
}

/// Reports whether a condition is `__name__ == "__main__"`.
fn is_main(test: &Expr) -> bool {
    let Expr::Compare(compare) = test else { return false };
    let is_name = |side: &Expr| side.as_name_expr().is_some_and(|name| name.id.as_str() == "__name__");
    is_name(&compare.left) || compare.comparators.iter().any(is_name)
}
