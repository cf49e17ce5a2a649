//! Walks a syntax tree and collects spans and facts.

use std::collections::HashSet;
use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, ModModule};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged as _;

use super::literal::bytes;
use super::{legacy, newer_syntax};
use crate::source::lang::embedded;
use crate::source::lang::embedded::StringValue;
use crate::source::lang::fact::{Facts, Syntax};
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};

/// The context of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// Role of the strings in the value.
    pub role: Role,
    /// Whether a string starts the value.
    pub is_head: bool,
    /// Name of the value.
    pub name: Option<&'a str>,
    /// The call that the value is an argument of.
    pub call: Option<&'a str>,
    /// Whether it is a part of a string that was already checked for embedded text.
    pub is_part: bool,
}

impl<'a> Context<'a> {
    /// A value without context.
    pub(super) const PLAIN: Self = Self { role: Role::Plain, is_head: true, name: None, call: None, is_part: false };

    /// Returns the context with another name.
    pub(super) fn named(self, name: Option<&'a str>) -> Self {
        Self { name, ..self }
    }

    /// Returns the context with another role.
    pub(super) fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

/// The position of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    /// In a branch.
    pub is_conditional: bool,
    /// Executed when the file is imported.
    pub runs_at_import: bool,
    /// A failing import does not end the program.
    pub is_optional: bool,
    /// Inside a function.
    pub in_function: bool,
}

/// The state of the walk.
pub(super) struct Reader<'a> {
    pub text: &'a str,
    pub spans: Vec<Span>,
    pub facts: Facts,
    pub position: Position,
    /// Whether the file has `from __future__ import annotations`.
    pub has_lazy_annotations: bool,
    /// Strings assigned to variables.
    pub assigned: Vec<(&'a str, &'a Expr)>,
    /// Variables passed to a shell.
    pub run: Vec<&'a str>,
    /// Text written to files in the current function, by the variable of the file.
    pub written: Vec<(&'a str, StringValue)>,
    /// Embedded texts in other languages.
    pub embedded: Vec<(Language, StringValue)>,
}

/// Returns the spans and facts of a parsed text. `commands` are the ranges of IPython commands.
pub(super) fn read(text: &str, parsed: &Parsed<ModModule>, commands: &[Range<usize>]) -> (Vec<Span>, Facts) {
    let position = Position { is_conditional: false, runs_at_import: true, is_optional: false, in_function: false };
    let mut reader = Reader {
        text,
        spans: Vec::new(),
        facts: Facts::default(),
        position,
        has_lazy_annotations: false,
        assigned: Vec::new(),
        run: Vec::new(),
        written: Vec::new(),
        embedded: Vec::new(),
    };
    reader.shebang();
    reader.comments(parsed);
    reader.body(parsed.suite());
    reader.close_written(0);
    reader.run_assigned();
    for command in commands {
        reader.escape(command.clone());
    }
    legacy::find(text, parsed, &mut reader.facts);
    newer_syntax::find(parsed, &mut reader.facts);
    reader.finish()
}

impl<'a> Reader<'a> {
    fn shebang(&mut self) {
        if let Some(rest) = self.text.strip_prefix("#!") {
            let line = rest.lines().next().unwrap_or_default();
            let text = line.trim().to_owned();
            self.facts.shebang = Some(crate::source::lang::fact::Word { text, range: 2..2 + line.len() });
        }
    }

