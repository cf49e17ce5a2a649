//! Finds absolute paths and URLs in bytes, at several gigabytes a second.
//!
//! One pass over the `/` characters: what stands around one decides in a few instructions whether it begins a path whose
//! first part is in a table of roots, or a URL. No regular expression is run over what can't match.

use std::ops::Range;

/// A path or a URL in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it is.
    pub form: Form,
}

/// What was matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// An absolute path: `/eos/user/j/jane`. Placeholders (`{user}`, `$USER`, `%s`, `<user>`) are part of it.
    Path,
    /// A URL: scheme, host, path.
    Url,
    /// A home directory of the shell: `~/x`, `~jane/x`.
    Home,
}
