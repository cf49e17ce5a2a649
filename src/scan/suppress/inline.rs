//! Comments that suppress findings: `carnet: ignore[site-path, home-path] reason`, on the line or on a separate line above.

use std::borrow::Cow;

use memchr::memmem;

use crate::source::lang::language::Language;

/// The start of every directive.
const PREFIX: &str = "carnet:";
/// Comment markers that may precede a directive.
const COMMENT_MARKERS: [&str; 10] = ["#", "//", "/*", "*", "--", "%", ";", "!", "<!--", "dnl"];
/// Maximum length of a line with a directive in bytes. In a file on one line, a directive would apply to the whole file.
const MAX_LINE: usize = 20_000;
/// Maximum number of directives that are parsed in one line.
const MAX_SIGNS: usize = 8;
/// Maximum number of directives of one file.
const MAX_DIRECTIVES: usize = 2_000;
/// Maximum length of [`Directive::source`] in characters.
const MAX_SOURCE: usize = 400;

/// A comment that suppresses findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Its line, from 1.
    pub line: u32,
    /// Column of its first character, from 1, in characters.
    pub column: u32,
    /// Column after its last character.
    pub end_column: u32,
    /// The line that it applies to: its own line, or the line below if it is on a separate line.
    pub target: u32,
    /// Rules in its brackets; empty if there are none.
    pub rules: Vec<String>,
    /// Reason. If it is empty, the directive has no effect.
    pub reason: String,
    /// Its line, truncated to 400 characters.
    pub source: String,
}

/// Returns the directives of a file, sorted by line. `bytes` is the file itself, also for a notebook.
///
/// In notebooks and JSON, a string may contain a directive: the line of a cell, or a value such as
/// `"//": "carnet: ignore[…] …"`. In prose, only HTML comments are directives, because manuals show the other forms as
/// examples. Generated files have none.
pub fn read(language: Language, bytes: &[u8]) -> Vec<Directive> {
    let markers = match language {
        Language::Notebook | Language::Json => Markers { comments: &COMMENT_MARKERS, in_strings: true },
        Language::Prose => Markers { comments: &["<!--"], in_strings: false },
        Language::Ignore | Language::Generated => return Vec::new(),
        _ => Markers { comments: &COMMENT_MARKERS, in_strings: false },
    };
    let mut found: Vec<(Directive, bool)> = Vec::new();
    let (mut line, mut counted) = (1_u32, 0);
    let mut tried = (0_u32, 0_usize);
    for offset in memmem::find_iter(bytes, PREFIX) {
        line = line
            .saturating_add(u32::try_from(memchr::memchr_iter(b'\n', &bytes[counted..offset]).count()).unwrap_or(0));
        counted = offset;
        tried = if tried.0 == line { (line, tried.1 + 1) } else { (line, 0) };
        if tried.1 >= MAX_SIGNS {
            continue;
        }
        // Limit the search to the maximum length of a line, so that a long line with many directives is not searched repeatedly.
        let (first, last) = (offset.saturating_sub(MAX_LINE), bytes.len().min(offset + MAX_LINE));
        let start = memchr::memrchr(b'\n', &bytes[first..offset]).map_or(first, |newline| first + newline + 1);
        let end = memchr::memchr(b'\n', &bytes[offset..last]).map_or(last, |newline| offset + newline);
        if end - start >= MAX_LINE {
            continue;
        }
        let before = String::from_utf8_lossy(&bytes[start..offset]);
        let rest = String::from_utf8_lossy(&bytes[offset..end]);
        found.extend(directive(line, &before, &rest, markers));
        if found.len() == MAX_DIRECTIVES {
            break;
        }
    }
    with_targets(found)
}

/// Text that may precede a directive.
#[derive(Clone, Copy)]
struct Markers {
    comments: &'static [&'static str],
    /// Whether it may also start a string.
    in_strings: bool,
}

/// Parses a directive. Also returns whether it is on a separate line.
fn directive(line: u32, before: &str, rest: &str, markers: Markers) -> Option<(Directive, bool)> {
    let in_strings = markers.in_strings;
    let opened = before.trim_end();
    let is_comment =
        markers.comments.iter().any(|sign| opened.ends_with(sign)) || (in_strings && opened.ends_with('"'));
    let text = rest.strip_prefix(PREFIX)?.trim_start().strip_prefix("ignore")?;
    if !is_comment {
        return None;
    }
    let text = if in_strings { string(text) } else { Cow::Borrowed(text) };
    let (rules, reason) = match text.trim_start().strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((rules, reason)) => (names(rules), reason),
        None => (Vec::new(), ""),
    };
    let column = characters(before) + 1;
    let shown = rest.trim_end();
    let directive = Directive {
        line,
        column,
        end_column: column.saturating_add(characters(shown)),
        target: line,
        rules,
        reason: reason_of(reason),
        source: before.chars().chain(shown.chars()).take(MAX_SOURCE).collect(),
    };
    let stands_alone = !opened.replace("dnl", "").replace("comment", "").contains(char::is_alphanumeric);
    Some((directive, stands_alone))
}

