//! Text from outside made harmless, and small forms that every report shares.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

/// Longest operating-system or device-control sequence that is taken for one; a terminal would wait for its end forever.
const MAX_SEQUENCE: usize = 4096;

/// The text without terminal control: escape sequences are dropped, line ends become `\n`, and every other character that
/// controls something or that XML 1.0 can't hold is shown by a symbol or its code point.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b'\n' | b'\t' | 0x20..=0x7e)) || !text.chars().any(controls) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\x1b' => match sequence(rest) {
                Some(length) => rest = &rest[length..],
                None => out.push('\u{241b}'),
            },
            '\r' if rest.starts_with('\n') => {}
            '\r' => out.push('\n'),
            '\0'..='\x1f' if controls(c) => out.push(picture(c)),
            '\x7f' => out.push('\u{2421}'),
            c if controls(c) => out.extend(format!("<U+{:04X}>", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a character controls something: a terminal, the direction of writing, lines, or XML.
fn controls(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        _ => false,
    }
}

/// The symbol that stands for a control character.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')
}

/// Bytes of the escape sequence that follows an escape character; none when it is no whole one (ECMA-48 §5).
fn sequence(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
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

/// The text on one line, clean, with runs of white space as one space, at most `max` columns wide.
pub fn one_line(text: &str, max: usize) -> String {
    // Far more than fits is never looked at.
    let start = match text.char_indices().nth(max.saturating_mul(8).saturating_add(4096)) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    let joined = clean(start).split_whitespace().collect::<Vec<_>>().join(" ");
    clip(&joined, max).into_owned()
}

/// The text, cut to `max` columns with an ellipsis at its end when it is wider.
pub(super) fn clip(text: &str, max: usize) -> Cow<'_, str> {
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

/// Columns that a text takes in a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Both ends of a long text, at most about `cap` bytes, with a line between them that says what is missing.
pub(super) fn ends(text: &str, cap: usize) -> Cow<'_, str> {
    if text.len() <= cap {
        return Cow::Borrowed(text);
    }
    let half = cap / 2;
    let head = &text[..text.floor_char_boundary(half)];
    let tail = &text[text.ceil_char_boundary(text.len() - half)..];
    let missing = text.len() - head.len() - tail.len();
    Cow::Owned(format!("{head}\n[... {missing} bytes left out ...]\n{tail}"))
}

/// A duration for people: `0.08 s`, `6.0 s`, `2 min 05 s`, `1 h 02 min`.
pub(super) fn duration(seconds: f64) -> String {
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

/// A count and its noun: `1 test`, `3 tests`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::{clean, clip, duration, ends, one_line};

    #[test]
    fn escape_sequences_go_and_other_controls_are_shown() {
        assert_eq!(clean("\x1b[31;1mred\x1b[0m \x1b]0;title\x07done"), "red done");
        assert_eq!(clean("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
        assert_eq!(clean("a\0b\x08c\x7f"), "a\u{2400}b\u{2408}c\u{2421}");
        assert_eq!(clean("one\r\ntwo\rthree"), "one\ntwo\nthree");
        assert_eq!(clean("right\u{202e}left \u{9b}31m \u{ffff}"), "right<U+202E>left <U+009B>31m <U+FFFF>");
    }

    #[test]
    fn an_endless_sequence_swallows_nothing() {
        assert_eq!(clean("\x1b]0;evil\nFAILED"), "\u{241b}]0;evil\nFAILED");
        assert_eq!(clean("\x1b[12"), "\u{241b}[12");
        assert_eq!(clean("\x1b"), "\u{241b}");
        assert_eq!(clean("\x1b[é"), "\u{241b}[é");
    }

    #[test]
    fn a_line_is_one_line_within_its_width() {
        assert_eq!(one_line("  a\n\tb \r\n c ", 80), "a b c");
        assert_eq!(one_line("abcdefghij", 8), "abcde...");
        assert_eq!(clip("日本語の名前", 9), "日本語...");
    }

    #[test]
    fn long_text_keeps_both_ends() {
        let text = format!("start{}end", "é".repeat(1000));
        let kept = ends(&text, 100);
        assert!(kept.starts_with("start") && kept.ends_with("end") && kept.len() < 200, "{kept}");
    }

    #[test]
    fn durations_are_short() {
        let shown: Vec<String> =
            [0.0, 0.0849, 0.999, 6.04, 59.94, 59.96, 125.0, 3725.0, f64::NAN].map(duration).to_vec();
        assert_eq!(
            shown,
            ["0.00 s", "0.08 s", "1.0 s", "6.0 s", "59.9 s", "1 min 00 s", "2 min 05 s", "1 h 02 min", "-"]
        );
    }
}
