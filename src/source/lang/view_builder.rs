//! Collects the spans and facts of a text while it is parsed.

use std::borrow::Cow;
use std::ops::Range;

use super::fact::{Call, Command, Dialect, Facts, Host, Import, Reference, Setting, Syntax, Usage, Word};
use super::language::Language;
use super::span::{Kind, Role, Span};
use super::{View, read_language};

/// Maximum nesting depth of embedded languages, as a heredoc in a heredoc. Deeper text is not parsed.
const MAX_DEPTH: u8 = 3;

/// A view in construction.
#[derive(Debug)]
pub(super) struct ViewBuilder<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// Spans in any order.
    pub(super) spans: Vec<Span>,
    /// Facts collected.
    pub(super) facts: Facts,
    /// The first syntax error.
    pub(super) problem: Option<String>,
    depth: u8,
}

impl<'a> ViewBuilder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, spans: Vec::new(), facts: Facts::default(), problem: None, depth: 0 }
    }

    /// Returns the range of the whole text.
    pub(super) fn all(&self) -> Range<usize> {
        0..self.text.len()
    }

    /// Returns the text of a range. Empty if the range is invalid.
    pub(super) fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or("")
    }

    /// Returns the text of a range as a word.
    pub(super) fn word(&self, range: Range<usize>) -> Word {
        Word { text: self.slice(&range).to_owned(), range }
    }

    /// Adds a span.
    pub(super) fn push(&mut self, range: Range<usize>, kind: Kind) {
        self.add(range, kind, Role::Plain, None);
    }

    /// Adds a span with a role and a name.
    pub(super) fn add(&mut self, range: Range<usize>, kind: Kind, role: Role, name: Option<&str>) {
        if range.start < range.end {
            let name = name.map(short);
            let skip = if kind == Kind::Value { placeholder(self.slice(&range)) } else { 0 };
            let range = range.start + skip..range.end;
            self.spans.push(Span { range, kind, role, is_head: skip == 0, name, call: None });
        }
    }

    /// Adds a setting.
    pub(super) fn set(&mut self, dialect: Dialect, key: &str, value: Word, start: usize) {
        let range = start.min(value.range.start)..value.range.end.max(start);
        self.facts.settings.push(Setting { dialect, key: short(key), value, range });
    }

    /// Adds a reference.
    pub(super) fn refer(&mut self, path: &str, range: Range<usize>, usage: Usage) {
        if !path.is_empty() {
            self.facts.references.push(Reference { path: path.to_owned(), range, usage });
        }
    }

    /// Parses a part of the text as another language. Returns false without parsing if languages are nested too deeply.
    pub(super) fn embed(&mut self, language: Language, range: Range<usize>, host: Host) -> bool {
        if self.depth >= MAX_DEPTH || self.text.get(range.clone()).is_none() {
            return false;
        }
        self.depth += 1;
        read_language(self, language, range, host);
        self.depth -= 1;
        true
    }

    /// Adds the spans and facts of a separate view of a part of the text. If it has no spans, each line becomes a text span.
    pub(super) fn absorb(&mut self, view: View<'_>, range: Range<usize>) {
        if view.spans.is_empty() || !view.map.0.is_empty() {
            for line in lines(self.text, range.clone()) {
                self.push(line, Kind::Text);
            }
        }
        if !view.map.0.is_empty() {
            return;
        }
        let by = |range: Range<usize>, base: usize| base + range.start..base + range.end;
        let base = range.start;
        let shift = |word: Word| Word { range: by(word.range, base), ..word };
        let optional = |word: Option<Word>| word.map(shift);
        self.spans.extend(view.spans.into_iter().map(|span| Span { range: by(span.range.clone(), base), ..span }));
        let Facts { shebang: _, imports, calls, commands, settings, images, syntax, python2, references, names: _ } =
            view.facts;
        let facts = &mut self.facts;
        facts
            .imports
            .extend(imports.into_iter().map(|import| Import { range: by(import.range.clone(), base), ..import }));
        facts.calls.extend(calls.into_iter().map(|call| Call {
            range: by(call.range, base),
            full_range: by(call.full_range, base),
            arguments: call.arguments.into_iter().map(optional).collect(),
            keywords: call.keywords.into_iter().map(|(key, word)| (key, optional(word))).collect(),
            ..call
        }));
        facts.commands.extend(commands.into_iter().map(|command| Command {
            words: command.words.into_iter().map(shift).collect(),
            range: by(command.range, base),
            ..command
        }));
        facts.settings.extend(settings.into_iter().map(|setting| Setting {
            value: shift(setting.value),
            range: by(setting.range, base),
            ..setting
        }));
        facts.images.extend(images.into_iter().map(shift));
        facts
            .syntax
            .extend(syntax.into_iter().map(|syntax| Syntax { range: by(syntax.range.clone(), base), ..syntax }));
        facts.references.extend(
            references.into_iter().map(|reference| Reference { range: by(reference.range.clone(), base), ..reference }),
        );
        facts.python2 = facts.python2.take().or_else(|| python2.map(|range| by(range, base)));
    }

    /// Returns the view. Spans are sorted; overlapping spans and spans off character boundaries are dropped.
    pub(super) fn finish(mut self) -> View<'a> {
        self.spans.sort_by_key(|span| (span.range.start, span.range.end));
        let mut end = 0;
        let text = self.text;
        self.spans.retain(|span| {
            let fits = span.range.start >= end && text.get(span.range.clone()).is_some_and(|inside| !inside.is_empty());
            if fits {
                end = span.range.end;
            }
            fits
        });
        let (text, problem) = (Cow::Borrowed(self.text), self.problem);
        View { text, spans: self.spans, facts: self.facts, problem, ..View::default() }
    }
}

