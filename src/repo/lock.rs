//! Lock and requirement files that a repository has.

use crate::model::digest::Digest;
use crate::model::document::LockFile;
use crate::repo::tree::Listing;

/// Names of files that lock or declare an environment, wherever they lie.
const NAMES: &[&str] = &[
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

/// Largest file that is read.
const CAP: u64 = 64 << 20;

/// The lock and requirement files, sorted by path, with their digests.
pub fn files(listing: &Listing) -> Vec<LockFile> {
    let paths = listing.paths().filter(|path| is_lock(path));
    paths
        .filter_map(|path| {
            let bytes = listing.head(path, CAP)?;
            Some(LockFile { path: path.to_owned(), digest: Digest::of(&bytes) })
        })
        .collect()
}

/// What the repository declares.
pub fn inventory(files: &super::detect::Files<'_>) -> crate::model::inventory::Inventory {
    let _ = files;
    crate::model::inventory::Inventory::default()
}

/// Whether a file of this path locks or declares an environment.
pub fn is_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let requirements = name.starts_with("requirements") && (name.ends_with(".txt") || name.ends_with(".lock"));
    requirements || NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{NAMES, is_lock};

    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn lock_files_are_known_by_name() {
        for path in
            ["requirements.txt", "env/requirements-dev.txt", "sub/uv.lock", "environment.yml", "requirements.lock"]
        {
            assert!(is_lock(path), "{path}");
        }
        for path in ["my-requirements.md", "uv.lock.bak", "data/lock"] {
            assert!(!is_lock(path), "{path}");
        }
    }
}
