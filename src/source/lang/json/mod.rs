//! JSON, with comments and trailing commas.
//!
//! One pass over the tokens with a stack of keys. No tree is built, so the nesting depth is not limited.

pub(super) mod token;

use std::ops::Range;

use super::fact::{Dialect, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, join};
use token::{Syntax, Token, Tokens};

/// Maximum size in bytes of a file that is read. Larger files are generated data.
const MAX_BYTES: usize = 1 << 20;
/// Maximum depth of key paths. Deeper values have the path of this depth.
const MAX_DEPTH: usize = 32;

/// Reads a part of a text as JSON.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    if range.len() > MAX_BYTES {
        return;
    }
    let mut tokens = Tokens::new(&builder.text.as_bytes()[..range.end], range.start, Syntax::WithComments);
    let mut depth = 0_usize;
    // Whether each open bracket is that of an array.
    let mut arrays: Vec<bool> = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Open { is_array } => {
                depth += 1;
                arrays.push(is_array);
            }
            Token::Close => {
                depth = depth.saturating_sub(1);
                arrays.pop();
                keys.truncate(depth);
            }
            Token::Comment(range) => builder.push(range, Kind::Comment),
            Token::String { range, .. } if tokens.peek() == Some(b':') => key(builder, range, depth, &mut keys),
            Token::String { range, .. } => value(builder, range, &keys),
            // Numbers in arrays are data, not settings.
            Token::Literal(range) if arrays.last() != Some(&true) => scalar(builder, range, &keys),
            Token::Literal(_) | Token::Comma | Token::Colon => {}
        }
    }
}

fn key(builder: &mut ViewBuilder<'_>, range: Range<usize>, depth: usize, keys: &mut Vec<String>) {
    let name = builder.slice(&range);
    keys.truncate(depth.saturating_sub(1));
    if depth <= MAX_DEPTH {
        // Arrays have no key and inherit that of their parent.
        while keys.len() + 1 < depth {
            let parent = keys.last().cloned().unwrap_or_default();
            keys.push(parent);
        }
        keys.push(join(keys.last().map_or("", String::as_str), name));
    }
    builder.push(range, Kind::Key);
}

fn value(builder: &mut ViewBuilder<'_>, range: Range<usize>, keys: &[String]) {
    builder.add(range.clone(), Kind::Value, Role::Plain, keys.last().map(String::as_str));
    scalar(builder, range, keys);
}

fn scalar(builder: &mut ViewBuilder<'_>, range: Range<usize>, keys: &[String]) {
    let Some(path) = keys.last() else { return };
    let word = Word { text: builder.slice(&range).to_owned(), range: range.clone() };
    builder.set(Dialect::Config, path, word, range.start);
}
