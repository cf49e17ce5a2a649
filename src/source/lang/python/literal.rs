//! Content and ranges of literals.

use std::ops::Range;

use ruff_python_ast::{
    Expr, FString, FStringPart, InterpolatedStringElement, InterpolatedStringElements, Operator, StringFlags,
    StringLiteral, TString,
};
use ruff_text_size::{Ranged as _, TextRange};

use crate::source::lang::embedded::StringValue;
use crate::source::lang::fact::Word;

/// Maximum length in bytes of a literal stored as a word.
const MAX_WORD_LEN: usize = 4096;

/// Maximum length in bytes of the source of a placeholder.
const MAX_PLACEHOLDER_LEN: usize = 120;

/// Converts a range of the parser to a range of bytes.
pub(super) fn bytes(range: TextRange) -> Range<usize> {
    range.start().to_usize()..range.end().to_usize()
}

/// Returns the content between the quotes of a literal. After a syntax error, a literal may lack its quotes: then the content
/// is the whole literal.
pub(super) fn content(text: &str, range: TextRange, flags: impl StringFlags) -> Range<usize> {
    let literal_range = bytes(range);
    let start = (literal_range.start + flags.opener_len().to_usize()).min(literal_range.end);
    let end = literal_range.end.saturating_sub(flags.closer_len().to_usize()).max(start);
    match text.get(start..end) {
        Some(_) => start..end,
        None => literal_range,
    }
}

/// Returns the range of the content of a string literal.
pub(super) fn string_content(text: &str, literal: &StringLiteral) -> Range<usize> {
    content(text, literal.range, literal.flags)
}

/// Returns a literal as a word: a string, a number, a boolean or `None`.
pub(super) fn word(text: &str, expression: &Expr) -> Option<Word> {
    match expression {
        Expr::StringLiteral(string) => {
            let first = string_content(text, string.value.iter().next()?);
            let last = string_content(text, string.value.iter().last()?);
            if last.end - first.start > MAX_WORD_LEN {
                return None;
            }
            Some(Word { text: string.value.to_str().to_owned(), range: first.start..last.end })
        }
        Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => source(text, expression),
        Expr::UnaryOp(unary) if unary.operand.is_number_literal_expr() => source(text, expression),
        _ => None,
    }
}

fn source(text: &str, expression: &Expr) -> Option<Word> {
    let range = bytes(expression.range());
    (range.len() <= MAX_WORD_LEN).then(|| Word { text: text[range.clone()].to_owned(), range })
}

/// Reports whether an expression is a string with a literal part.
pub(super) fn is_string(expression: &Expr) -> bool {
    match expression {
        Expr::StringLiteral(_) | Expr::FString(_) => true,
        Expr::BinOp(operation) => match operation.op {
            Operator::Add => {
                is_string(&operation.left)
                    || operation.right.is_string_literal_expr()
                    || operation.right.is_f_string_expr()
            }
            Operator::Mod => is_string(&operation.left),
            _ => false,
        },
        Expr::Call(call) => receiver_of_format(&call.func).is_some_and(is_string),
        _ => false,
    }
}

/// Reports whether a string literal starts like an absolute path or a URL.
pub(super) fn starts_like_path(expression: &Expr) -> bool {
    let text = expression.as_string_literal_expr().map(|string| string.value.to_str()).unwrap_or_default();
    text.starts_with('/') || text.contains("://")
}

/// Returns the string that `format` is called on.
pub(super) fn receiver_of_format(function: &Expr) -> Option<&Expr> {
    let attribute = function.as_attribute_expr()?;
    (attribute.attr.as_str() == "format").then_some(&*attribute.value)
}

/// Returns the value of a string with placeholders for parts that are not literals.
pub(super) fn append_value(text: &str, expression: &Expr, into: &mut StringValue) {
    match expression {
        Expr::StringLiteral(string) => {
            for literal in &string.value {
                append_string(text, literal, into);
            }
        }
        Expr::FString(string) => {
            for part in &string.value {
                match part {
                    FStringPart::Literal(literal) => append_string(text, literal, into),
                    FStringPart::FString(string) => append_f_string(text, string, into),
                }
            }
        }
        Expr::BinOp(operation) if operation.op == Operator::Add => {
            append_value(text, &operation.left, into);
            append_value(text, &operation.right, into);
        }
        Expr::BinOp(operation) if operation.op == Operator::Mod && is_string(&operation.left) => {
            append_value(text, &operation.left, into);
        }
        Expr::Call(call) => match receiver_of_format(&call.func).filter(|receiver| is_string(receiver)) {
            Some(receiver) => append_value(text, receiver, into),
            None => placeholder(text, expression, into),
        },
        _ => placeholder(text, expression, into),
    }
}

fn placeholder(text: &str, expression: &Expr, into: &mut StringValue) {
    let range = bytes(expression.range());
    let source = text[range.clone()].trim();
    let short =
        if source.len() <= MAX_PLACEHOLDER_LEN && !source.contains(['\n', '\'', '"', ' ']) { source } else { "" };
    into.push_placeholder(short, range.start);
}

fn append_string(text: &str, literal: &StringLiteral, into: &mut StringValue) {
    let range = string_content(text, literal);
    into.push_literal(&text[range.clone()], range.start, literal.flags.prefix().is_raw(), false);
    into.parts.push(range);
}

fn append_f_string(text: &str, string: &FString, into: &mut StringValue) {
    let is_raw = string.flags.prefix().is_raw();
    let range = content(text, string.range, string.flags);
    for element in &string.elements {
        let part = clip(bytes(element.range()), &range);
        match element {
            InterpolatedStringElement::Literal(_) => {
                into.push_literal(&text[part.clone()], part.start, is_raw, true);
                into.parts.push(part);
            }
            InterpolatedStringElement::Interpolation(_) => into.push_straight(&text[part.clone()], part.start),
        }
    }
}

fn clip(range: Range<usize>, within: &Range<usize>) -> Range<usize> {
    let start = range.start.clamp(within.start, within.end);
    start..range.end.clamp(start, within.end)
}

/// A string with placeholders.
pub(super) trait Formatted {
    /// Literal parts and placeholders.
    fn elements(&self) -> &InterpolatedStringElements;
}

impl Formatted for FString {
    fn elements(&self) -> &InterpolatedStringElements {
        &self.elements
    }
}

impl Formatted for TString {
    fn elements(&self) -> &InterpolatedStringElements {
        &self.elements
    }
}
