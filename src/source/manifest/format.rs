//! The description of a file format: its name, the files it covers and the function that reads them.

use super::builder::{File, InventoryBuilder};

/// A format of files that declare or lock dependencies.
pub(super) struct Format {
    /// Name in the inventory: `uv-lock`.
    pub(super) name: &'static str,
    /// File names of the format.
    pub(super) file_names: &'static [&'static str],
    /// Reports whether a file with another name belongs to the format.
    pub(super) matches: fn(&FileName<'_>) -> bool,
    /// Whether files of the format are locks.
    pub(super) lock: Lock,
    /// Reports whether a document records the digest of a file, by its name.
    pub(super) is_recorded: fn(&str) -> bool,
    /// Reports whether a lock of this format is generated from a file, by the file's name.
    pub(super) is_locked_from: fn(&str) -> bool,
    /// Reads a file into the inventory.
    pub(super) read: fn(&File<'_>, &mut InventoryBuilder<'_>),
}

/// Whether files of a format are locks.
#[derive(Clone, Copy)]
pub(super) enum Lock {
    /// Every file is a lock.
    Always,
    /// No file is a lock.
    Never,
    /// Depends on the content.
    If(fn(&str) -> bool),
}

impl Format {
    /// A format whose files declare dependencies and are recorded in documents.
    pub(super) const fn declaration(
        name: &'static str,
        file_names: &'static [&'static str],
        read: fn(&File<'_>, &mut InventoryBuilder<'_>),
    ) -> Self {
        Self {
            name,
            file_names,
            matches: |_| false,
            lock: Lock::Never,
            is_recorded: |_| true,
            is_locked_from: |_| false,
            read,
        }
    }

    /// A format whose files are locks and are recorded in documents.
    pub(super) const fn lock(
        name: &'static str,
        file_names: &'static [&'static str],
        is_locked_from: fn(&str) -> bool,
        read: fn(&File<'_>, &mut InventoryBuilder<'_>),
    ) -> Self {
        Self { lock: Lock::Always, is_locked_from, ..Self::declaration(name, file_names, read) }
    }

    /// Reports whether a file belongs to the format by its path.
    pub(super) fn covers(&self, file: &FileName<'_>) -> bool {
        self.file_names.contains(&file.name) || (self.matches)(file)
    }

    /// Reports whether a file with this content is a lock.
    pub(super) fn is_lock(&self, text: &str) -> bool {
        match self.lock {
            Lock::Always => true,
            Lock::Never => false,
            Lock::If(is_lock) => is_lock(text),
        }
    }
}

/// The parts of a path that formats are recognized by.
pub(super) struct FileName<'a> {
    /// The directory, empty at the top.
    pub(super) dir: &'a str,
    /// The file name.
    pub(super) name: &'a str,
    /// The file name up to its last dot.
    pub(super) stem: &'a str,
    /// The part after the last dot, empty if there is none.
    pub(super) extension: &'a str,
}

impl<'a> FileName<'a> {
    /// Splits a path.
    pub(super) fn new(path: &'a str) -> Self {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        Self { dir, name, stem, extension }
    }

    /// Reports whether the stem contains one of these words.
    pub(super) fn has_word(&self, words: &[&str]) -> bool {
        self.words().any(|word| words.contains(&word))
    }

    /// The words of the stem.
    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> {
        self.stem.split(['-', '_', '.'])
    }
}
