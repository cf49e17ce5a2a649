//! `carnet scan --fix`: the patch, printed or made.

use super::super::{Outcome, print};
use crate::exit;
use crate::model::scan::Scan;
use crate::scan::Options;
use crate::scan::apply_fixes;
use crate::scan::fixes::patch;
use crate::source::git::{range, walk};
use crate::ui::note;

/// Largest file that is mended.
const LARGEST: u64 = 16 << 20;

pub(super) fn run(scan: &Scan, options: &Options, write: bool) -> Outcome {
    let contents = match &options.changed {
        Some(spec) => Some(range::read(&options.top, spec, &|_| false)?.contents),
        None => None,
    };
    let mut read = |path: &str| match &contents {
        Some(contents) => contents.get(path).cloned(),
        None => {
            let mut bytes = Vec::new();
            let is_cut = walk::read(&options.top.join(path), LARGEST, &mut bytes).ok()?;
            (!is_cut).then_some(bytes)
        }
    };
    let patch = patch(&scan.findings, &mut read);
    for one in &patch.notes {
        note(&format!("{}: {}", one.path, one.message));
    }
    if write {
        apply_fixes::write(&options.top, &patch)?;
        for one in &patch.files {
            note(&format!("{}: {} fixes", one.path, one.fixes));
        }
    } else {
        print(&patch.unified())?;
        if patch.fixes() > 0 {
            note(&format!("{} fixes in {} files; --write makes them", patch.fixes(), patch.files.len()));
        }
    }
    if patch.fixes() == 0 {
        note("nothing here can be mended safely without you");
    }
    Ok(exit::GOOD)
}
