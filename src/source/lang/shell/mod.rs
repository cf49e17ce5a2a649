//! Shell scripts: POSIX shell, bash, zsh and csh.
//!
//! One pass over the bytes with an explicit stack for `$(…)`, so nesting of the text does not cause recursion.

mod batch;
mod command;
mod container;
mod lexer;
mod part;

use std::ops::Range;

use super::fact::{Host, Word};
use super::span::Kind;
use super::view_builder::{ViewBuilder, trim};
pub(in super::super) use container::takes_value;
use lexer::Lexer;

/// Reads a part of a text as a script.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>, host: Host) {
    let text = builder.slice(&range);
    let mut at = range.start;
    if let Some(rest) = text.strip_prefix("#!") {
        let line = rest.split('\n').next().unwrap_or("").trim_end();
        let found = trim(builder.text, at + 2..at + 2 + line.len());
        builder.push(found.clone(), Kind::Comment);
        if host == Host::Script && builder.facts.shebang.is_none() {
            builder.facts.shebang = Some(builder.word(found.clone()));
        }
        at = found.end;
    }
    let is_csh = is_csh(text);
    Lexer::new(builder, at..range.end, host, is_csh).run();
}

/// Reports whether a script is for csh or tcsh, by its interpreter line or its commands.
fn is_csh(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("#!") {
        return rest.split('\n').next().unwrap_or("").contains("csh");
    }
    let mut end = text.len().min(4096);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    head.lines().any(|line| line.starts_with("setenv ") || line.trim() == "endif")
}

/// Returns the unquoted words of a command line with their ranges. Operators are words as well.
pub(in super::super) fn words(text: &str) -> Vec<Word> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut current: Option<(usize, Vec<u8>)> = None;
    let mut quote = 0;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if quote == 0 && blank {
            if let Some((start, word)) = current.take() {
                found.push((start..at, word));
            }
            at += 1;
            continue;
        }
        let (_, word) = current.get_or_insert_with(|| (at, Vec::new()));
        match byte {
            b'\\' if quote != b'\'' && at + 1 < bytes.len() => {
                at += 1;
                if bytes[at] != b'\n' {
                    word.push(bytes[at]);
                }
            }
            b'\'' | b'"' if quote == 0 => quote = byte,
            _ if byte == quote => quote = 0,
            _ => word.push(byte),
        }
        at += 1;
    }
    if let Some((start, word)) = current {
        found.push((start..bytes.len(), word));
    }
    found.into_iter().map(|(range, word)| Word { text: String::from_utf8_lossy(&word).into_owned(), range }).collect()
}
