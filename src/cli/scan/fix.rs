//! `carnet scan --fix`: the patch, printed or made.

use super::super::{CommandError, Outcome, print};
use crate::exit;
use crate::model::scan::Scan;
use crate::repo::{range, walk};
use crate::rules::fix::{Patch, patch};
use crate::run::scan::Options;
use crate::ui::{file, note};

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
        make(&patch, options)?;
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

fn make(patch: &Patch, options: &Options) -> Result<(), CommandError> {
    for one in &patch.files {
        let path = options.top.join(&one.path);
        // Between the scan and now somebody may have written to it.
        let mut now = Vec::new();
        let same = walk::read(&path, LARGEST, &mut now).is_ok() && now == one.before.as_bytes();
        if !same {
            note(&format!("{}: it was changed meanwhile and is left as it is", one.path));
            continue;
        }
        file::replace(&path, one.after.as_bytes())?;
        note(&format!("{}: {} fixes", one.path, one.fixes));
    }
    Ok(())
}
