//! Text of the analysis in messages.

/// Maximum number of characters of a quoted text.
const MAX_CHARS: usize = 60;

/// Returns a text as messages quote it: its first characters, with an ellipsis if it is longer.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
