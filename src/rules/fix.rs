//! The safe edits of findings as one patch.

use crate::model::finding::Finding;
use crate::model::scan::Note;

/// What the fixes of a scan change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// Changed files, sorted by path.
    pub files: Vec<FilePatch>,
    /// Fixes that were not made, and why.
    pub notes: Vec<Note>,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// Path relative to the top.
    pub path: String,
    /// Content that was scanned.
    pub before: Vec<u8>,
    /// Content with the fixes.
    pub after: Vec<u8>,
    /// Number of fixes made.
    pub fixes: usize,
}

/// Collects the fixes of all findings that aren't suppressed. `read` gives the content of a file that was scanned, by its
/// path relative to the top.
pub fn patch(findings: &[Finding], read: &mut dyn FnMut(&str) -> Option<Vec<u8>>) -> Patch {
    let _ = (findings, read);
    Patch::default()
}

impl Patch {
    /// The patch as `git apply` takes it; empty when nothing changes.
    pub fn unified(&self) -> String {
        String::new()
    }
}
