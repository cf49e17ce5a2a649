//! Which files are tests, by their paths.

/// Endings of files that a test runner or a shell can run.
const PROGRAMS: [&str; 6] = [".py", ".cc", ".cpp", ".cxx", ".C", ".sh"];

/// Reports whether a file is a test: it is in a test directory, or it is a program with the name of a test.
///
/// Test runners don't collect notebooks, settings and data files by their names.
pub fn is_test(path: &str) -> bool {
    is_in_test_directory(path) || is_test_program(path) || file_name(path) == "CTestTestfile.cmake"
}

/// Reports whether a file is in a test directory, at any depth.
pub fn is_in_test_directory(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(directories, _)| directories.split('/').any(is_test_directory))
}

/// Reports whether a directory contains tests, by its name.
pub(super) fn is_test_directory(name: &str) -> bool {
    matches!(name, "test" | "tests" | "testing")
}

/// Reports whether `carnet check` runs the macros and scripts of a top-level directory as tests. `testing` often contains helpers
/// of tests, so its files are tests by their location, but are run only if a command names them.
pub(super) fn is_run_directory(name: &str) -> bool {
    name != "testing" && is_test_directory(name)
}

/// Reports whether pytest collects a file by its name (docs.pytest.org, "Changing standard (Python) test discovery").
pub(super) fn is_pytest_file(path: &str) -> bool {
    let name = file_name(path);
    name.strip_suffix(".py").is_some_and(|stem| stem.starts_with("test_") || stem.ends_with("_test"))
}

/// Reports whether a path in a command names a test. Broader than [`is_test`], because a command that runs a file is evidence
/// in itself: `./run-tests.sh`, `tests/all`.
pub(super) fn is_test_script(path: &str) -> bool {
    let name = file_name(path);
    let is_script = [".py", ".sh", ".C", ".bash"].iter().any(|end| name.ends_with(end)) || !name.contains('.');
    is_script && !path.starts_with('-') && (path.split('/').any(is_test_directory) || name.contains("test"))
}

fn is_test_program(path: &str) -> bool {
    let name = file_name(path);
    let stem = name.split('.').next().unwrap_or(name);
    let is_program = PROGRAMS.iter().any(|end| name.ends_with(end));
    is_program && (stem.starts_with("test_") || stem.ends_with("_test") || matches!(stem, "test" | "conftest"))
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{is_pytest_file, is_test, is_test_script};

    #[test]
    fn programs_and_test_directories_are_tests() {
        for path in ["tests/fit.ipynb", "a/test/data.json", "muon_test.py", "test_fit.C", "x/conftest.py", "test.sh"] {
            assert!(is_test(path), "{path}");
        }
        for path in ["fit.py", "muon_test.ipynb", "test_data.json", "latest.py", "contest/run.py"] {
            assert!(!is_test(path), "{path}");
        }
    }

    #[test]
    fn pytest_files_are_python() {
        assert!(is_pytest_file("a/test_b.py") && is_pytest_file("b_test.py"));
        assert!(!is_pytest_file("test.py") && !is_pytest_file("test_b.sh"));
    }

    #[test]
    fn test_scripts_need_only_mention_tests() {
        assert!(is_test_script("./run-tests.sh") && is_test_script("tests/all") && is_test_script("testAll.C"));
        assert!(!is_test_script("--test") && !is_test_script("test.json") && !is_test_script("run.py"));
    }
}