    fn comments(&mut self, parsed: &Parsed<ModModule>) {
        for token in parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment) {
            let range = bytes(token.range());
            self.push(range.start + 1..range.end, Kind::Comment, Context::PLAIN);
        }
    }

    /// Adds a span.
    pub(super) fn push(&mut self, range: Range<usize>, kind: Kind, context: Context<'a>) {
        self.spans.push(Span {
            range,
            kind,
            role: context.role,
            is_head: context.is_head,
            name: context.name.map(str::to_owned),
            call: context.call.map(str::to_owned),
        });
    }

    /// Records a use of newer syntax.
    pub(super) fn newer(&mut self, since: (u8, u8), description: &'static str, range: Range<usize>) {
        newer_syntax::note(&mut self.facts, Syntax { since, description, range });
    }

    /// Returns the dotted name of an expression. `None` if it contains anything but names and dots.
    pub(super) fn dotted(&self, expression: &'a Expr) -> Option<&'a str> {
        let mut inner = expression;
        while let Expr::Attribute(attribute) = inner {
            inner = &attribute.value;
        }
        if !inner.is_name_expr() {
            return None;
        }
        let text = &self.text[bytes(expression.range())];
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || byte >= 0x80)
            .then_some(text)
    }

    /// Returns the dotted name of a function, or its last attribute with a leading dot if the base is an expression: `.joinpath`.
    pub(super) fn callee(&self, function: &'a Expr) -> Option<&'a str> {
        self.dotted(function).or_else(|| {
            let attribute = function.as_attribute_expr()?;
            let range = bytes(attribute.attr.range());
            let before = range.start.checked_sub(1)?;
            self.text.get(before..range.end).filter(|name| name.starts_with('.'))
        })
    }

    /// Returns the name of an assignment target.
    pub(super) fn target(&self, target: &'a Expr) -> Option<&'a str> {
        match target {
            Expr::Subscript(subscript) => self.key(&subscript.slice).or_else(|| self.dotted(&subscript.value)),
            Expr::Starred(starred) => self.dotted(&starred.value),
            _ => self.dotted(target),
        }
    }

    /// Returns a key that is a string literal.
    pub(super) fn key(&self, key: &'a Expr) -> Option<&'a str> {
        let literal = key.as_string_literal_expr()?;
        literal.as_single_part_string().map(|part| &self.text[super::literal::string_content(self.text, part)])
    }

    fn finish(mut self) -> (Vec<Span>, Facts) {
        let mut replaced: Vec<Range<usize>> = Vec::new();
        let mut inner = Vec::new();
        let mut seen = HashSet::new();
        let mut found = std::mem::take(&mut self.embedded);
        // A concatenated text takes precedence over its parts.
        found.sort_by_key(|(_, string_value)| std::cmp::Reverse(string_value.parts.len()));
        for (language, string_value) in found {
            if string_value.parts.iter().any(|part| !part.is_empty() && seen.contains(&part.start)) {
                continue;
            }
            seen.extend(string_value.parts.iter().map(|part| part.start));
            let (spans, mut facts) = embedded::read(language, &string_value);
            self.snap(&mut facts);
            embedded::merge(&mut self.facts, facts);
            if !spans.is_empty() {
                inner.extend(spans);
                replaced.extend(string_value.parts);
            }
        }
        if !replaced.is_empty() {
            replaced.sort_by_key(|range| range.start);
            self.spans.retain(|span| span.kind != Kind::Text || !contains_range(&replaced, &span.range));
            self.spans.append(&mut inner);
        }
        let spans = without_overlaps(self.text, self.spans);
        self.facts.syntax.sort_by_key(|syntax| syntax.since);
        (spans, self.facts)
    }

    /// Moves the ends of ranges to character boundaries.
    pub(super) fn snap(&self, facts: &mut Facts) {
        let text = self.text;
        embedded::relocate(facts, |range| {
            let end = text.floor_char_boundary(range.end);
            text.floor_char_boundary(range.start).min(end)..end
        });
    }
}

/// Reports whether one of the sorted ranges contains a range.
fn contains_range(ranges: &[Range<usize>], range: &Range<usize>) -> bool {
    let next = ranges.partition_point(|other| other.start <= range.start);
    next.checked_sub(1).is_some_and(|at| range.end <= ranges[at].end)
}

/// Sorts spans and removes those that overlap an earlier one.
fn without_overlaps(text: &str, mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| (span.range.start, span.range.end));
    let mut end = 0;
    spans.retain(|span| {
        let range = &span.range;
        let fits = range.start >= end
            && range.start < range.end
            && range.end <= text.len()
            && text.is_char_boundary(range.start)
            && text.is_char_boundary(range.end);
        if fits {
            end = range.end;
        }
        fits
    });
    spans
}
