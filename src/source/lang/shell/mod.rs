//! Shell scripts: POSIX shell, bash, zsh, and what csh has of its own.
//!
//! One pass over the bytes with a stack of its own for `$(…)`, so that no nesting of the text is one of the program.

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
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>, host: Host) {
    let text = sheet.slice(&range);
    let mut at = range.start;
    if let Some(rest) = text.strip_prefix("#!") {
        let line = rest.split('\n').next().unwrap_or("").trim_end();
        let found = trim(sheet.text, at + 2..at + 2 + line.len());
        sheet.push(found.clone(), Kind::Comment);
        if host == Host::Script && sheet.facts.shebang.is_none() {
            sheet.facts.shebang = Some(sheet.word(found.clone()));
        }
        at = found.end;
    }
    let is_csh = is_csh(text);
    Lexer::new(sheet, at..range.end, host, is_csh).run();
}

/// Whether a script is one of csh or tcsh: by its interpreter or by commands that no other shell has.
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

/// Words of one command line, unquoted, with their places in it. Stops at nothing: operators are words.
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
