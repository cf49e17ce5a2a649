//! Python expressions.

use ruff_python_ast::{
    BoolOp, CmpOp, Comprehension, Expr, ExprBinOp, ExprDict, FStringPart, InterpolatedStringElement, Operator,
};
use ruff_text_size::Ranged as _;

use super::literal::{self, Formatted, bytes};
use super::reader::{Context, Reader};
use crate::source::lang::embedded;
use crate::source::lang::embedded::StringValue;
use crate::source::lang::fact::{Dialect, Setting};
use crate::source::lang::span::{Kind, Role};

impl<'a> Reader<'a> {
    /// Reads an expression and its parts.
    pub(super) fn expression(&mut self, expression: &'a Expr, context: Context<'a>) {
        match expression {
            Expr::StringLiteral(string) => {
                self.embed(expression, context);
                let mut is_first = true;
                for part in &string.value {
                    let range = literal::string_content(self.text, part);
                    let is_head = context.is_head && is_first && !begins_with_placeholder(&self.text[range.clone()]);
                    self.push(range, Kind::Text, Context { is_head, ..context });
                    is_first = false;
                }
            }
            Expr::BytesLiteral(string) => {
                for part in &string.value {
                    self.push(literal::content(self.text, part.range, part.flags), Kind::Text, context);
                }
            }
            Expr::FString(string) => {
                self.newer((3, 6), "an f-string", bytes(string.range));
                self.embed(expression, context);
                let mut is_head = context.is_head;
                for part in &string.value {
                    match part {
                        FStringPart::Literal(part) => {
                            self.push(
                                literal::string_content(self.text, part),
                                Kind::Text,
                                Context { is_head, ..context },
                            );
                            is_head = false;
                        }
                        FStringPart::FString(part) => is_head = self.formatted(part, Context { is_head, ..context }),
                    }
                }
            }
            Expr::TString(string) => {
                for part in &string.value {
                    self.formatted(part, context);
                }
            }
            Expr::BinOp(operation) => self.operation(expression, operation, context),
            Expr::Call(call) => self.call(expression, call, context),
            Expr::Dict(dict) => self.dict(dict, context),
            Expr::List(list) => self.elements(&list.elts, context),
            Expr::Tuple(tuple) => {
                self.attribute_pair(&tuple.elts);
                self.elements(&tuple.elts, context);
            }
            Expr::Set(set) => self.elements(&set.elts, context),
            Expr::Subscript(subscript) => {
                self.expression(&subscript.value, Context::PLAIN);
                self.subscript(&subscript.slice);
            }
            _ => self.rest(expression, context),
        }
    }

    fn rest(&mut self, expression: &'a Expr, context: Context<'a>) {
        match expression {
            Expr::BoolOp(it) => {
                for (index, value) in it.values.iter().enumerate() {
                    let is_fallback = it.op == BoolOp::Or && index > 0 && context.role == Role::Plain;
                    let role = if is_fallback { Role::Default } else { context.role };
                    self.expression(value, context.with_role(role));
                }
            }
            Expr::Compare(it) => {
                let compares =
                    it.ops.iter().all(|op| matches!(op, CmpOp::Eq | CmpOp::NotEq | CmpOp::In | CmpOp::NotIn));
                let role = if compares { Role::Guard } else { Role::Plain };
                for value in std::iter::once(&*it.left).chain(&it.comparators) {
                    self.expression(value, Context::PLAIN.with_role(role));
                }
            }
            Expr::If(it) => {
                self.expression(&it.test, Context::PLAIN);
                let before = std::mem::replace(&mut self.position.is_conditional, true);
                self.expression(&it.body, context);
                self.expression(&it.orelse, context);
                self.position.is_conditional = before;
            }
            Expr::Attribute(it) => self.expression(&it.value, Context::PLAIN),
            Expr::Named(it) => {
                let name = self.dotted(&it.target);
                self.expression(&it.value, context.named(name.or(context.name)));
            }
            Expr::UnaryOp(it) => self.expression(&it.operand, context),
            Expr::Lambda(it) => {
                if let Some(parameters) = &it.parameters {
                    self.parameters(parameters, false);
                }
                let before = std::mem::replace(&mut self.position.runs_at_import, false);
                self.expression(&it.body, Context::PLAIN);
                self.position.runs_at_import = before;
            }
            Expr::ListComp(it) => {
                self.generators(&it.generators);
                self.expression(&it.elt, context);
            }
            Expr::SetComp(it) => {
                self.generators(&it.generators);
                self.expression(&it.elt, context);
            }
            Expr::Generator(it) => {
                self.generators(&it.generators);
                self.expression(&it.elt, context);
            }
            Expr::DictComp(it) => {
                self.generators(&it.generators);
                if let Some(key) = &it.key {
                    self.expression(key, Context::PLAIN);
                }
                self.expression(&it.value, context);
            }
            Expr::Await(it) => self.expression(&it.value, context),
            Expr::Yield(it) => {
                if let Some(value) = &it.value {
                    self.expression(value, context);
                }
            }
            Expr::YieldFrom(it) => self.expression(&it.value, context),
            Expr::Starred(it) => self.expression(&it.value, context),
            Expr::Slice(it) => {
                for bound in [&it.lower, &it.upper, &it.step].into_iter().flatten() {
                    self.expression(bound, Context::PLAIN);
                }
            }
            _ => {}
        }
    }

    fn elements(&mut self, elements: &'a [Expr], context: Context<'a>) {
        self.lines(elements, context.name);
        for element in elements {
            self.expression(element, Context { is_head: true, is_part: false, ..context });
        }
    }

