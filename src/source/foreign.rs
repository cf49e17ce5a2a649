//! Directories that are not part of the analysis.

/// Directories with installed packages, third-party code or caches. Sorted.
const FOREIGN: &[&str] = &[
    ".eggs",
    ".git",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pixi",
    ".pytest_cache",
    ".ruff_cache",
    ".snakemake",
    ".tox",
    ".venv",
    "3rdparty",
    "__pycache__",
    "node_modules",
    "site-packages",
    "third_party",
    "vendor",
    "venv",
];

/// Directories that may contain code of the analysis, but not its tests: build output and other projects. Sorted.
const WITHOUT_TESTS: &[&str] = &["build", "dist", "env", "extern", "external"];

/// Reports whether a directory with this name is not part of the analysis.
pub fn is_foreign_directory(name: &str) -> bool {
    FOREIGN.binary_search(&name).is_ok()
}

/// Reports whether a file is in a directory that is not part of the analysis.
pub fn is_foreign(path: &str) -> bool {
    directories(path).any(is_foreign_directory)
}

/// Reports whether a file is in a directory without tests of the analysis: a foreign directory, a hidden directory, build
/// output or another project.
pub fn is_without_tests(path: &str) -> bool {
    let is_without = |name: &str| name.starts_with('.') || WITHOUT_TESTS.binary_search(&name).is_ok();
    directories(path).any(|name| is_foreign_directory(name) || is_without(name))
}

/// Returns the names of the directories of a path.
fn directories(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit_once('/').into_iter().flat_map(|(directories, _)| directories.split('/'))
}

#[cfg(test)]
mod tests {
    use super::{FOREIGN, WITHOUT_TESTS, is_foreign, is_without_tests};

    #[test]
    fn directories_are_sorted() {
        assert!(FOREIGN.is_sorted() && WITHOUT_TESTS.is_sorted());
    }

    #[test]
    fn only_directories_count() {
        assert!(is_foreign("a/node_modules/b.js") && is_foreign("venv/x.py"));
        assert!(!is_foreign("a/venv") && !is_foreign("build/a.py"));
        assert!(is_without_tests("build/a.py") && is_without_tests(".ci/a.sh") && is_without_tests("x/vendor/a.py"));
        assert!(!is_without_tests(".a.py") && !is_without_tests("tests/a.py"));
    }
}
