//! `carnet scan --fix`.

use super::super::error::Outcome;
use super::super::output::print_exact;
use crate::exit;
use crate::model::scan::Scan;
use crate::model::text::count;
use crate::scan::Options;
use crate::scan::apply_fixes;
use crate::scan::fixes::patch;
use crate::source::git::{range, walk};
use crate::sys::secret;
use crate::ui::note;

/// Maximum size in bytes of a file that is fixed.
const MAX_FILE_SIZE: u64 = 16 << 20;

/// Prints the safe fixes as a patch, or applies them.
pub(super) fn run(scan: &Scan, options: &Options, write: bool) -> Outcome {
    let contents = match &options.changed {
        Some(spec) => Some(range::read(&options.top, spec, &|_| false)?.contents),
        None => None,
    };
    let mut read = |path: &str| match &contents {
        Some(contents) => contents.get(path).cloned(),
        None => {
            let mut bytes = Vec::new();
            let is_truncated = walk::read(&options.top.join(path), MAX_FILE_SIZE, &mut bytes).ok()?;
            (!is_truncated).then_some(bytes)
        }
    };
    let patch = patch(&scan.findings, &mut read);
    for message in &patch.notes {
        note(&format!("{}: {}", message.path, message.message));
    }
    if write {
        apply_fixes::write(&options.top, &patch)?;
        for file in &patch.files {
            note(&format!("{}: applied {}", file.path, count(file.fixes, "fix")));
        }
    } else {
        // A patch is input of `git apply`. A hunk without its credentials does not apply, but no output contains a credential.
        print_exact(&secret::redactor().redact(&patch.unified()))?;
        if patch.fixes() > 0 {
            let files = count(patch.files.len(), "file");
            note(&format!("{} available in {files}; apply with `--fix --write`", count(patch.fixes(), "fix")));
        }
    }
    if patch.fixes() == 0 {
        note("no safe fixes available");
    }
    Ok(exit::GOOD)
}
