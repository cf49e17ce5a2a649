//! Python 2 syntax.

use std::ops::Range;

use ruff_python_ast::ModModule;
use ruff_python_parser::{Parsed, UnsupportedSyntaxErrorKind};
use ruff_text_size::Ranged as _;

use super::literal::bytes;
use crate::source::lang::fact::Facts;

/// Maximum number of parser errors that are checked.
const MAX_ERRORS: usize = 200;

/// Sets [`Facts::python2`] if a parser error is caused by Python 2 syntax. The walk finds print and exec statements.
pub(super) fn find(text: &str, parsed: &Parsed<ModModule>, facts: &mut Facts) {
    let handlers = parsed
        .unsupported_syntax_errors()
        .iter()
        .filter(|error| error.kind == UnsupportedSyntaxErrorKind::UnparenthesizedExceptionTypes)
        .map(|error| bytes(error.range))
        .find(|range| is_handler(&text[range.clone()]));
    let errors = parsed.errors().iter().take(MAX_ERRORS).map(|error| bytes(error.range()));
    let old = handlers.or_else(|| errors.filter_map(|range| old_syntax(text, range)).next());
    if let Some(range) = old.filter(|_| facts.python2.is_none()) {
        facts.python2 = Some(range);
    }
}

/// Reports whether types are `Error, e`: a lower-case name is a variable, not a type.
fn is_handler(types: &str) -> bool {
    let types = types.trim_start_matches("except").trim();
    let Some((_, name)) = types.rsplit_once(',') else { return false };
    let name = name.trim();
    types.matches(',').count() == 1
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && !name.contains('.')
}

/// Returns the range of Python 2 syntax at a parser error.
fn old_syntax(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let at = range.start;
    let rest = text.get(at..)?;
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[line_start..at];
    let is_old = rest.starts_with('`')
        || rest.starts_with("<>")
        || before.ends_with('<') && rest.starts_with('>')
        || before.trim() == "raise" && text[range.clone()].contains(',')
        || is_old_integer(rest)
        || before.ends_with(|c: char| c.is_ascii_digit())
            && rest.starts_with(['L', 'l'])
            && !rest[1..].starts_with(is_word)
        || is_old_prefix(before, rest);
    is_old.then(|| if range.is_empty() { at..at + rest.chars().next().map_or(0, char::len_utf8) } else { range })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reports whether the text starts with an octal number: `0777`.
fn is_old_integer(rest: &str) -> bool {
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    digits > 1 && rest.starts_with('0') && !rest[digits..].starts_with(['.', 'e', 'E', 'j', 'J', '_'])
}

/// Reports whether a string has the prefix `ur"…"`.
fn is_old_prefix(before: &str, rest: &str) -> bool {
    let lower = before.to_ascii_lowercase();
    rest.starts_with(['"', '\'']) && lower.strip_suffix("ur").is_some_and(|before| !before.ends_with(is_word))
}
