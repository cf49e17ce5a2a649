//! `carnet scan --update-baseline` and `--prune-baseline`.

use jiff::Zoned;

use super::super::CommandError;
use crate::model::scan::Scan;
use crate::scan::acceptance::LoadedBaseline;
use crate::scan::suppress::baseline::Baseline;
use crate::ui::file;

/// Writes what is found now, or only leaves out what is no longer found; says what was done.
pub(super) fn write(known: &LoadedBaseline, scan: &Scan, only_prune: bool) -> Result<String, CommandError> {
    let old = known.baseline.clone().unwrap_or_else(Baseline::empty);
    let new = if only_prune { old.pruned(&scan.findings) } else { old.updated(&scan.findings, Zoned::now().date()) };
    file::write(&known.file, new.to_text()?.as_bytes())?;
    Ok(format!("{}: {} findings, before {}", known.path, new.findings.len(), old.findings.len()))
}
