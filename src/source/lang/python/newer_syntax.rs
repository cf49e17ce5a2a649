//! Syntax that older Python versions do not support.

use ruff_python_ast::ModModule;
use ruff_python_parser::{Parsed, UnsupportedSyntaxErrorKind as Kind};

use super::literal::bytes;
use crate::source::lang::fact::{Facts, Syntax};

/// Records a use of newer syntax. Only the first use for each version is kept.
pub(super) fn note(facts: &mut Facts, syntax: Syntax) {
    match facts.syntax.iter_mut().find(|other| other.since == syntax.since) {
        Some(first) if first.range.start <= syntax.range.start => {}
        Some(first) => *first = syntax,
        None => facts.syntax.push(syntax),
    }
}

/// Records the newer syntax that the parser reports. A Python 2 file has none.
pub(super) fn find(parsed: &Parsed<ModModule>, facts: &mut Facts) {
    if facts.python2.is_some() {
        facts.syntax.clear();
        return;
    }
    for error in parsed.unsupported_syntax_errors() {
        if let Some((since, description)) = since(error.kind) {
            note(facts, Syntax { since, description, range: bytes(error.range) });
        }
    }
}

/// Returns the first version that supports a syntax, and a description of the syntax.
fn since(kind: Kind) -> Option<((u8, u8), &'static str)> {
    Some(match kind {
        Kind::Walrus => ((3, 8), "an assignment expression (`:=`)"),
        Kind::PositionalOnlyParameter => ((3, 8), "a positional-only parameter list (`/`)"),
        Kind::StarTuple(_) => ((3, 8), "unparenthesized unpacking in a tuple"),
        Kind::RelaxedDecorator(_) => ((3, 9), "an arbitrary expression as a decorator"),
        Kind::ParenthesizedContextManager => ((3, 9), "a parenthesized list of context managers"),
        Kind::UnparenthesizedUnpackInFor => ((3, 9), "unparenthesized unpacking in a `for` loop"),
        Kind::UnparenthesizedNamedExpr(_) => ((3, 9), "an unparenthesized assignment expression"),
        Kind::Match => ((3, 10), "a `match` statement"),
        Kind::ExceptStar => ((3, 11), "an `except*` clause"),
        Kind::StarExpressionInIndex => ((3, 11), "unpacking in a subscript"),
        Kind::StarAnnotation => ((3, 11), "unpacking in an annotation"),
        Kind::TypeParameterList => ((3, 12), "a type parameter list"),
        Kind::TypeAliasStatement => ((3, 12), "a `type` statement"),
        Kind::Pep701FString(_) => ((3, 12), "an f-string with nested quotes, backslashes or comments"),
        Kind::TypeParamDefault => ((3, 13), "a type parameter default"),
        Kind::TemplateStrings => ((3, 14), "a template string"),
        Kind::UnparenthesizedExceptionTypes => ((3, 14), "an `except` clause with unparenthesized types"),
        Kind::LazyImportStatement => ((3, 15), "a lazy import"),
        Kind::UnpackingInComprehension(_) => ((3, 15), "unpacking in a comprehension"),
        // Removed in newer versions.
        Kind::ParenthesizedKeywordArgumentName => return None,
    })
}
