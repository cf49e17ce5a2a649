//! `carnet scan --update-baseline` and `--prune-baseline`.

use super::super::error::CommandError;
use crate::model::scan::Scan;
use crate::model::text::count;
use crate::scan::acceptance::LoadedBaseline;
use crate::scan::suppress::baseline::Baseline;
use crate::sys::clock;
use crate::ui::file;

/// Writes the current findings to the baseline, or only removes fixed findings. Returns a summary.
pub(super) fn write(baseline: &LoadedBaseline, scan: &Scan, only_prune: bool) -> Result<String, CommandError> {
    let old = baseline.baseline.clone().unwrap_or_else(Baseline::empty);
    let new = if only_prune { old.pruned(&scan.findings) } else { old.updated(&scan.findings, clock::today()) };
    let write = if baseline.is_given { file::write_given } else { file::write };
    write(&baseline.file, new.to_text()?.as_bytes())?;
    Ok(format!("wrote {} to {} (before: {})", count(new.findings.len(), "finding"), baseline.path, old.findings.len()))
}
