//! The parser, with limits on its input.

use std::panic::catch_unwind;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PythonVersion};
use ruff_python_parser::{Mode as Grammar, ParseOptions, Parsed, lexer, parse_unchecked};

/// Maximum length in bytes of a text that is parsed. Tree and facts take about sixty times its memory.
const MAX_LEN: usize = 2 << 20;

/// Maximum depth of a tree: nested brackets, blocks, and chains of operators, calls and attributes. CPython allows 200
/// brackets and 100 blocks; longer chains occur only in generated files.
const MAX_DEPTH: usize = 400;

/// Parses a text. The error is the reason why no tree is built.
pub(super) fn parse(text: &str) -> Result<Parsed<ModModule>, &'static str> {
    if text.len() > MAX_LEN {
        return Err("too long to parse; only strings and comments were read");
    }
    if may_be_deep(text) && !is_depth_within(text, MAX_DEPTH) {
        return Err("nested too deeply to parse; only strings and comments were read");
    }
    // With the oldest version, the parser reports all newer syntax.
    let options = ParseOptions::from(Grammar::Module).with_target_version(PythonVersion::PY37);
    // A panic of the parser must not end the scan.
    let parsed = catch_unwind(|| parse_unchecked(text, options)).ok().and_then(Parsed::try_into_module);
    parsed.ok_or("the parser failed; only strings and comments were read")
}

/// Reports whether a text has enough bytes that can nest to check its depth. Words that nest (`not`, `lambda`, `if`,
/// `await`) take a space each.
fn may_be_deep(text: &str) -> bool {
    let nests = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'!'..=b'/' | b'<'..=b'>' | b'@' | b'['..=b'^' | b'{'..=b'~');
    text.len() > MAX_DEPTH && text.bytes().filter(nests).count() > MAX_DEPTH
}

/// Reports whether no node of the tree of a text can be deeper than a limit.
///
/// Counts tokens: every opening bracket, operator and keyword that can nest adds one. A comma, a colon or the end of the line
/// resets the count to that of the enclosing bracket.
fn is_depth_within(text: &str, limit: usize) -> bool {
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
            // Ruff also ends a statement at a line break inside an unclosed bracket.
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