/// Truncates a name to 256 bytes, because it is copied to each of its spans.
pub(super) fn short(name: &str) -> String {
    name[..name.floor_char_boundary(256)].to_owned()
}

/// Returns the path of a key below a parent key.
pub(super) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        return short(key);
    }
    if parent.len() > 512 { parent.to_owned() } else { format!("{parent}.{}", short(key)) }
}

/// Reports whether a path is on a network file system. Images do not contain such paths: they are those of the host.
pub(super) fn is_shared(path: &str) -> bool {
    ["/cvmfs/", "/eos/", "/afs/", "/pnfs/"].iter().any(|root| path.starts_with(root))
}

/// Returns the length of the placeholder before the first slash of a value: `$BASE/data`, `${base}/data`,
/// `{{ base }}/data`, `%(base)s/data`, `<base>/data`. 0 if there is none.
fn placeholder(value: &str) -> usize {
    let near = &value.as_bytes()[..value.len().min(256)];
    let close: &[u8] = match near {
        [b'$', b'(', ..] => b")",
        [b'$', b'{', b'{', ..] | [b'{', b'{', ..] => b"}}",
        [b'$' | b'@', b'{', ..] | [b'{', ..] => b"}",
        [b'%', b'(', ..] => b")s",
        [b'<', ..] => b">",
        [b'$', ..] => {
            let length = near[1..].iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
            return length.map(|length| length + 1).filter(|at| *at > 1 && near[*at] == b'/').unwrap_or(0);
        }
        _ => return 0,
    };
    let end = memchr::memmem::find(near, close).map(|at| at + close.len());
    end.filter(|at| near.get(*at) == Some(&b'/')).unwrap_or(0)
}

/// Returns the ranges of the lines of a part of a text, without line breaks (`\n`, `\r\n`).
pub(super) fn lines(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = range.start;
    let end = range.end.min(text.len());
    let bytes = text.as_bytes();
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let stop = memchr::memchr(b'\n', &bytes[at..end]).map_or(end, |found| at + found);
        let line = at..if stop > at && bytes[stop - 1] == b'\r' { stop - 1 } else { stop };
        at = stop + 1;
        Some(line)
    })
}

/// Returns a range without surrounding whitespace.
pub(super) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = text.get(range.clone()).unwrap_or("");
    let start = range.start + (inside.len() - inside.trim_start().len());
    start..start + inside.trim().len()
}

/// Returns a range without surrounding quotes.
pub(super) fn unquote(text: &str, range: Range<usize>) -> Range<usize> {
    let inside = text.get(range.clone()).unwrap_or("").as_bytes();
    match inside {
        [b'"', .., b'"'] | [b'\'', .., b'\''] => range.start + 1..range.end - 1,
        _ => range,
    }
}

/// Returns the ranges of words separated by whitespace and commas.
pub(super) fn items(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    let bytes = text.as_bytes();
    for at in range.start..=range.end.min(bytes.len()) {
        let is_gap = at >= range.end || at >= bytes.len() || matches!(bytes[at], b' ' | b'\t' | b',' | b'\n' | b'\r');
        match (is_gap, start) {
            (true, Some(from)) => {
                found.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    found
}
