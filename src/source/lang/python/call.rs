//! Calls in Python.

use ruff_python_ast::{Expr, ExprCall, Keyword};
use ruff_text_size::Ranged as _;

use super::callee::{self, ArgumentUse};
use super::literal::{self, bytes};
use super::reader::{Context, Reader};
use crate::source::lang::fact::{Call, Dialect, Setting, Word};
use crate::source::lang::span::Role;

impl<'a> Reader<'a> {
    /// Reads a call and its arguments.
    pub(super) fn call(&mut self, expression: &'a Expr, call: &'a ExprCall, context: Context<'a>) {
        let name = self.callee(&call.func);
        // `input: "x"` of a Snakefile is not the function `input`.
        let is_directive = self.text.as_bytes().get(bytes(call.func.range()).end) == Some(&b':');
        let argument_use = name.filter(|_| !is_directive).map_or(ArgumentUse::Other, callee::argument_use);
        self.note_call(call);
        if literal::receiver_of_format(&call.func).is_some() {
            self.embed(expression, context);
        }
        self.receiver(&call.func, context);
        let is_to_file = self.is_printed_to_file(call, name);
        for (index, argument) in call.arguments.args.iter().enumerate() {
            let inner = if is_to_file { Context::PLAIN } else { argument_context(argument_use, index, context) };
            let inner = if is_join_of_literal(&call.func) { Context { is_head: true, ..context } } else { inner };
            let is_start = argument_use == ArgumentUse::Replace
                && call.arguments.args.first().is_some_and(literal::starts_like_path);
            let inner = Context { is_head: inner.is_head || is_start, ..inner };
            self.expression(argument, Context { call: name.or(inner.call), ..inner });
        }
        for keyword in &call.arguments.keywords {
            self.keyword(keyword, name, argument_use);
        }
    }

    fn keyword(&mut self, keyword: &'a Keyword, call: Option<&'a str>, argument_use: ArgumentUse) {
        let Some(arg) = &keyword.arg else {
            self.expression(&keyword.value, Context { call, ..Context::PLAIN });
            return;
        };
        let name = arg.as_str();
        let is_defaults = call.is_some_and(|call| call.ends_with("set_defaults"));
        let own = if is_defaults { Some(Role::Default) } else { callee::keyword_role(name) };
        let base = if argument_use == ArgumentUse::Shown && name != "file" { Role::Shown } else { Role::Plain };
        let context = Context { call, ..Context::PLAIN.with_role(own.unwrap_or(base)) };
        self.expression(&keyword.value, context.named(Some(name)));
        if let Some(value) = literal::word(self.text, &keyword.value) {
            let range = bytes(arg.range()).start..value.range.end;
            self.facts.settings.push(Setting { dialect: Dialect::Program, key: name.to_owned(), value, range });
        }
        self.image(name, &keyword.value);
    }

    /// Reads the object of a method call.
    fn receiver(&mut self, function: &'a Expr, context: Context<'a>) {
        let Expr::Attribute(attribute) = function else {
            self.expression(function, Context::PLAIN);
            return;
        };
        let last = attribute.attr.as_str();
        let inner = if callee::tests_receiver(last) {
            Context::PLAIN.with_role(Role::Guard)
        } else if callee::keeps_receiver(last) {
            Context { is_part: context.is_part || last == "format", ..context }
        } else {
            Context::PLAIN
        };
        self.expression(&attribute.value, inner);
    }

    /// Adds the facts of a call with a dotted name.
    pub(super) fn note_call(&mut self, call: &'a ExprCall) {
        let Some(name) = self.callee(&call.func) else { return };
        self.observe(name, call);
        let Some(name) = self.dotted(&call.func) else { return };
        let arguments: Vec<Option<Word>> =
            call.arguments.args.iter().map(|value| literal::word(self.text, value)).collect();
        let keywords = call.arguments.keywords.iter().filter_map(|keyword| {
            let arg = keyword.arg.as_ref()?;
            Some((arg.as_str().to_owned(), literal::word(self.text, &keyword.value)))
        });
        let keywords = keywords.collect();
        self.facts.calls.push(Call {
            name: name.to_owned(),
            range: bytes(call.func.range()),
            full_range: bytes(call.range()),
            arguments,
            keywords,
            is_conditional: self.position.is_conditional,
            runs_at_import: self.position.runs_at_import,
        });
    }

    /// Reports whether a call prints to a file other than a standard stream.
    fn is_printed_to_file(&mut self, call: &'a ExprCall, name: Option<&str>) -> bool {
        if name != Some("print") {
            return false;
        }
        let file = call
            .arguments
            .keywords
            .iter()
            .find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == "file"));
        let Some(file) = file.and_then(|keyword| self.dotted(&keyword.value)) else { return false };
        if file.ends_with("stderr") || file.ends_with("stdout") {
            return false;
        }
        if let [line] = &*call.arguments.args {
            self.write_line(file, line);
        }
        true
    }

    /// Adds the facts of well-known functions.
    fn observe(&mut self, name: &'a str, call: &'a ExprCall) {
        let arguments = &*call.arguments.args;
        let last = name.rsplit('.').next().unwrap_or(name);
        if let (true, Some(command)) = (callee::runs(name), arguments.first()) {
            self.command(command);
        }
        if let ("write", Some((file, _)), [text]) = (last, name.rsplit_once('.'), arguments) {
            self.write(file, text);
        }
        if let ("append", Some((lines, _)), [line]) = (last, name.rsplit_once('.'), arguments)
            && literal::is_string(line)
        {
            self.write_line(lines, line);
        }
        if let ("container" | "containerized" | "singularity", [image]) = (name, arguments) {
            self.image("container", image);
        }
        self.variable(name, last, arguments);
        self.reference(name, last, call);
    }

    /// Adds the environment variables that a call sets.
    fn variable(&mut self, name: &str, last: &str, arguments: &'a [Expr]) {
        let sets = matches!(last, "putenv" | "Setenv") || name.ends_with("environ.setdefault");
        let [key, value, ..] = arguments else { return };
        if !sets {
            return;
        }
        if let (Some(key), Some(value)) = (literal::word(self.text, key), literal::word(self.text, value)) {
            let range = key.range.start..value.range.end;
            self.facts.settings.push(Setting { dialect: Dialect::Variable, key: key.text, value, range });
        }
    }
}

/// Returns the context of an argument of a call.
fn argument_context(argument_use: ArgumentUse, index: usize, context: Context<'_>) -> Context<'_> {
    match argument_use {
        ArgumentUse::Shown => Context::PLAIN.with_role(Role::Shown),
        ArgumentUse::Replace if index == 1 => Context { is_head: false, ..Context::PLAIN },
        ArgumentUse::Guard | ArgumentUse::Replace => Context::PLAIN.with_role(Role::Guard),
        ArgumentUse::Pattern if index == 0 => Context::PLAIN.with_role(Role::Pattern),
        ArgumentUse::Pattern if index == 1 => Context::PLAIN.with_role(Role::Guard),
        ArgumentUse::Fallback(at) if at == index => Context::PLAIN.with_role(Role::Default).named(context.name),
        ArgumentUse::Join => Context { is_head: context.is_head && index == 0, ..context },
        ArgumentUse::Tail => Context { is_head: false, ..context },
        ArgumentUse::Wrap => Context { is_head: true, is_part: false, ..context },
        _ => Context::PLAIN,
    }
}

/// Reports whether a function is `join` of a string literal.
fn is_join_of_literal(function: &Expr) -> bool {
    function.as_attribute_expr().is_some_and(|it| it.attr.as_str() == "join" && it.value.is_string_literal_expr())
}
