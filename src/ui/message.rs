//! Error messages.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{TerminalStyle, note};
use crate::config::ConfigError;
use crate::error::Error;
use crate::model::text::clean;
use crate::sys::secret;

/// Prints an error and its hint.
pub fn error(error: &Error, style: &TerminalStyle) {
    let message = shown(&error.message());
    let mut groups =
        Level::ERROR.primary_title(message.as_str()).elements(Vec::<annotate_snippets::Element<'_>>::new());
    let hint = error.hint().map(|hint| shown(&hint));
    if let Some(hint) = &hint {
        groups = groups.element(Level::HELP.message(hint.as_str()));
    }
    note(&renderer(style).render(&[groups]));
}

/// Prints every problem of a configuration with its source line.
pub fn config(error: &ConfigError, style: &TerminalStyle) {
    let path = shown(&error.file.display().to_string());
    if error.problems.is_empty() {
        let title = shown(&error.to_string());
        note(&renderer(style).render(&[Group::with_title(Level::ERROR.primary_title(title.as_str()))]));
        return;
    }
    let redacted = secret::redactor().apply(&error.text);
    let text = redacted.as_ref().map_or(&error.text, |redacted| &redacted.text);
    let position = |at, end| redacted.as_ref().map_or(at, |redacted| redacted.position(at, end));
    for problem in &error.problems {
        let shifted = position(problem.span.start, false)..position(problem.span.end, true);
        let snippet = Snippet::source(text.as_str())
            .path(path.as_str())
            .annotation(AnnotationKind::Primary.span(span(text, shifted)));
        let (message, help) = (shown(&problem.message), problem.help.as_deref().map(shown));
        let mut group = Level::ERROR.primary_title(message.as_str()).element(snippet);
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        note(&renderer(style).render(&[group]));
    }
}

/// Returns the text without credentials and control characters.
fn shown(text: &str) -> String {
    clean(&secret::redactor().redact(text)).into_owned()
}

/// Restricts a range to the text, to character boundaries and to one line. The span of a table would underline all of it.
fn span(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let floor =
        |index: usize| (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
    let (start, end) = (floor(span.start), floor(span.end));
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    start..end.max(start).min(line_end.max(start))
}

fn renderer(style: &TerminalStyle) -> Renderer {
    let renderer = if style.color_err { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(style.width)
}
