//! Escaping for GitHub-flavoured Markdown.
//!
//! Untrusted text is put into `<code>` elements, with every character that has a meaning in Markdown, HTML or a forge as an
//! entity, or into fences that are longer than any run of backticks in it. Mentions, issue numbers and links have no effect
//! there, and the text cannot end the element.

use std::fmt::Write as _;

use crate::model::text::{clean, ends, one_line};

/// Maximum size of a report in bytes. GitHub rejects step summaries of more than 1 MiB.
pub(super) const MAX_BYTES: usize = 900_000;
/// Maximum size of a code block in bytes.
const MAX_OUTPUT: usize = 8 << 10;

/// Appends formatted text.
pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}

/// Returns untrusted text as inline code that is safe in tables and in HTML.
pub(super) fn code(text: &str) -> String {
    let line = one_line(text, 600);
    if line.is_empty() { String::new() } else { format!("<code>{}</code>", entities(&line)) }
}

/// Returns the text with every special character as an entity. A dot is special only where it would form a link.
pub(super) fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        let special = matches!(
            c,
            '&' | '<'
                | '>'
                | '"'
                | '\''
                | '`'
                | '*'
                | '_'
                | '['
                | ']'
                | '\\'
                | '|'
                | '~'
                | '$'
                | ':'
                | '@'
                | '#'
                | '!'
                | '{'
                | '}'
                | '^'
                | '%'
        ) || (c == '.' && before.eq_ignore_ascii_case(&'w'));
        if special {
            put(&mut out, format_args!("&#{};", u32::from(c)));
            if c == '@' {
                // The comment prevents that the forge finds a mention or an email address.
                out.push_str("<!-- -->");
            }
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// Returns untrusted text as a code block, in a fence longer than any run of backticks in it.
pub(super) fn fenced(text: &str, language: &str) -> String {
    let text = clean(text);
    let text = ends(text.trim_end(), MAX_OUTPUT);
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}
