//! The parser, with a bound on what it is given.

use std::panic::catch_unwind;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PythonVersion};
use ruff_python_parser::{Mode as Grammar, ParseOptions, Parsed, lexer, parse_unchecked};

/// Longest text that a tree is made of, in bytes; the tree and what is told of it take some sixty times its memory.
const LONGEST: usize = 2 << 20;

/// Deepest tree that is walked: nested brackets, blocks, and operators, calls and attributes in a chain. CPython takes
/// 200 brackets and 100 blocks; chains are longer in generated files only.
const DEEPEST: usize = 400;

/// The tree of a text, or why none is made.
pub(super) fn parse(text: &str) -> Result<Parsed<ModModule>, &'static str> {
    if text.len() > LONGEST {
        return Err("it is too long to be parsed: its strings and comments alone were read");
    }
    if may_be_deep(text) && !depth_within(text, DEEPEST) {
        return Err("it nests too deeply to be parsed: its strings and comments alone were read");
    }
    // The oldest version that the parser knows, so that it tells of all newer syntax.
    let options = ParseOptions::from(Grammar::Module).with_target_version(PythonVersion::PY37);
    // The parser has places that it takes for unreachable; a text that reaches one must not end the scan.
    let parsed = catch_unwind(|| parse_unchecked(text, options)).ok().and_then(Parsed::try_into_module);
    parsed.ok_or("the parser gave up: its strings and comments alone were read")
}

/// Whether a text has enough bytes that could nest to be worth a look. Words that nest (`not`, `lambda`, `if`, `await`)
/// take a space each.
fn may_be_deep(text: &str) -> bool {
    let nests = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'!'..=b'/' | b'<'..=b'>' | b'@' | b'['..=b'^' | b'{'..=b'~');
    text.len() > DEEPEST && text.bytes().filter(nests).count() > DEEPEST
}

/// Whether no node of the tree of a text can be deeper than a limit.
///
/// Counted from tokens: every opening bracket, operator and word that may put a node below another adds one, until a
/// comma, a colon or the end of the line, which go back to what the bracket around them began with.
fn depth_within(text: &str, limit: usize) -> bool {
    let mut lexer = lexer::lex(text, Grammar::Module);
    let mut blocks = 0_usize;
    let mut depth = 0_usize;
    let mut openings: Vec<usize> = Vec::new();
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return true,
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                openings.push(depth);
                depth += 1;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                depth = openings.pop().map_or(0, |before| before + 1);
            }
            TokenKind::Comma | TokenKind::Semi => depth = openings.last().map_or(0, |before| before + 1),
            // Ruff ends a statement at a line break where brackets are left open, too.
            TokenKind::Newline => {
                depth = 0;
                openings.clear();
            }
            TokenKind::Name | TokenKind::String | TokenKind::Int | TokenKind::Float | TokenKind::Comment => {}
            TokenKind::NonLogicalNewline | TokenKind::FStringMiddle | TokenKind::TStringMiddle | TokenKind::Equal => {}
            _ => depth += 1,
        }
        if depth + blocks > limit {
            return false;
        }
    }
}