/// Returns the part of a JSON string up to its end or its first line end.
fn string(text: &str) -> Cow<'_, str> {
    let end = ["\\n", "\\r", "\""].iter().filter_map(|end| text.find(end)).min();
    Cow::Borrowed(&text[..end.unwrap_or(text.len())])
}

fn names(list: &str) -> Vec<String> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.chars().take(100).collect()).collect()
}

fn reason_of(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_suffix("*/").or_else(|| text.strip_suffix("-->")).unwrap_or(text);
    text.trim().trim_start_matches([':', '-', ' ']).chars().take(300).collect()
}

fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// Sets the targets of directives on separate lines: the first line below that is not a directive.
fn with_targets(found: Vec<(Directive, bool)>) -> Vec<Directive> {
    let mut below: Option<(u32, u32)> = None;
    let mut with_targets: Vec<Directive> = Vec::with_capacity(found.len());
    for (mut directive, stands_alone) in found.into_iter().rev() {
        if stands_alone {
            let next = directive.line.saturating_add(1);
            directive.target = match below {
                Some((line, target)) if line == next => target,
                _ => next,
            };
            below = Some((directive.line, directive.target));
        }
        with_targets.push(directive);
    }
    with_targets.reverse();
    with_targets
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::{Directive, read};
    use crate::source::lang::language::Language;

    fn single(language: Language, text: &str) -> Directive {
        let mut all = read(language, text.as_bytes());
        assert_eq!(all.len(), 1, "in {text:?}: {all:?}");
        all.remove(0)
    }

    #[test]
    fn all_comment_markers_are_accepted() {
        for text in [
            "x = 1  # carnet: ignore[a, b] why",
            "int x; // carnet: ignore[a,b] why",
            "int x; /* carnet:ignore[a, b] why */",
            "x <!-- carnet: ignore[a, b]: why -->",
            "x % carnet: ignore [a,b] - why",
            "x ; carnet: ignore[a, b] why\r",
        ] {
            let directive = single(Language::Python, text);
            assert_eq!((directive.rules.join(" "), directive.reason.as_str()), ("a b".to_owned(), "why"), "{text}");
            assert_eq!((directive.line, directive.target), (1, 1), "{text}");
        }
    }

    #[test]
    fn directive_on_separate_line_applies_to_line_below() {
        let text = "a\n  # carnet: ignore[x] one\n\t// carnet: ignore[y] two\ncode\nmore # carnet: ignore[z] three\n";
        let targets: Vec<(u32, u32)> =
            read(Language::Shell, text.as_bytes()).iter().map(|d| (d.line, d.target)).collect();
        assert_eq!(targets, [(2, 4), (3, 4), (5, 5)]);
    }

    #[test]
    fn notebook_line_ends_inside_string() {
        let text =
            "   \"# carnet: ignore[site-path] an example\\n\",\n   \"x = '/nfs/dust'  # carnet: ignore[b] too\"\n";
        let all = read(Language::Notebook, text.as_bytes());
        let directives: Vec<(&str, u32)> = all.iter().map(|d| (d.reason.as_str(), d.target)).collect();
        assert_eq!(directives, [("an example", 2), ("too", 2)]);
    }

    #[test]
    fn json_value_contains_directive() {
        let directive = single(Language::Json, "{\n  \"//\": \"carnet: ignore[site-path] why\",\n  \"a\": 1\n}\n");
        assert_eq!((directive.reason.as_str(), directive.line, directive.target), ("why", 2, 3));
    }

    #[test]
    fn text_outside_comments_is_not_a_directive() {
        assert_eq!(read(Language::Python, b"print('carnet: ignore[x] y')\ncarnet: ignore[x] y\n"), []);
        assert_eq!(read(Language::Python, b"# carnet: nothing\n"), []);
    }

    #[test]
    fn prose_contains_directives_only_in_html_comments() {
        let text = "    x  # carnet: ignore[site-path] shown\n<!-- carnet: ignore[site-path] meant -->\n";
        assert_eq!(single(Language::Prose, text).reason, "meant");
        assert_eq!(read(Language::Generated, text.as_bytes()), []);
    }

    #[test]
    fn missing_brackets_or_reason_are_empty() {
        assert_eq!(single(Language::Python, "# carnet: ignore because").rules, [""; 0]);
        assert_eq!(single(Language::Python, "# carnet: ignore[a]  ").reason, "");
    }

    #[test]
    fn columns_count_characters() {
        let directive = single(Language::Python, "é = 1 # carnet: ignore[a] ü");
        assert_eq!((directive.column, directive.end_column), (9, 28));
    }

    proptest! {
        #[test]
        fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), sign in "(# |// |\")carnet: ?ignore\\[?[a-z,\\]é\n\"\\\\]{0,12}") {
            let mut text = bytes.clone();
            text.extend(sign.as_bytes());
            text.extend(bytes);
            for language in [Language::Python, Language::Notebook] {
                for directive in read(language, &text) {
                    prop_assert!(directive.target >= directive.line && directive.end_column > directive.column);
                }
            }
        }
    }
}
