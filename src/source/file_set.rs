//! The files of a repository, independent of where they are stored.

use std::collections::BTreeMap;

/// A set of files that can be listed and read: a working tree, a commit, or files in memory.
pub trait FileSet {
    /// Returns every path relative to the top of the set, with `/` as separator, in byte order.
    fn paths(&self) -> Vec<&str>;

    /// Returns the first `max_bytes` bytes of a file, or `None` if it does not exist, is a symbolic link or can't be read.
    fn read(&self, path: &str, max_bytes: u64) -> Option<Vec<u8>>;

    /// Reports whether the set contains a file or link with this path.
    fn has(&self, path: &str) -> bool {
        self.paths().binary_search(&path).is_ok()
    }

    /// Returns the first `max_bytes` bytes of a file as text, with invalid UTF-8 replaced. Empty if it can't be read.
    fn text(&self, path: &str, max_bytes: u64) -> String {
        let bytes = self.read(path, max_bytes).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

/// Files in memory: the content by path.
impl FileSet for BTreeMap<String, Vec<u8>> {
    fn paths(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }

    fn read(&self, path: &str, max_bytes: u64) -> Option<Vec<u8>> {
        let content = self.get(path)?;
        let length = content.len().min(usize::try_from(max_bytes).unwrap_or(usize::MAX));
        Some(content[..length].to_vec())
    }

    fn has(&self, path: &str) -> bool {
        self.contains_key(path)
    }
}
