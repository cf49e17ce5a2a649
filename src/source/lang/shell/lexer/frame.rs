//! Nested lists of commands.

use crate::source::lang::shell::command::Line;
use crate::source::lang::shell::part::Part;

/// The end of a list of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closer {
    File,
    Paren,
    Backtick,
    /// The elements of an array, which are not commands.
    Array,
}

/// A list of commands in construction.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) closer: Closer,
    pub(super) start: usize,
    pub(super) word: Option<Part>,
    pub(super) line: Line,
    pub(super) is_double: bool,
    pub(super) depth: u32,
    pub(super) cases: u32,
    pub(super) in_patterns: bool,
    pub(super) follows: bool,
    pub(super) redirect: Option<bool>,
}

impl Frame {
    pub(super) fn new(closer: Closer, start: usize) -> Self {
        Self {
            closer,
            start,
            word: None,
            line: Line::default(),
            is_double: false,
            depth: 0,
            cases: 0,
            in_patterns: false,
            follows: false,
            redirect: None,
        }
    }
}

impl Frame {
    /// Reads a shell keyword in the position of a command name. Returns false if the word is not a keyword.
    pub(super) fn read_keyword(&mut self, word: &str, is_csh: bool) -> bool {
        match word {
            "if" if is_csh => return false,
            "then" if is_csh => self.depth += 1,
            "if" => self.depth += 1,
            "fi" | "endif" => self.depth = self.depth.saturating_sub(1),
            "elif" | "then" | "else" | "do" | "done" | "while" | "until" | "!" | "time" | "{" | "}" | "end"
            | "endsw" | "breaksw" => {}
            _ => return false,
        }
        true
    }
}
