//! Searches for what a run left behind: processes, mounts, files, and objects of a Docker daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::engine::ask;

/// Processes whose arguments or environment contain `mark`.
pub(crate) fn processes(mark: &str) -> Vec<String> {
    let contains_mark = |file: PathBuf| {
        fs::read(file).is_ok_and(|bytes| bytes.windows(mark.len()).any(|window| window == mark.as_bytes()))
    };
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten().map(|entry| entry.path());
    entries
        .filter(|path| contains_mark(path.join("cmdline")) || contains_mark(path.join("environ")))
        .map(|path| {
            let arguments = fs::read(path.join("cmdline")).unwrap_or_default();
            format!("process {} {}", path.display(), String::from_utf8_lossy(&arguments).replace('\0', " "))
        })
        .collect()
}

/// Mounts whose line contains `mark`.
pub(crate) fn mounts(mark: &str) -> Vec<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").expect("/proc is mounted");
    text.lines().filter(|line| line.contains(mark)).map(|line| format!("mount {line}")).collect()
}

/// Names of the entries of a directory. A missing directory has none.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Entries of a directory whose names contain `mark`.
pub(crate) fn entries(directory: &Path, mark: &str) -> Vec<String> {
    let found = names(directory).into_iter().filter(|name| name.contains(mark));
    found.map(|name| format!("file {}", directory.join(name).display())).collect()
}

/// Temporary files and directories of runs on this machine whose names contain `mark`.
pub(crate) fn host_runs(mark: &str) -> Vec<String> {
    let temporary = std::env::temp_dir();
    let runs = temporary.join(format!("carnet-run-{}", nix::unistd::geteuid()));
    [entries(&temporary, mark), entries(&runs, mark)].concat()
}

/// Control groups whose names contain `mark`.
pub(crate) fn control_groups(mark: &str) -> Vec<String> {
    let directories = ["memory", "pids", "cpu", ""].map(|name| Path::new("/sys/fs/cgroup").join(name));
    directories.iter().flat_map(|directory| entries(directory, mark)).collect()
}

/// The lists of containers, volumes and saved states of a daemon that contain `mark`.
pub(crate) fn docker(host: &str, mark: &str) -> Vec<String> {
    let saved_states = "/images/json?filters=%7B%22label%22%3A%5B%22carnet.kept%22%5D%7D";
    let lists = ["/containers/json?all=true", "/volumes", saved_states].map(|path| ask(host, &[], path));
    lists.into_iter().filter(|list| list.contains(mark)).collect()
}

/// Repeats a search until it finds nothing, and returns what it still finds after a minute.
///
/// A killed process can be visible for a moment while the kernel removes it.
pub(crate) async fn wait_until_gone(search: impl Fn() -> Vec<String>) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let found = search();
        if found.is_empty() || Instant::now() > deadline {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
