//! What a repository declares that it needs: requirement files, projects, environments and their locks, one format a file.

mod binder;
mod conda;
mod conda_lock;
mod explicit;
mod found;
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

use found::{File, Found};

pub use conda::asks_exactly as is_exact_conda;
pub use requirement::{marker, normalized};

use crate::model::digest::Digest;
use crate::model::document::LockFile;
use crate::model::inventory::{DeclaringFile, Inventory};
use crate::source::FileSet;

/// Largest file that is read.
const CAP: u64 = 64 << 20;
/// Most declaring files that are read.
const MOST_FILES: usize = 2000;

/// Directories that hold what somebody else declared.
const FOREIGN: &[&str] = &["node_modules", "site-packages", "venv", ".venv", ".git", ".tox", ".pixi"];

/// A format of files that declare or lock something.
#[derive(Clone, Copy)]
struct Format {
    name: &'static str,
    lock: Lock,
    read: fn(&File<'_>, &mut Found<'_>),
}

/// Whether files of a format are locks.
#[derive(Clone, Copy)]
enum Lock {
    Yes,
    No,
    /// The content says.
    When(fn(&str) -> bool),
}

/// Formats by the name of the file, sorted.
const NAMED: &[(&str, Format)] = &[
    (".python-version", Format { name: "python-version", lock: Lock::No, read: python::version_file }),
    ("Pipfile", Format { name: "pipfile", lock: Lock::No, read: pipfile::read }),
    ("Pipfile.lock", Format { name: "pipfile-lock", lock: Lock::Yes, read: pipfile::read_lock }),
    ("conda-lock.yaml", Format { name: "conda-lock", lock: Lock::Yes, read: conda_lock::read }),
    ("conda-lock.yml", Format { name: "conda-lock", lock: Lock::Yes, read: conda_lock::read }),
    ("pdm.lock", Format { name: "pdm-lock", lock: Lock::Yes, read: pdm::read_lock }),
    ("pixi.lock", Format { name: "pixi-lock", lock: Lock::Yes, read: pixi::read_lock }),
    ("pixi.toml", Format { name: "pixi", lock: Lock::No, read: pixi::read }),
    ("poetry.lock", Format { name: "poetry-lock", lock: Lock::Yes, read: poetry::read_lock }),
    ("pylock.toml", PYLOCK),
    ("pyproject.toml", Format { name: "pyproject", lock: Lock::No, read: pyproject::read }),
    ("runtime.txt", Format { name: "runtime", lock: Lock::No, read: python::runtime }),
    ("setup.cfg", Format { name: "setup-cfg", lock: Lock::No, read: setup_cfg::read }),
    ("setup.py", Format { name: "setup-py", lock: Lock::No, read: setup_py::read }),
    ("spack.lock", Format { name: "spack-lock", lock: Lock::Yes, read: spack::read_lock }),
    ("spack.yaml", Format { name: "spack", lock: Lock::No, read: spack::read }),
    ("uv.lock", Format { name: "uv-lock", lock: Lock::Yes, read: uv::read }),
];

const REQUIREMENTS: Format =
    Format { name: "requirements", lock: Lock::When(requirements::is_lock), read: requirements::read };
const CONSTRAINTS: Format = Format { name: "constraints", ..REQUIREMENTS };
const CONDA: Format = Format { name: "conda-environment", lock: Lock::When(conda::is_lock), read: conda::read };
const EXPLICIT: Format = Format { name: "conda-explicit", lock: Lock::Yes, read: explicit::read };
const PYLOCK: Format = Format { name: "pylock", lock: Lock::Yes, read: pylock::read };

/// Everything that the files declare, each list sorted by file and line. Never fails: what can't be read is told with its file.
pub fn inventory(files: &dyn FileSet) -> Inventory {
    let mut found = Found::new(files);
    let mut seen = BTreeSet::new();
    let paths = files.paths();
    let candidates: Vec<&str> = paths.iter().copied().filter(|path| !is_foreign(path)).collect();
    for path in candidates {
        if let Some(format) = format(path) {
            read(path, format, &mut found, &mut seen);
        }
        // Files that this one includes are named in any way.
        while let Some(path) = found.queue.pop_front() {
            read(&path, format(&path).unwrap_or(REQUIREMENTS), &mut found, &mut seen);
        }
    }
    let mut inventory = found.inventory;
    inventory.images = image::places(files);
    inventory.binder = binder::files(files);
    inventory.files.sort_by(|a, b| a.path.cmp(&b.path));
    inventory.requirements.sort_by(|a, b| (&a.path, a.line, &a.name).cmp(&(&b.path, b.line, &b.name)));
    inventory.locked.sort_by(|a, b| (&a.path, a.line, &a.name).cmp(&(&b.path, b.line, &b.name)));
    inventory.pythons.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    inventory
}

