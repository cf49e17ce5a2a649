//! The dependencies that a repository declares: requirement files, projects, environments and locks. One module per format.

mod binder;
mod builder;
mod conda;
mod conda_lock;
mod explicit;
mod format;
pub mod image;
pub mod imports;
pub(super) mod node;
mod pdm;
mod pipfile;
mod pixi;
mod poetry;
mod pylock;
mod pyproject;
mod python;
mod requirement;
mod requirements;
mod setup_cfg;
mod setup_py;
mod spack;
mod uv;
pub mod wheel;

use std::collections::BTreeSet;

use builder::{File, InventoryBuilder};
use format::{FileName, Format, Lock};

pub use conda::is_exact as is_exact_conda;
pub use requirement::{marker, normalized};

use crate::model::digest::Digest;
use crate::model::document::LockFile;
use crate::model::inventory::{DeclaringFile, Inventory};
use crate::source::FileSet;
use crate::source::foreign::is_foreign;
use crate::source::lang::language::Language;

/// Maximum number of bytes read of a file.
const MAX_BYTES: u64 = 64 << 20;
/// Maximum number of declaring files read.
const MAX_FILES: usize = 2000;

/// Formats in the order in which they are tried on a file name.
static FORMATS: &[&Format] = &[
    &pipfile::FORMAT,
    &pipfile::LOCK,
    &conda_lock::FORMAT,
    &pdm::LOCK,
    &pixi::FORMAT,
    &pixi::LOCK,
    &poetry::LOCK,
    &pylock::LOCK,
    &pyproject::FORMAT,
    &python::RUNTIME,
    &python::VERSION_FILE,
    &setup_cfg::FORMAT,
    &setup_py::FORMAT,
    &spack::FORMAT,
    &spack::LOCK,
    &uv::LOCK,
    &requirements::CONSTRAINTS,
    &requirements::REQUIREMENTS,
    &explicit::FORMAT,
    &conda::FORMAT,
];

/// Returns everything that the files declare, each list sorted by file and line.
///
/// Never fails: a file that can't be read has an entry with the problem.
pub fn inventory(files: &dyn FileSet) -> Inventory {
    let mut builder = InventoryBuilder::new(files);
    let mut seen = BTreeSet::new();
    for path in files.paths().into_iter().filter(|path| !is_foreign(path)) {
        if let Some(format) = format(path) {
            read(path, format, &mut builder, &mut seen);
        }
        // Included files may have any name.
        while let Some(path) = builder.queue.pop_front() {
            read(&path, format(&path).unwrap_or(&requirements::REQUIREMENTS), &mut builder, &mut seen);
        }
    }
    let mut inventory = builder.inventory;
    inventory.images = image::all(files);
    inventory.binder = binder::files(files);
    inventory.files.sort_by(|a, b| a.path.cmp(&b.path));
    inventory.requirements.sort_by(|a, b| (&a.path, a.line, &a.name).cmp(&(&b.path, b.line, &b.name)));
    inventory.locked.sort_by(|a, b| (&a.path, a.line, &a.name).cmp(&(&b.path, b.line, &b.name)));
    inventory.pythons.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    inventory
}

fn read(path: &str, format: &Format, builder: &mut InventoryBuilder<'_>, seen: &mut BTreeSet<String>) {
    if seen.len() >= MAX_FILES || !seen.insert(path.to_owned()) {
        return;
    }
    let Some(bytes) = builder.files.read(path, MAX_BYTES + 1) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let format = match explicit::is_explicit(text) {
        true => &explicit::FORMAT,
        false if is_only_explicit(path) => return,
        false => format,
    };
    if bytes.len() as u64 > MAX_BYTES {
        builder.problem(format!("larger than {} MiB", MAX_BYTES >> 20));
    } else {
        (format.read)(&File { path, text }, builder);
    }
    let problem = builder.take_problem();
    builder.inventory.files.push(DeclaringFile {
        path: path.to_owned(),
        format: format.name.to_owned(),
        lock: format.is_lock(text),
        digest: Digest::of(&bytes),
        problem,
    });
}

/// Returns the file names of every format.
pub fn file_names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().flat_map(|format| format.file_names).copied()
}

/// Returns the language of a file by its path and the start of its content. Lock files are data and contain no code.
pub fn language(path: &str, head: &[u8]) -> Language {
    let is_lock = format(path).is_some_and(|format| matches!(format.lock, Lock::Always));
    if is_lock { Language::Data } else { Language::of(path, head) }
}

/// Returns the format of a file by its path. `None` if the file declares nothing.
fn format(path: &str) -> Option<&'static Format> {
    let file = FileName::new(path);
    let by_name = FORMATS.iter().find(|format| format.file_names.contains(&file.name));
    by_name.or_else(|| FORMATS.iter().find(|format| format.covers(&file))).copied()
}

/// Reports whether a file is to be skipped unless it is an explicit list of conda packages.
fn is_only_explicit(path: &str) -> bool {
    let file = FileName::new(path);
    explicit::FORMAT.covers(&file) && !FORMATS.iter().any(|format| format.file_names.contains(&file.name))
}

/// Returns the files that a document records, sorted by path, with their digests.
pub fn recorded_files(files: &dyn FileSet) -> Vec<LockFile> {
    let paths = files.paths().into_iter().filter(|path| is_recorded(path));
    paths
        .filter_map(|path| {
            let bytes = files.read(path, MAX_BYTES)?;
            Some(LockFile { path: path.to_owned(), digest: Digest::of(&bytes) })
        })
        .collect()
}

/// Reports whether the inventory reads a file with this path.
pub fn declares(path: &str) -> bool {
    !is_foreign(path) && format(path).is_some()
}

/// Reports whether a document records the digest of a file with this path.
fn is_recorded(path: &str) -> bool {
    let name = FileName::new(path).name;
    format(path).is_some_and(|format| (format.is_recorded)(name))
}

/// Reports whether a lock is generated from a declaration: `uv.lock` from `pyproject.toml`, `requirements.txt` from
/// `requirements.in`.
pub fn is_lock_of(lock: &str, declaration: &str) -> bool {
    let (file, declaration) = (FileName::new(lock), FileName::new(declaration));
    match format(lock) {
        Some(format) if matches!(format.lock, Lock::Always) && !format.file_names.is_empty() => {
            (format.is_locked_from)(declaration.name)
        }
        _ => file.stem == declaration.stem && declaration.extension == "in",
    }
}

#[cfg(test)]
mod tests;
