//! What a job of GitHub Actions lacks that a cell needs, and the step that brings it.

use std::path::Path;

use crate::model::document::{Cell, Document, Status};
use crate::model::matrix::Matrix;

/// The action that brings /cvmfs, at a release that was read.
pub(super) const CVMFS: &str = "cvmfs-contrib/github-action-cvmfs@10197e000cc0add8e54ac4fb73d3ed44e2de72b4 # v5.5";

/// Bytes of disk below which an image may not fit: large ones of analyses take this much unpacked.
const ROOM: u64 = 12 << 30;

/// What to say when images are to be pulled and there is little room for them.
pub(super) fn tight(matrix: &Matrix) -> Option<String> {
    let pulled = matrix.cells.iter().filter(|cell| cell.pull.is_some()).count();
    let dir = ["/var/lib/docker", "/"].into_iter().find(|dir| Path::new(dir).is_dir())?;
    let stat = rustix::fs::statvfs(dir).ok().filter(|_| pulled > 0)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    (free < ROOM).then(|| {
        format!(
            "{} GB are free for images; when they don't fit, give every facility its own job (mode plan), or remove from \
             the runner what this job doesn't need",
            free >> 30
        )
    })
}

/// Gives cells that did not pass the step or setting that they lack as a hint.
pub(super) fn explain(document: &mut Document, matrix: &Matrix, in_place: bool) {
    let contained = is_contained();
    for cell in document.cells.iter_mut().filter(|cell| matches!(cell.status, Status::Failed | Status::Error)) {
        let planned = matrix.cells.iter().find(|planned| planned.id == cell.id);
        let absent = planned.and_then(|planned| planned.needs.iter().find(|need| !Path::new(need).is_dir()));
        if let Some(absent) = absent {
            cell.hint = Some(lacking(absent, contained));
        } else if cell.status == Status::Error && contained && !in_place {
            cell.hint = Some(within(cell));
        }
    }
}

fn lacking(top: &str, contained: bool) -> String {
    match (top, contained) {
        ("/cvmfs", false) => {
            format!("it needs /cvmfs, which is not here: put the step `uses: {CVMFS}` before this one")
        }
        ("/cvmfs", true) => {
            "it needs /cvmfs, which is not in this container: take `container:` off the job and put the \
                             step that brings /cvmfs before this one, or mount /cvmfs on a runner that has it"
                .to_owned()
        }
        (other, _) => {
            format!("it needs {other}, which is not here: use a runner that has it, or data that every place can reach")
        }
    }
}

fn within(cell: &Cell) -> String {
    let before = cell.hint.as_ref().map(|hint| format!("{hint}; ")).unwrap_or_default();
    format!("{before}this job runs in a container: with `engine: none` the cell runs in it as it is")
}

/// Whether this job has `container:`: the runner shows it the workspace at a path of its own. A runner that is itself a
/// container, as those in a cluster are, has none of it.
fn is_contained() -> bool {
    std::env::var_os("GITHUB_WORKSPACE").is_some_and(|path| Path::new(&path).starts_with("/__w"))
}

#[cfg(test)]
mod tests {
    use super::lacking;

    #[test]
    fn the_step_that_brings_cvmfs_is_named_where_it_can_stand() {
        let on_host = lacking("/cvmfs", false);
        assert!(on_host.contains("uses: cvmfs-contrib/github-action-cvmfs@") && on_host.ends_with("before this one"));
        assert!(lacking("/cvmfs", true).contains("take `container:` off"));
        assert!(lacking("/eos", false).contains("/eos"));
    }
}