fn read(path: &str, format: Format, found: &mut Found<'_>, seen: &mut BTreeSet<String>) {
    if seen.len() >= MOST_FILES || !seen.insert(path.to_owned()) {
        return;
    }
    let Some(bytes) = found.files.read(path, CAP + 1) else { return };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_explicit = text.lines().any(|line| line.trim() == "@EXPLICIT");
    let format = if is_explicit { EXPLICIT } else { format };
    if is_maybe(path) && !is_explicit {
        return;
    }
    let too_large = bytes.len() as u64 > CAP;
    if too_large {
        found.problem(format!("it is larger than {} MiB", CAP >> 20));
    } else {
        (format.read)(&File { path, text }, found);
    }
    let lock = match format.lock {
        Lock::Yes => true,
        Lock::No => false,
        Lock::When(is_lock) => is_lock(text),
    };
    let problem = found.take_problem();
    let digest = Digest::of(&bytes);
    let file = DeclaringFile { path: path.to_owned(), format: format.name.to_owned(), lock, digest, problem };
    found.inventory.files.push(file);
}

/// The format of a file by its path; none when it declares nothing.
fn format(path: &str) -> Option<Format> {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Ok(at) = NAMED.binary_search_by(|(have, _)| (*have).cmp(name)) {
        return Some(NAMED[at].1);
    }
    let (stem, extension) = name.rsplit_once('.')?;
    let words: Vec<&str> = stem.split(['-', '_', '.']).collect();
    match extension {
        "txt" | "in" | "lock" | "pip"
            if words.iter().any(|word| matches!(*word, "requirements" | "requirement" | "reqs")) =>
        {
            Some(REQUIREMENTS)
        }
        "txt" | "in" if words.iter().any(|word| matches!(*word, "constraints" | "constraint")) => Some(CONSTRAINTS),
        "txt" | "in" if dir.rsplit('/').next() == Some("requirements") => Some(REQUIREMENTS),
        "txt" | "lock" if is_maybe(path) => Some(EXPLICIT),
        "yml" | "yaml" if words.contains(&"lock") && words.contains(&"conda") => {
            Some(Format { name: "conda-lock", lock: Lock::Yes, read: conda_lock::read })
        }
        "yml" | "yaml" if is_conda_name(&words, dir) => Some(CONDA),
        "toml" if words.first() == Some(&"pylock") => Some(PYLOCK),
        _ => None,
    }
}

/// Whether only the content can tell that it is an explicit list of conda packages.
fn is_maybe(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, "txt" | "lock")) = name.rsplit_once('.') else { return false };
    let words = ["conda", "explicit", "spec", "linux-64", "osx-64", "osx-arm64", "linux-aarch64"];
    words.iter().any(|word| stem.contains(word))
        && !stem.contains("requirement")
        && !stem.contains("constraint")
        && NAMED.binary_search_by(|(have, _)| (*have).cmp(name)).is_err()
}

/// Whether a YAML file is an environment of conda by its name: `environment.yml`, `env-dev.yaml`, `conda_env.yml`.
fn is_conda_name(words: &[&str], dir: &str) -> bool {
    let is_ci = dir.starts_with(".github");
    !is_ci && words.iter().any(|word| matches!(*word, "environment" | "env" | "conda" | "condaenv"))
}

fn is_foreign(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(dir, _)| dir.split('/').any(|part| FOREIGN.contains(&part)))
}

/// The lock and requirement files, sorted by path, with their digests.
pub fn files(files: &dyn FileSet) -> Vec<LockFile> {
    let paths = files.paths().into_iter().filter(|path| is_lock(path));
    paths
        .filter_map(|path| {
            let bytes = files.read(path, CAP)?;
            Some(LockFile { path: path.to_owned(), digest: Digest::of(&bytes) })
        })
        .collect()
}

/// Names of files that the document lists, wherever they lie.
const LISTED: &[&str] = &[
    "Pipfile",
    "Pipfile.lock",
    "conda-lock.yml",
    "environment.yaml",
    "environment.yml",
    "pdm.lock",
    "pixi.lock",
    "pixi.toml",
    "poetry.lock",
    "pylock.toml",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "spack.lock",
    "spack.yaml",
    "uv.lock",
];

/// Whether the inventory reads a file of this path.
pub fn declares(path: &str) -> bool {
    !is_foreign(path) && format(path).is_some()
}

/// Whether a file of this path locks or declares an environment.
pub fn is_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let requirements = name.starts_with("requirements") && (name.ends_with(".txt") || name.ends_with(".lock"));
    requirements || LISTED.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests;
