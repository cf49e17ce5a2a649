//! The disk limit of a run on this machine.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two measurements, in addition to the duration of one.
const INTERVAL: Duration = Duration::from_millis(500);

/// The directories with the files of a run, and the limit of their size.
#[derive(Debug)]
pub(super) struct DiskLimit {
    /// Maximum number of bytes.
    pub(super) max_bytes: u64,
    /// The directories.
    pub(super) dirs: Vec<PathBuf>,
}

impl DiskLimit {
    /// Returns when the directories contain more than the limit. Files that a program deleted and still has open do not count.
    pub(super) async fn exceeded(self) {
        let Self { max_bytes, dirs } = self;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let measured = dirs.clone();
            let measure = move || measured.iter().map(|dir| size(dir)).fold(0, u64::saturating_add);
            if tokio::task::spawn_blocking(measure).await.is_ok_and(|bytes| bytes > max_bytes) {
                return;
            }
        }
    }
}

/// Returns the size of a directory on the disk in bytes. Directories that can't be read count as empty.
fn size(dir: &Path) -> u64 {
    let (mut bytes, mut open) = (0_u64, vec![dir.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
            // The entry itself, not the target of a link.
            let Ok(data) = entry.metadata() else { continue };
            bytes = bytes.saturating_add(data.blocks().saturating_mul(512));
            if data.is_dir() {
                open.push(entry.path());
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn size_counts_blocks_and_follows_no_link() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("sub")).expect("a directory");
        std::os::unix::fs::symlink("/usr", dir.path().join("link")).expect("a link");
        let sparse = std::fs::File::create(dir.path().join("sub/sparse")).expect("a file");
        sparse.set_len(1 << 30).expect("a size");
        let empty = size(dir.path());
        std::fs::write(dir.path().join("sub/file"), vec![1; 1 << 20]).expect("a file");
        assert!((1 << 20..2 << 20).contains(&(size(dir.path()) - empty)), "{empty}");
        assert!(empty < 1 << 20, "{empty}");
    }
}