    /// Reads a job attribute as a pair: `("requirements", "…")`.
    fn attribute_pair(&mut self, elements: &[Expr]) {
        let [Expr::StringLiteral(key), value] = elements else { return };
        let name = key.value.to_str();
        let lower = name.to_ascii_lowercase();
        let is_attribute = name.starts_with('+')
            || lower.starts_with("my.")
            || matches!(
                lower.as_str(),
                "requirements" | "accounting_group" | "accounting_group_user" | "concurrency_limits"
            );
        if let Some(value) = literal::word(self.text, value).filter(|_| is_attribute) {
            let range = bytes(key.range()).start..value.range.end;
            self.facts.settings.push(Setting { dialect: Dialect::HtCondor, key: name.to_owned(), value, range });
        }
    }

    fn generators(&mut self, generators: &'a [Comprehension]) {
        for generator in generators {
            if generator.is_async {
                self.newer((3, 6), "an asynchronous comprehension", bytes(generator.range));
            }
            self.expression(&generator.iter, Context::PLAIN);
            for condition in &generator.ifs {
                self.expression(condition, Context::PLAIN);
            }
        }
    }

    fn subscript(&mut self, slice: &'a Expr) {
        match slice {
            Expr::StringLiteral(_) => self.key_span(slice, Context::PLAIN),
            Expr::Tuple(tuple) => {
                for element in &tuple.elts {
                    self.subscript(element);
                }
            }
            Expr::List(list) => {
                for element in &list.elts {
                    self.subscript(element);
                }
            }
            _ => self.expression(slice, Context::PLAIN),
        }
    }

    fn key_span(&mut self, key: &'a Expr, context: Context<'a>) {
        if let Expr::StringLiteral(string) = key {
            for part in &string.value {
                self.push(literal::string_content(self.text, part), Kind::Key, context);
            }
        }
    }

    fn dict(&mut self, dict: &'a ExprDict, context: Context<'a>) {
        let context = Context { is_head: true, is_part: false, ..context };
        for item in &dict.items {
            let Some(key) = &item.key else {
                self.expression(&item.value, context);
                continue;
            };
            let name = self.key(key);
            match key {
                Expr::StringLiteral(_) => self.key_span(key, context),
                _ => self.expression(key, Context::PLAIN),
            }
            self.expression(&item.value, context.named(name.or(context.name)));
            let Some(name) = name else { continue };
            if let Some(value) = literal::word(self.text, &item.value) {
                let range = bytes(key.range()).start..value.range.end;
                self.facts.settings.push(Setting { dialect: Dialect::Program, key: name.to_owned(), value, range });
            }
            self.image(name, &item.value);
        }
    }

    /// Reads a chain of operators in a loop, because sums of strings can be long.
    fn operation(&mut self, expression: &'a Expr, operation: &'a ExprBinOp, context: Context<'a>) {
        self.embed(expression, context);
        let context = Context { is_part: true, ..context };
        let mut rights = Vec::new();
        let mut at = operation;
        let first = loop {
            let is_piece = matches!(at.op, Operator::Add | Operator::Div);
            rights.push((&*at.right, is_piece));
            match &*at.left {
                Expr::BinOp(left) => at = left,
                left => break left,
            }
        };
        self.expression(first, context);
        for (right, is_piece) in rights.into_iter().rev() {
            self.expression(right, Context { is_head: context.is_head && !is_piece, ..context });
        }
    }

    /// Reads one formatted string. Returns whether the text after it still starts the value.
    fn formatted(&mut self, string: &'a impl Formatted, context: Context<'a>) -> bool {
        let mut is_head = context.is_head;
        for element in string.elements() {
            match element {
                InterpolatedStringElement::Literal(literal) => {
                    self.push(bytes(literal.range), Kind::Text, Context { is_head, ..context });
                }
                InterpolatedStringElement::Interpolation(it) => {
                    if it.debug_text.is_some() {
                        self.newer((3, 8), "a self-documenting f-string expression (`f\"{x=}\"`)", bytes(it.range));
                    }
                    let inner = Context { is_head, is_part: true, call: None, ..context };
                    self.expression(&it.expression, inner);
                    for element in it.format_spec.iter().flat_map(|format| &format.elements) {
                        if let InterpolatedStringElement::Interpolation(it) = element {
                            self.expression(&it.expression, Context::PLAIN);
                        }
                    }
                }
            }
            is_head = false;
        }
        is_head
    }

    /// Records a string that is a text in another language.
    pub(super) fn embed(&mut self, expression: &'a Expr, context: Context<'a>) {
        if context.is_part || !literal::is_string(expression) || matches!(context.role, Role::Guard | Role::Pattern) {
            return;
        }
        let source = &self.text[bytes(expression.range())];
        if source.len() < 12 || !(source.contains('\n') || source.contains("\\n")) {
            return;
        }
        let mut string_value = StringValue::default();
        literal::append_value(self.text, expression, &mut string_value);
        if let Some(language) = embedded::language(&string_value.text) {
            self.embedded.push((language, string_value));
        }
    }
}

/// Reports whether a text starts with a placeholder of `format` or `%`.
fn begins_with_placeholder(text: &str) -> bool {
    match text.as_bytes() {
        [b'{', next, ..] => *next != b'{' && text.find('}').is_some_and(|end| !text[..end].contains(['\n', ' ', '"'])),
        [b'%', b's' | b'd' | b'(' | b'i' | b'r', ..] => true,
        _ => false,
    }
}
