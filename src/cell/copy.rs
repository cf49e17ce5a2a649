//! The temporary copy of the analysis in which tests run.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Maximum number of entries copied.
const MAX_ENTRIES: u64 = 5_000_000;
/// Maximum depth of nested directories.
const MAX_DEPTH: usize = 512;

/// An error when copying the analysis: an infrastructure error.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    /// An entry can't be copied.
    #[error("failed to copy `{path}`")]
    Entry {
        /// Path relative to the analysis.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// There are too many entries.
    #[error("the analysis has more than {MAX_ENTRIES} files")]
    Entries,
    /// Directories are nested too deeply.
    #[error("`{0}` is more than {MAX_DEPTH} directories deep")]
    Depth(PathBuf),
}

/// Copies everything under `source` to `work` if `work` is empty. Reports whether it copied.
///
/// The copy preserves the content and mode of regular files, the targets of symbolic links and the mode of directories.
/// Everything belongs to the user of this process, who may write to it. Sockets, pipes and devices are skipped. After an
/// error `work` is empty, because a later phase would use an incomplete copy.
///
/// # Errors
/// Fails if an entry can't be copied, if there are too many entries or if directories are nested too deeply.
pub(super) fn tree(source: &Path, work: &Path) -> Result<bool, CopyError> {
    if fs::read_dir(work).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(false);
    }
    fs::create_dir_all(work).map_err(|source| CopyError::Entry { path: PathBuf::from("."), source })?;
    let copied = Copy { source, work, entries: 0 }.run();
    if copied.is_err() {
        empty(work);
    }
    copied.map(|()| true)
}

struct Copy<'a> {
    source: &'a Path,
    work: &'a Path,
    entries: u64,
}

impl Copy<'_> {
    fn run(&mut self) -> Result<(), CopyError> {
        let mut pending = vec![PathBuf::new()];
        while let Some(dir) = pending.pop() {
            if dir.components().count() > MAX_DEPTH {
                return Err(CopyError::Depth(dir));
            }
            let shown = if dir.as_os_str().is_empty() { Path::new(".") } else { &dir };
            let failed = |source| CopyError::Entry { path: shown.to_owned(), source };
            for entry in fs::read_dir(self.source.join(&dir)).map_err(failed)? {
                let path = dir.join(entry.map_err(failed)?.file_name());
                self.entries += 1;
                if self.entries > MAX_ENTRIES {
                    return Err(CopyError::Entries);
                }
                if self.entry(&path).map_err(|source| CopyError::Entry { path: path.clone(), source })? {
                    pending.push(path);
                }
            }
        }
        Ok(())
    }

    /// Copies one entry. Reports whether it is a directory, whose entries are not copied yet.
    fn entry(&self, path: &Path) -> io::Result<bool> {
        let (from, to) = (self.source.join(path), self.work.join(path));
        let metadata = fs::symlink_metadata(&from)?;
        let kind = metadata.file_type();
        if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
        } else if kind.is_dir() {
            fs::create_dir(&to)?;
            set_mode(&to, &metadata, 0o700)?;
        } else if kind.is_file() {
            // Shares the blocks within one file system that supports it.
            fs::copy(&from, &to)?;
            set_mode(&to, &metadata, 0o600)?;
        }
        Ok(kind.is_dir())
    }
}

/// Sets the mode of the original with `bits` added and without set-user-ID and set-group-ID.
fn set_mode(path: &Path, original: &Metadata, bits: u32) -> io::Result<()> {
    let mode = original.permissions().mode() & 0o777 | bits;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn empty(work: &Path) {
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        // An entry that can't be removed is removed with the container.
        let _ = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::tree;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).expect("is there").permissions().mode() & 0o7777
    }

    #[test]
    fn copy_preserves_modes_links_and_empty_directories() {
        let dir = tempfile::tempdir().expect("a directory");
        let (source, work) = (dir.path().join("in"), dir.path().join("work"));
        fs::create_dir_all(source.join("a/empty")).expect("made");
        fs::write(source.join("a/run.sh"), "x").expect("written");
        fs::set_permissions(source.join("a/run.sh"), fs::Permissions::from_mode(0o4555)).expect("set");
        symlink("nowhere/at all", source.join("link")).expect("linked");
        fs::set_permissions(source.join("a"), fs::Permissions::from_mode(0o555)).expect("set");

        assert!(tree(&source, &work).expect("copied"));
        assert_eq!(mode(&work.join("a/run.sh")), 0o755);
        assert_eq!(mode(&work.join("a")), 0o755);
        assert!(work.join("a/empty").is_dir());
        assert_eq!(fs::read_link(work.join("link")).expect("a link"), Path::new("nowhere/at all"));
        assert!(!tree(&source, &work).expect("already copied"));
    }

    #[test]
    fn error_names_the_path_and_leaves_no_files() {
        let dir = tempfile::tempdir().expect("a directory");
        let (source, work) = (dir.path().join("in"), dir.path().join("work"));
        fs::create_dir_all(&source).expect("made");
        fs::write(source.join("a"), "x").expect("written");
        // Deeper than the cap, below a path that the kernel still takes.
        let mut deep = source.clone();
        for _ in 0..600 {
            deep.push("d");
        }
        fs::create_dir_all(&deep).expect("made");
        let error = tree(&source, &work).expect_err("too deep");
        assert!(error.to_string().contains("is more than 512 directories deep"), "{error}");
        assert_eq!(fs::read_dir(&work).expect("there").count(), 0);
        assert!(tree(&dir.path().join("missing"), &work).is_err());
    }
}
