//! Helpers for showing text: removing terminal control, truncating, counting, listing.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

/// Maximum length of an operating-system or device-control sequence in bytes. A longer one is treated as text.
const MAX_SEQUENCE: usize = 4096;
/// Maximum width of a quotation in a message in columns.
const MAX_EXCERPT: usize = 60;
/// Maximum width of a name in a list in columns.
const MAX_NAME: usize = 100;

/// Returns the text without terminal control. Escape sequences are removed and line ends become `\n`. Every other control
/// character, and every character that XML 1.0 does not allow, is replaced by a symbol or its code point.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b'\n' | b'\t' | 0x20..=0x7e)) || !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\x1b' => match sequence(rest.as_bytes()) {
                Some(length) => rest = &rest[length..],
                None => out.push('\u{241b}'),
            },
            '\r' if rest.starts_with('\n') => {}
            '\r' => out.push('\n'),
            '\0'..='\x1f' if is_control(c) => out.push(picture(c)),
            '\x7f' => out.push('\u{2421}'),
            c if is_control(c) => out.extend(format!("<U+{:04X}>", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Reports whether a character controls the terminal, the text direction or line breaks, or is invalid in XML 1.0.
fn is_control(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => false,
    }
}

/// Returns the symbol for a control character.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')
}

/// Returns the length of the escape sequence after an escape character; `None` if it is incomplete (ECMA-48 §5).
pub(super) fn sequence(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'[' => {
            let end = bytes.iter().skip(1).position(|b| !(0x20..=0x3f).contains(b))? + 1;
            (0x40..=0x7e).contains(&bytes[end]).then_some(end + 1)
        }
        // Strings end with a bell or `ESC \`; an endless one must not swallow what follows.
        b']' | b'P' | b'X' | b'^' | b'_' => {
            let reach = &bytes[..bytes.len().min(MAX_SEQUENCE)];
            let end = reach.iter().position(|b| matches!(b, 0x07 | 0x1b))?;
            match (reach[end], reach.get(end + 1)) {
                (0x07, _) => Some(end + 1),
                (_, Some(b'\\')) => Some(end + 2),
                _ => None,
            }
        }
        _ => {
            let end = bytes.iter().position(|b| !(0x20..=0x2f).contains(b))?;
            (0x30..=0x7e).contains(&bytes[end]).then_some(end + 1)
        }
    }
}

/// Returns the text without commands of CI systems: `::command::` at the start of a line, as well as `##[command]`,
/// `##vso[command]` and `section_start:` anywhere. A space makes each of them ordinary text.
///
/// Sources: `ActionCommand` of GitHub's runner, `Command` of the agent of Azure Pipelines, and "Custom collapsible sections" of
/// GitLab's documentation. GitHub and Azure ignore white space in front of a command.
pub fn without_commands(text: &str) -> Cow<'_, str> {
    if !["::", "##", "section_"].iter().any(|start| text.contains(start)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive(is_line_end) {
        let start = line.len() - without_indentation(line).len();
        let (indentation, rest) = line.split_at(start);
        out.push_str(indentation);
        // `::: path` introduces another file in a report of findings. It is not a command: its name would be `:`.
        let is_path = rest.starts_with("::: ");
        let rest = rest.strip_prefix("::").filter(|_| !is_path).inspect(|_| out.push_str(": :")).unwrap_or(rest);
        push_without_commands(rest, &mut out);
    }
    Cow::Owned(out)
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns the line without white space, invisible characters and escape sequences at its start.
fn without_indentation(line: &str) -> &str {
    let is_blank = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}');
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c| c != '\x1b' && is_blank(c));
        match rest.strip_prefix('\x1b') {
            Some(after) => rest = &after[sequence(after.as_bytes()).unwrap_or(0)..],
            None => return rest,
        }
    }
}

