//! IPython commands in a notebook cell: `!ls`, `%run x.py`, `files = !ls`, `print?`.
//!
//! They are masked before the cell is parsed, because the IPython mode of the parser panics for some texts.

use std::borrow::Cow;
use std::ops::Range;

use super::token;

/// A text of the same length for the parser, and the ranges masked in it.
pub(super) struct Masked<'a> {
    /// The text with commands replaced by `0` and spaces.
    pub text: Cow<'a, str>,
    /// Ranges of commands, from their sign to the end of their line.
    pub commands: Vec<Range<usize>>,
}

/// Masks the commands of a cell.
pub(super) fn mask(text: &str) -> Masked<'_> {
    if memchr::memchr3(b'!', b'%', b'?', text.as_bytes()).is_none() {
        return Masked { text: Cow::Borrowed(text), commands: Vec::new() };
    }
    let (commands, questions) = find(text.as_bytes());
    if commands.is_empty() && questions.is_empty() {
        return Masked { text: Cow::Borrowed(text), commands };
    }
    let mut bytes = text.as_bytes().to_vec();
    for command in &commands {
        let hidden = bytes[command.clone()].iter_mut();
        hidden.filter(|byte| **byte != b'\n' && **byte != b'\r').for_each(|byte| *byte = b' ');
        bytes[command.start] = b'0';
    }
    for at in questions {
        bytes[at] = b' ';
    }
    // Complete characters are replaced, so the text stays valid UTF-8.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Masked { text: Cow::Owned(text), commands }
}

/// Returns the ranges of commands and the offsets of question marks outside strings.
fn find(bytes: &[u8]) -> (Vec<Range<usize>>, Vec<usize>) {
    let mut commands = Vec::new();
    let mut questions = Vec::new();
    let mut nesting = 0_usize;
    let mut may_begin = true;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let begins = may_begin && nesting == 0;
        may_begin = (may_begin && matches!(byte, b' ' | b'\t' | b'\r' | b'\x0c')) || byte == b'\n';
        at = match byte {
            b'!' | b'%' | b'?' if begins => {
                let end = line_end(bytes, at);
                commands.push(at..end);
                end
            }
            b'=' if nesting == 0 && !is_operator(bytes, at) => match assigned(bytes, at + 1) {
                Some(command) => {
                    let end = command.end;
                    commands.push(command);
                    end
                }
                None => at + 1,
            },
            b'"' | b'\'' => token::string(bytes, at, byte).1,
            b'#' => memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length),
            b'\\' => at + 2,
            b'?' => {
                questions.push(at);
                at + 1
            }
            b'(' | b'[' | b'{' => {
                nesting += 1;
                at + 1
            }
            b')' | b']' | b'}' => {
                nesting = nesting.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        };
    }
    (commands, questions)
}

/// Reports whether a `=` is part of another operator.
fn is_operator(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    bytes.get(at + 1) == Some(&b'=') || before.is_some_and(|byte| b"=!<>+-*/%&|^:@".contains(&byte))
}

/// Returns the command after a `=`.
fn assigned(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at + bytes.get(at..)?.iter().position(|byte| *byte != b' ')?;
    let is_command = matches!(bytes[start], b'!' | b'%') && bytes.get(start + 1) != Some(&b'=');
    is_command.then(|| start..line_end(bytes, start))
}

/// Returns the end of a line including its continuation lines.
fn line_end(bytes: &[u8], at: usize) -> usize {
    let mut from = at;
    loop {
        let Some(end) = memchr::memchr(b'\n', &bytes[from..]).map(|length| from + length) else { return bytes.len() };
        if !bytes[at..end].trim_ascii_end().ends_with(b"\\") {
            return end;
        }
        from = end + 1;
    }
}
