//! Digests of the files that a plan names as inputs or outputs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rustix::fs::{Mode, OFlags};

use crate::model::cell::FileDigest;
use crate::model::digest::Digest;
use crate::model::known::Known;
use crate::model::limit::MAX_FILES;

/// Maximum number of entries read for one pattern.
const MAX_ENTRIES: usize = 2_000_000;
/// Maximum size in bytes of a file that is hashed.
const MAX_BYTES: u64 = 256 << 30;

/// The reason why a file has no digest.
#[derive(Debug, thiserror::Error)]
enum DigestError {
    #[error("not a path inside the analysis")]
    Outside,
    #[error("not found")]
    NotFound,
    #[error("no file matches")]
    NoMatch,
    #[error("{0}")]
    InvalidPattern(globset::ErrorKind),
    #[error("{}: {error}", dir.display())]
    ReadDir { dir: PathBuf, error: io::Error },
    #[error("more than {MAX_ENTRIES} entries to search")]
    TooManyEntries,
    #[error("more than {MAX_FILES} files")]
    TooManyFiles,
    #[error("symbolic link out of the analysis")]
    LinkOutside,
    #[error("{0} bytes exceed the maximum of {MAX_BYTES}")]
    TooLarge(u64),
    #[error(transparent)]
    Read(#[from] io::Error),
}

/// Returns the digests of the files under `work` that match the patterns, sorted by path.
///
/// A pattern is a path or a glob, in which `*` does not cross directories and `**` does. A directory means all files
/// below it. The result also lists missing files, patterns without a match and unreadable files, with the reason for the
/// missing digest. A symbolic link is followed if its target is under `work`.
pub(super) fn digests(work: &Path, patterns: &[String]) -> Vec<FileDigest> {
    let Ok(root) = fs::canonicalize(work) else {
        return patterns.iter().map(|pattern| unknown(pattern, "analysis not found".to_owned())).collect();
    };
    let mut found: BTreeMap<String, Result<PathBuf, DigestError>> = BTreeMap::new();
    for pattern in patterns {
        match files(&root, pattern) {
            Ok(paths) => found.extend(paths.into_iter().map(|path| (path.to_string_lossy().into_owned(), Ok(path)))),
            Err(error) => {
                found.entry(pattern.clone()).or_insert(Err(error));
            }
        }
    }
    let mut digests = Vec::new();
    // The first file that is not hashed states that files were left out.
    for (index, (name, path)) in found.into_iter().take(MAX_FILES + 1).enumerate() {
        let hashed = match path {
            _ if index >= MAX_FILES => Err(DigestError::TooManyFiles),
            Ok(path) => hash(&root, &path),
            Err(error) => Err(error),
        };
        digests.push(match hashed {
            Ok((digest, bytes)) => FileDigest { path: name, digest: Known::Known(digest), bytes },
            Err(error) => unknown(&name, error.to_string()),
        });
    }
    digests
}

fn unknown(path: &str, reason: String) -> FileDigest {
    FileDigest { path: path.to_owned(), digest: Known::Unknown(reason), bytes: 0 }
}

/// Returns the files that match a pattern, relative to `root`.
fn files(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, DigestError> {
    let plain = pattern.trim_start_matches("./").trim_end_matches('/');
    let path = Path::new(plain);
    if path.is_absolute() || path.components().any(|part| part.as_os_str() == "..") {
        return Err(DigestError::Outside);
    }
    // A file name may contain glob characters, so an exact match takes precedence.
    if let Ok(metadata) = fs::symlink_metadata(root.join(path)) {
        return if metadata.is_dir() { Ok(walk(root, path, None)?) } else { Ok(vec![path.to_owned()]) };
    }
    if !plain.contains(['*', '?', '[', '{']) {
        return Err(DigestError::NotFound);
    }
    let glob = GlobBuilder::new(plain).literal_separator(true).build();
    let glob = glob.map_err(|error| DigestError::InvalidPattern(error.kind().clone()))?;
    let paths = walk(root, Path::new(""), Some(&glob.compile_matcher()))?;
    if paths.is_empty() { Err(DigestError::NoMatch) } else { Ok(paths) }
}

/// Returns every file below `dir`, without following symbolic links.
fn walk(root: &Path, dir: &Path, glob: Option<&GlobMatcher>) -> Result<Vec<PathBuf>, DigestError> {
    let mut found = Vec::new();
    let mut seen = 0;
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        let entries = match fs::read_dir(root.join(&dir)) {
            Ok(entries) => entries,
            Err(error) => return Err(DigestError::ReadDir { dir, error }),
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MAX_ENTRIES {
                return Err(DigestError::TooManyEntries);
            }
            let path = dir.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push(path);
            } else if glob.is_none_or(|glob| glob.is_match(&path)) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn hash(root: &Path, path: &Path) -> Result<(Digest, u64), DigestError> {
    let full = fs::canonicalize(root.join(path))?;
    if !full.starts_with(root) {
        return Err(DigestError::LinkOutside);
    }
    let file = open_regular(&full)?;
    let bytes = file.metadata()?.len();
    if bytes > MAX_BYTES {
        return Err(DigestError::TooLarge(bytes));
    }
    // Some file systems report a wrong size.
    Ok(Digest::of_reader(io::Read::take(file, MAX_BYTES))?)
}

/// Opens a regular file for reading. Never blocks on a pipe or a device and does not follow a link at the end.
///
/// # Errors
/// Fails if the file can't be opened or is not a regular file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::digests;

    #[test]
    fn digests_include_matches_and_reasons_for_missing_files() {
        let dir = tempfile::tempdir().expect("a directory");
        let work = dir.path().join("work");
        fs::create_dir_all(work.join("out/deep")).expect("made");
        fs::write(work.join("out/a.json"), "a").expect("written");
        fs::write(work.join("out/deep/b.json"), "b").expect("written");
        fs::write(work.join("odd[1].txt"), "c").expect("written");
        fs::write(dir.path().join("secret"), "s").expect("written");
        symlink("../secret", work.join("leak")).expect("linked");
        symlink("out/a.json", work.join("inside")).expect("linked");
        symlink("..", work.join("up")).expect("linked");
        rustix::fs::mknodat(rustix::fs::CWD, work.join("pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .expect("a pipe");
        let patterns = [
            "out/*.json",
            "out/deep",
            "odd[1].txt",
            "leak",
            "inside",
            "pipe",
            "none.txt",
            "*.none",
            "/etc/passwd",
            "../secret",
            "up/secret",
            "[",
        ];
        let found = digests(&work, &patterns.map(str::to_owned));
        let shown: Vec<String> = found
            .iter()
            .map(|file| match (file.digest.get(), file.digest.reason()) {
                (Some(digest), _) => format!("{} {} {}", file.path, digest.short(), file.bytes),
                (None, reason) => format!("{}: {}", file.path, reason.unwrap_or_default()),
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        *.none: no file matches
        ../secret: not a path inside the analysis
        /etc/passwd: not a path inside the analysis
        [: unclosed character class; missing ']'
        inside ca978112ca1b 1
        leak: symbolic link out of the analysis
        none.txt: not found
        odd[1].txt 2e7d2c03a950 1
        out/a.json ca978112ca1b 1
        out/deep/b.json 3e23e8160039 1
        pipe: not a regular file
        up/secret: symbolic link out of the analysis
        ");
    }
}