/// Appends a line without the commands that CI systems find anywhere in it.
fn push_without_commands(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = rest.find(['#', 's']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let is_command = |after: &str| after.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[');
        let command = ["section_start", "section_end"].iter().find(|name| found.starts_with(**name));
        let length = match (found.strip_prefix("##").map(is_command), command) {
            (Some(true), _) => 2,
            (_, Some(name)) if found[name.len()..].starts_with(':') => name.len(),
            _ => 0,
        };
        let kept = length.max(1);
        out.push_str(&found[..kept]);
        if length > 0 {
            out.push(' ');
        }
        rest = &found[kept..];
    }
    out.push_str(rest);
}

/// Returns the text as one [`clean`] line of at most `max` columns, with runs of white space as one space.
pub fn one_line(text: &str, max: usize) -> String {
    // Skip text that is far beyond the limit.
    let start = match text.char_indices().nth(max.saturating_mul(8).saturating_add(4096)) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    let joined = clean(start).split_whitespace().collect::<Vec<_>>().join(" ");
    clip(&joined, max).into_owned()
}

/// Returns the first line that is not blank, trimmed.
pub fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// Returns the text, truncated to `max` columns with `...` at the end if it is wider.
pub fn clip(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        if used + wide + 3 > max {
            break;
        }
        used += wide;
        out.push(c);
    }
    Cow::Owned(out.trim_end().to_owned() + "...")
}

/// Returns the text as one line that is short enough to be quoted in a message.
pub fn excerpt(text: &str) -> String {
    one_line(text, MAX_EXCERPT)
}

/// Returns the number of terminal columns of a text.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Returns the start and the end of a long text, about `max_bytes` in total, with a line between them that counts the
/// omitted bytes.
pub fn ends(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    let half = max_bytes / 2;
    let head = &text[..text.floor_char_boundary(half)];
    let tail = &text[text.ceil_char_boundary(text.len() - half)..];
    let missing = text.len() - head.len() - tail.len();
    Cow::Owned(format!("{head}\n[... {missing} bytes left out ...]\n{tail}"))
}

/// Formats a duration: `0.08 s`, `6.0 s`, `2 min 05 s`, `1 h 02 min`; `-` if it is negative or not finite.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "-".to_owned();
    }
    if seconds < 0.995 {
        return format!("{seconds:.2} s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round().min(1e15);
    let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
    if minutes < 60.0 {
        return format!("{minutes:.0} min {rest:02.0} s");
    }
    format!("{:.0} h {:02.0} min", (minutes / 60.0).floor(), minutes % 60.0)
}

/// Formats a number with its noun, whose plural ends in `s`, `es` or `ies`: `1 test`, `3 tests`, `2 fixes`, `4 facilities`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {}", plural(noun)) }
}

