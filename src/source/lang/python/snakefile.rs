//! Snakefiles: rules are converted to Python of the same length, so offsets stay the same.
//!
//! `rule a:` becomes `if 1:`, and its directives become calls on the same line: `input("x"); shell("y")`.

use std::borrow::Cow;
use std::ops::Range;

/// Directives of a rule whose values are arguments.
const DIRECTIVES: &[&str] = &[
    "input",
    "output",
    "params",
    "resources",
    "container",
    "singularity",
    "containerized",
    "conda",
    "shell",
    "log",
    "threads",
    "message",
    "benchmark",
    "script",
    "notebook",
    "wrapper",
    "envmodules",
    "priority",
    "group",
    "cache",
    "shadow",
    "wildcard_constraints",
    "retries",
    "localrule",
    "default_target",
    "name",
];

/// A line of a Snakefile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A rule: `rule a:`.
    Rule,
    /// A directive (`input:`), with its length without the colon.
    Directive(usize),
    /// A block of Python: `run:`.
    Run,
    /// An empty line or one indented more than the rule.
    Inner,
    /// Python at the top level.
    Other,
}

/// Returns the text with its rules converted to Python. Unchanged if it has no rules.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    if !text.lines().any(|line| kind(line) == Line::Rule) {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    let mut state = State::default();
    for range in lines(text) {
        state.line(text, &mut bytes, range);
    }
    state.close(text, &mut bytes, text.len(), false);
    // Only ASCII bytes are replaced by ASCII bytes, so the text stays valid UTF-8.
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[derive(Debug, Default)]
struct State {
    in_rule: bool,
    /// End of the line with the rule name.
    head: usize,
    /// Whether the rule has a directive.
    has_directive: bool,
    /// End of the last code line of the open directive.
    open: Option<usize>,
}

impl State {
    fn line(&mut self, text: &str, bytes: &mut [u8], range: Range<usize>) {
        let line = &text[range.clone()];
        let indent = line.len() - line.trim_start().len();
        match kind(line) {
            Line::Rule => {
                self.close(text, bytes, range.start, false);
                self.head = range.end;
                put(bytes, range, b"if 1:");
                (self.in_rule, self.has_directive) = (true, false);
            }
            Line::Directive(length) if self.in_rule => {
                if self.open.is_some() {
                    self.close(text, bytes, range.start + indent, true);
                } else if !self.has_directive {
                    // A comment or docstring.
                    bytes[self.head..range.start].fill(b' ');
                }
                self.has_directive = true;
                bytes[range.start + indent + length] = b'(';
                self.open = Some(code_end(text, &range));
            }
            Line::Run if self.in_rule => {
                self.close(text, bytes, range.start, false);
                put(bytes, range, b"if 1:");
                self.in_rule = false;
            }
            Line::Other => {
                self.close(text, bytes, range.start, false);
                self.in_rule = false;
            }
            _ if self.open.is_some() && !line.trim().is_empty() && !line.trim_start().starts_with('#') => {
                self.open = Some(code_end(text, &range));
            }
            _ => {}
        }
    }

    /// Closes the open call. Only whitespace and comments precede `next`.
    fn close(&mut self, text: &str, bytes: &mut [u8], next: usize, goes_on: bool) {
        let Some(end) = self.open.take() else { return };
        let between = &mut bytes[end..next];
        if !text.is_char_boundary(end) || between.is_empty() || goes_on && between.len() < 2 {
            return;
        }
        between.fill(b' ');
        between[0] = b')';
        if let Some(last) = between.last_mut().filter(|_| next > end + 1) {
            *last = if goes_on { b';' } else { b'\n' };
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        start..start + line.trim_end_matches(['\n', '\r']).len()
    })
}

fn kind(line: &str) -> Line {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Line::Inner;
    }
    if !line.starts_with([' ', '\t']) {
        let is_rule = ["rule", "checkpoint"].iter().any(|word| {
            let name = trimmed.strip_prefix(word).and_then(|rest| rest.strip_suffix(':'));
            name.is_some_and(|name| {
                (name.is_empty() || name.starts_with(' '))
                    && name.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            })
        });
        return if is_rule { Line::Rule } else { Line::Other };
    }
    let word = trimmed.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
    match (&trimmed[..word], trimmed[word..].starts_with(':')) {
        ("run", true) if trimmed.len() == word + 1 => Line::Run,
        (name, true) if DIRECTIVES.contains(&name) => Line::Directive(word),
        _ => Line::Inner,
    }
}

/// Returns the end of the code of a line, before a comment.
fn code_end(text: &str, range: &Range<usize>) -> usize {
    let line = &text[range.clone()];
    let code = line.find('#').map_or(line, |at| {
        let before = &line[..at];
        let is_open = before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1;
        if is_open { line } else { before }
    });
    range.start + code.trim_end().len()
}

/// Overwrites the start of a line, and the rest with spaces.
fn put(bytes: &mut [u8], range: Range<usize>, with: &[u8]) {
    let line = &mut bytes[range];
    if line.len() >= with.len() {
        line.fill(b' ');
        line[..with.len()].copy_from_slice(with);
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn rules_become_calls_at_the_same_offsets() {
        let text = "configfile: 'c'\n\nrule a: \n    # c\n    input:\n        'x', # d\n        y='z'\n    # e\n    shell:\n        'ls'\n\nrule b:\n    run:\n        f('x')\n";
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        let words: Vec<_> = masked.split_whitespace().collect();
        let expected = "configfile: 'c' if 1: input( 'x', # d y='z') ;shell( 'ls') if 1: if 1: f('x')";
        assert_eq!(words, expected.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn text_without_rules_is_unchanged() {
        let text = "def rule(x):\n    input: int = 3\n";
        assert_eq!(mask(text), text);
        assert_eq!(mask("rule a:\n    input: 'ü'\n").len(), "rule a:\n    input: 'ü'\n".len());
    }
}
