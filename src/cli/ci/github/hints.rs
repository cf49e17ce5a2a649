//! Hints for cells that fail because of the GitHub runner.

use std::path::{Path, PathBuf};

use crate::model::document::{Cell, Document, Status};
use crate::model::matrix::Matrix;
use crate::sys::{bounded, environment};

/// The action that mounts /cvmfs, pinned to a reviewed release.
const CVMFS_ACTION: &str = "cvmfs-contrib/github-action-cvmfs@10197e000cc0add8e54ac4fb73d3ed44e2de72b4 # v5.5";

/// Free disk space in bytes that large analysis images need when unpacked.
const MIN_FREE_BYTES: u64 = 12 << 30;

/// Returns a warning if the check pulls images and the disk may be too small for them.
pub(super) fn low_disk_space(matrix: &Matrix) -> Option<String> {
    let pulled = matrix.cells.iter().filter(|cell| cell.pull.is_some()).count();
    let dir = ["/var/lib/docker", "/"].into_iter().find(|dir| Path::new(dir).is_dir())?;
    let stat = rustix::fs::statvfs(dir).ok().filter(|_| pulled > 0)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    (free < MIN_FREE_BYTES).then(|| {
        format!(
            "only {} GB of disk space is free for images; if they do not fit, run each facility in its own job (mode \
             `plan`), or remove unused software from the runner",
            free >> 30
        )
    })
}

/// Reports whether a directory exists and its file system responds.
fn is_mounted(path: &str) -> bool {
    let path = PathBuf::from(path);
    bounded::within(bounded::FILE_SYSTEM, move || path.is_dir()).unwrap_or(false)
}

/// Adds hints about missing mounts and containers to the cells that did not pass.
pub(super) fn add(document: &mut Document, matrix: &Matrix, in_place: bool) {
    let in_container = is_in_container();
    for cell in document.cells.iter_mut().filter(|cell| matches!(cell.status, Status::Failed | Status::Error)) {
        let planned = matrix.cells.iter().find(|planned| planned.id == cell.id);
        let missing = planned.and_then(|planned| planned.needs.iter().find(|need| !is_mounted(need)));
        if let Some(missing) = missing {
            cell.hint = Some(missing_mount(missing, in_container));
        } else if cell.status == Status::Error && in_container && !in_place {
            cell.hint = Some(in_container_hint(cell));
        }
    }
}

fn missing_mount(mount: &str, in_container: bool) -> String {
    match (mount, in_container) {
        ("/cvmfs", false) => {
            format!("/cvmfs is not mounted on this runner; add the step `uses: {CVMFS_ACTION}` before this one")
        }
        ("/cvmfs", true) => {
            "/cvmfs is not mounted in this container; remove `container:` from the job and add a step that mounts /cvmfs \
             before this one, or use a runner with /cvmfs and mount it into the container"
                .to_owned()
        }
        (mount, _) => {
            format!("{mount} is not mounted on this runner; use a runner with this mount, or data that is available everywhere")
        }
    }
}

fn in_container_hint(cell: &Cell) -> String {
    let before = cell.hint.as_ref().map(|hint| format!("{hint}; ")).unwrap_or_default();
    format!("{before}this job runs in a container; use `engine: none` to run the cell in it")
}

/// Reports whether the job has `container:`. The runner then mounts the workspace at another path, which it does not do if
/// the runner itself is a container.
fn is_in_container() -> bool {
    environment::var_os("GITHUB_WORKSPACE").is_some_and(|path| Path::new(&path).starts_with("/__w"))
}

#[cfg(test)]
mod tests {
    use super::missing_mount;

    #[test]
    fn hint_names_cvmfs_action_on_runners_without_container() {
        let on_host = missing_mount("/cvmfs", false);
        assert!(on_host.contains("uses: cvmfs-contrib/github-action-cvmfs@") && on_host.ends_with("before this one"));
        assert!(missing_mount("/cvmfs", true).contains("remove `container:`"));
        assert!(missing_mount("/eos", false).contains("/eos"));
    }
}