/// Returns the plural of a noun of at least one letter.
fn plural(noun: &str) -> String {
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u');
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ies"),
        None if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// Formats a list of names with at most `max` of them: `a, b and 3 more`.
pub fn list<T: AsRef<str>>(names: &[T], max: usize) -> String {
    let shown: Vec<String> = names.iter().take(max).map(|name| one_line(name.as_ref(), MAX_NAME)).collect();
    match names.len().saturating_sub(max) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Formats a fragment as a sentence, with a capital letter and a full stop.
pub fn sentence(fragment: &str) -> String {
    let mut characters = fragment.trim_end_matches('.').chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

/// Returns a size in bytes for people: `692 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let unit = (0..UNITS.len() - 1).find(|unit| bytes >> (10 * unit) < 1024).unwrap_or(UNITS.len() - 1);
    format!("{} {}", bytes >> (10 * unit), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{clean, clip, count, duration, ends, first_line, list, one_line, sentence, without_commands};

    #[test]
    fn commands_of_ci_systems_become_text() {
        for (text, expected) in [
            ("::add-mask::x", ": :add-mask::x"),
            (" \t::error::x", " \t: :error::x"),
            ("a\n::warning::x\r::debug::y", "a\n: :warning::x\r: :debug::y"),
            ("a\u{2028}\u{a0}::x::\u{85}::y::", "a\u{2028}\u{a0}: :x::\u{85}: :y::"),
            ("\x1b[1m\x1b[31m::set-output name=a::b\x1b[0m", "\x1b[1m\x1b[31m: :set-output name=a::b\x1b[0m"),
            ("  x ##[group]y ##vso[task.setvariable]z", "  x ## [group]y ## vso[task.setvariable]z"),
            ("section_start:1:a\r\x1b[0K", "section_start :1:a\r\x1b[0K"),
            ("####[x]", "#### [x]"),
        ] {
            assert_eq!(without_commands(text), expected, "{text:?}");
            assert_eq!(without_commands(expected), expected, "{text:?}");
        }
        for text in [
            "std::vector",
            "a ::b::",
            "## Heading",
            "# [x]",
            "section_start",
            "x = y[::2]",
            "Class::test",
            "  ::: a.py:1:2",
        ] {
            assert_eq!(without_commands(text), text);
        }
    }

    proptest! {
        #[test]
        fn removal_of_commands_is_idempotent(text in "(::|##|\\[|:| |\n|\r|\u{2028}|\u{feff}|\x1b\\[31m|\x1b|[a-z]|é|section_start|section_end|vso){0,24}") {
            let once = without_commands(&text);
            prop_assert_eq!(without_commands(&once), once.clone());
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        let sizes = [0, 1023, 1024, 692 << 20, 5 << 40].map(super::size);
        assert_eq!(sizes, ["0 B", "1023 B", "1 KiB", "692 MiB", "5120 GiB"]);
    }

    #[test]
    fn clean_removes_escape_sequences_and_shows_control_characters() {
        assert_eq!(clean("\x1b[31;1mred\x1b[0m \x1b]0;title\x07done"), "red done");
        assert_eq!(clean("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(clean("a\0b\x08c\x7f"), "a\u{2400}b\u{2408}c\u{2421}");
        assert_eq!(clean("one\r\ntwo\rthree"), "one\ntwo\nthree");
        assert_eq!(clean("right\u{202e}left \u{9b}31m \u{ffff}"), "right<U+202E>left <U+009B>31m <U+FFFF>");
    }

    #[test]
    fn clean_keeps_text_after_unterminated_sequence() {
        assert_eq!(clean("\x1b]0;evil\nFAILED"), "\u{241b}]0;evil\nFAILED");
        assert_eq!(clean("\x1b[12"), "\u{241b}[12");
        assert_eq!(clean("\x1b"), "\u{241b}");
        assert_eq!(clean("\x1b[é"), "\u{241b}[é");
    }

    #[test]
    fn one_line_joins_lines_and_truncates() {
        assert_eq!(one_line("  a\n\tb \r\n c ", 80), "a b c");
        assert_eq!(one_line("abcdefghij", 8), "abcde...");
        assert_eq!(clip("日本語の名前", 9), "日本語...");
    }

    #[test]
    fn ends_keeps_start_and_end() {
        let text = format!("start{}end", "é".repeat(1000));
        let kept = ends(&text, 100);
        assert!(kept.starts_with("start") && kept.ends_with("end") && kept.len() < 200, "{kept}");
    }

    #[test]
    fn duration_uses_two_units_at_most() {
        let shown: Vec<String> =
            [0.0, 0.0849, 0.999, 6.04, 59.94, 59.96, 125.0, 3725.0, f64::NAN].map(duration).to_vec();
        assert_eq!(
            shown,
            ["0.00 s", "0.08 s", "1.0 s", "6.0 s", "59.9 s", "1 min 00 s", "2 min 05 s", "1 h 02 min", "-"]
        );
    }
    #[test]
    fn first_line_skips_blank_lines() {
        assert_eq!(first_line(" \n\n  ab \ncd"), "ab");
        assert_eq!(first_line("\n"), "");
    }

    #[test]
    fn count_uses_the_plural() {
        let nouns = ["test", "fix", "facility", "day", "branch"];
        assert_eq!(nouns.map(|noun| count(1, noun)), ["1 test", "1 fix", "1 facility", "1 day", "1 branch"]);
        assert_eq!(nouns.map(|noun| count(2, noun)), ["2 tests", "2 fixes", "2 facilities", "2 days", "2 branches"]);
    }

    #[test]
    fn list_counts_the_names_beyond_the_limit() {
        assert_eq!(list(&["a", "b"], 2), "a, b");
        assert_eq!(list(&["a", "b", "c"], 2), "a, b and 1 more");
    }

    #[test]
    fn sentence_has_a_capital_and_one_full_stop() {
        assert_eq!(sentence("the end."), "The end.");
        assert_eq!(sentence(""), ".");
    }
}
