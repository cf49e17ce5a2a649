//! Detection of the tests of a repository, from the names of its files and the content of a few.
//!
//! Only one runner is selected: the one that the CI files run, else the first of pytest, unittest, ctest, make, ROOT macros, a
//! REANA workflow and shell scripts that has something to run.

use std::collections::BTreeSet;

use super::reana;
use super::test_file::{file_name, is_pytest_file, is_run_directory};
use crate::model::plan::{TestCommand, TestKind};
use crate::model::shell::quote_if_needed;
use crate::source::FileSet;
use crate::source::foreign::is_without_tests;

/// Maximum number of Python files read to tell unittest from pytest.
const MAX_PYTHON_FILES: usize = 200;

/// Maximum number of bytes read of a file.
const MAX_BYTES: u64 = 1 << 20;

/// The files of a repository, with their paths listed once.
struct Files<'a> {
    files: &'a dyn FileSet,
    paths: Vec<&'a str>,
}

impl Files<'_> {
    fn has(&self, path: &str) -> bool {
        self.files.has(path)
    }

    /// Returns the text of a file. Empty if it does not exist or can't be read.
    fn text(&self, path: &str) -> String {
        if self.has(path) { self.files.text(path, MAX_BYTES) } else { String::new() }
    }

    /// Returns the paths that may belong to tests.
    fn own(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().copied().filter(|path| !is_without_tests(path))
    }

    /// Reports whether a file has a line that starts with one of these texts, apart from white space.
    fn has_line(&self, path: &str, starts: &[&str]) -> bool {
        self.text(path).lines().any(|line| starts.iter().any(|start| line.trim_start().starts_with(start)))
    }
}

/// Returns the test commands of a repository. Empty if no tests are found.
///
/// Names are unique. Every command starts at the top of the repository.
pub fn tests(files: &dyn FileSet) -> Vec<TestCommand> {
    let files = &Files { files, paths: files.paths() };
    let found: Vec<Vec<TestCommand>> = RUNNERS.iter().map(|(_, find)| find(files)).collect();
    let ci = ci_lines(files);
    let by_ci = RUNNERS.iter().zip(&found).find(|((words, _), tests)| {
        !tests.is_empty() && words.iter().any(|word| ci.iter().any(|line| runs(line, word)))
    });
    by_ci.map(|(_, tests)| tests).or_else(|| found.iter().find(|tests| !tests.is_empty())).cloned().unwrap_or_default()
}

/// Returns the commands of a runner.
type Find = fn(&Files<'_>) -> Vec<TestCommand>;

/// Test runners by priority, each with the words that start it in a CI file.
const RUNNERS: &[(&[&str], Find)] = &[
    (&["pytest", "py.test"], pytest),
    (&["unittest"], unittest),
    (&["ctest"], ctest),
    (&["make test", "make check"], make),
    (&["root"], root_macros),
    (&["reana-client"], |files| reana::steps(&files.text("reana.yaml"))),
    // A shell in a CI file may run anything.
    (&[], scripts),
];

fn single(name: &str, kind: TestKind, run: impl Into<String>) -> Vec<TestCommand> {
    vec![TestCommand { name: name.to_owned(), kind, run: run.into() }]
}

/// Returns the pytest command, if pytest is configured or collects files by their names (docs.pytest.org, "Configuration" and
/// "Changing standard (Python) test discovery"). `python3 -m` works in images without `python` and without a `pytest` script.
fn pytest(files: &Files<'_>) -> Vec<TestCommand> {
    let tests = python_tests(files);
    let has_conftest = files.own().any(|path| file_name(path) == "conftest.py");
    let is_configured = has_conftest
        || files.has("pytest.ini")
        || files.has(".pytest.ini")
        || files.has_line("pyproject.toml", &["[tool.pytest"])
        || files.has_line("setup.cfg", &["[tool:pytest]"])
        || files.has_line("tox.ini", &["[pytest]"]);
    if tests.is_empty() || !is_configured && uses_only_unittest(files, &tests) {
        return Vec::new();
    }
    // With configured test paths, pytest needs no argument.
    let has_test_paths = ["pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini"]
        .iter()
        .any(|path| files.has_line(path, &["testpaths"]));
    let directory = if has_test_paths { None } else { common_directory(&tests) };
    single("pytest", TestKind::Pytest, with_directory("python3 -m pytest -q", directory.as_deref()))
}

fn unittest(files: &Files<'_>) -> Vec<TestCommand> {
    let tests = python_tests(files);
    if tests.is_empty() || !uses_only_unittest(files, &tests) {
        return Vec::new();
    }
    let pattern = if tests.iter().any(|path| file_name(path).starts_with("test")) { "" } else { " -p '*_test.py'" };
    let directory = common_directory(&tests).filter(|directory| directory != ".");
    let start = directory.map_or_else(String::new, |directory| format!(" -s {} -t .", quote(&directory)));
    // `-t .` requires a package.
    let start = if tests.iter().any(|path| has_sibling(files, path, "__init__.py")) {
        start
    } else {
        start.trim_end_matches(" -t .").to_owned()
    };
    single("unittest", TestKind::Unittest, format!("python3 -m unittest discover -v{start}{pattern}"))
}

fn ctest(files: &Files<'_>) -> Vec<TestCommand> {
    let tests = files.own().filter(|path| file_name(path) == "CMakeLists.txt").any(|path| {
        files.has_line(path, &["enable_testing(", "enable_testing (", "add_test(", "add_test (", "include(CTest)"])
    });
    if !tests || !files.has("CMakeLists.txt") {
        return Vec::new();
    }
    let dir = "build-carnet";
    single(
        "ctest",
        TestKind::Ctest,
        format!("cmake -S . -B {dir} && cmake --build {dir} && cd {dir} && ctest --output-on-failure"),
    )
}

fn make(files: &Files<'_>) -> Vec<TestCommand> {
    for file in ["GNUmakefile", "makefile", "Makefile"] {
        let text = files.text(file);
        let has = |target: &str| text.lines().any(|line| is_target(line, target));
        for target in ["test", "tests", "check"] {
            if has(target) {
                return single(&format!("make {target}"), TestKind::Make, format!("make {target}"));
            }
        }
    }
    Vec::new()
}

/// Reports whether a line of a Makefile is the rule of a target: `test check: build`, not `test := x`.
fn is_target(line: &str, target: &str) -> bool {
    let Some((targets, rest)) = line.split_once(':') else { return false };
    !line.starts_with(['\t', ' ', '.', '#'])
        && !rest.starts_with('=')
        && !rest.starts_with(":=")
        && targets.split_ascii_whitespace().any(|name| name == target)
}

fn root_macros(files: &Files<'_>) -> Vec<TestCommand> {
    let macros = files.own().filter(|path| {
        let is_macro = [".C", ".cxx", ".cpp"].iter().any(|end| path.ends_with(end));
        let stem = stem(path);
        // Files of a compiled test program can't be run as macros, so a test directory only contributes `.C` files.
        let in_tests = in_test_dir(path) && path.ends_with(".C");
        is_macro && (in_tests || !path.contains('/') && path.ends_with(".C") && stem.starts_with("test"))
    });
    let commands = macros.map(|path| TestCommand {
        name: path.to_owned(),
        kind: TestKind::RootMacro,
        run: format!("root -l -b -q {}", quote(path)),
    });
    commands.collect()
}

fn scripts(files: &Files<'_>) -> Vec<TestCommand> {
    let is_named = |path: &str| {
        let stem = stem(path);
        ["test", "tests", "run_test", "run_tests", "run-tests", "runtests", "check"].contains(&stem)
            || ["test_", "test-"].iter().any(|start| stem.starts_with(start))
            || ["_test", "-test"].iter().any(|end| stem.ends_with(end))
    };
    let found: Vec<&str> = files
        .own()
        .filter(|path| path.ends_with(".sh"))
        .filter(|path| !path.contains('/') && is_named(path) || in_test_dir(path))
        .collect();
    // A script at the top usually runs the others.
    let top: Vec<&str> = found.iter().copied().filter(|path| !path.contains('/')).collect();
    let selected = if top.is_empty() { found } else { top };
    let commands = selected.into_iter().map(|path| {
        let text = files.text(path);
        let shell = if text.lines().next().is_some_and(|line| line.contains("bash")) { "bash" } else { "sh" };
        TestCommand { name: path.to_owned(), kind: TestKind::Script, run: format!("{shell} {}", quote(path)) }
    });
    commands.collect()
}

/// Returns the Python files that pytest collects by their names.
fn python_tests<'a>(files: &'a Files<'_>) -> Vec<&'a str> {
    files.own().filter(|path| is_pytest_file(path)).collect()
}

/// Reports whether test files use unittest, and neither they nor the requirements mention pytest.
fn uses_only_unittest(files: &Files<'_>, tests: &[&str]) -> bool {
    let mut uses_unittest = false;
    for path in tests.iter().take(MAX_PYTHON_FILES) {
        let text = files.text(path);
        let imports = |module: &str| {
            let starts = [format!("import {module}"), format!("from {module}")];
            text.lines().any(|line| starts.iter().any(|start| line.trim_start().starts_with(start.as_str())))
        };
        if imports("pytest") || text.lines().any(|line| line.starts_with("def test_")) {
            return false;
        }
        uses_unittest |= imports("unittest");
    }
    let requirements =
        ["pyproject.toml", "setup.cfg", "setup.py", "requirements.txt", "requirements-dev.txt", "environment.yml"];
    uses_unittest && !requirements.iter().any(|path| files.text(path).contains("pytest"))
}

/// Returns the common directory of test files. `None` for the top.
fn common_directory(tests: &[&str]) -> Option<String> {
    let dirs: BTreeSet<&str> = tests.iter().map(|path| path.rsplit_once('/').map_or("", |(dir, _)| dir)).collect();
    let first = dirs.first()?;
    let last = dirs.last()?;
    // The first and the last of sorted paths have the shortest common prefix.
    let shared: Vec<&str> = first.split('/').zip(last.split('/')).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    Some(shared.join("/")).filter(|directory| !directory.is_empty())
}

fn with_directory(command: &str, directory: Option<&str>) -> String {
    directory.map_or_else(|| command.to_owned(), |directory| format!("{command} {}", quote(directory)))
}

/// Returns the lines of the CI files without comments.
fn ci_lines(files: &Files<'_>) -> Vec<String> {
    let is_ci = |path: &&&str| {
        let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
        path.starts_with(".github/workflows/") && is_yaml
            || [".gitlab-ci.yml", ".travis.yml", ".circleci/config.yml", "azure-pipelines.yml", ".gitlab-ci.yaml"]
                .contains(*path)
    };
    let paths = files.paths.iter().filter(is_ci);
    let lines = paths.flat_map(|path| files.text(path).lines().map(str::trim).map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| !line.starts_with('#')).collect()
}

/// Reports whether a line of a CI file runs a command, instead of installing, naming or caching it.
fn runs(line: &str, words: &str) -> bool {
    let line = line.trim_start_matches("- ").trim_start_matches("run:").trim_start_matches("script:").trim();
    let is_word_edge =
        |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '"' | '\'' | '/'));
    line.split([';', '&', '|']).map(str::trim).any(|command| {
        let installs = ["pip", "install", "conda", "mamba", "apt", "name:", "uses:", "image:", "key:"];
        let is_other = command.split_whitespace().any(|word| installs.iter().any(|other| word.starts_with(other)));
        let mut matches = command.match_indices(words);
        !is_other
            && matches.any(|(start, found)| {
                let before = command[..start].chars().next_back();
                is_word_edge(before) && is_word_edge(command[start + found.len()..].chars().next())
            })
    })
}

/// Reports whether a file is directly in a test directory at the top.
fn in_test_dir(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(directory, _)| is_run_directory(directory))
}

fn has_sibling(files: &Files<'_>, path: &str, name: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(dir, _)| files.has(&format!("{dir}/{name}")))
}

fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Quotes a word for the shell, if needed. The result is never parsed as an option.
fn quote(word: &str) -> String {
    if word.starts_with('-') { quote_if_needed(&format!("./{word}")) } else { quote_if_needed(word) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{runs, tests};

    /// The commands found for these files.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        tests(&files).into_iter().map(|test| format!("{}: {}", test.name, test.run)).collect()
    }

    #[test]
    fn pytest_is_preferred_and_gets_test_directory() {
        let files = [("tests/test_a.py", "def test_a(): pass"), ("tests/sub/test_b.py", ""), ("Makefile", "test:\n")];
        assert_eq!(found(&files), ["pytest: python3 -m pytest -q tests"]);
        assert_eq!(found(&[("test_a.py", ""), ("src/x_test.py", "")]), ["pytest: python3 -m pytest -q"]);
    }

    #[test]
    fn configured_test_paths_need_no_argument() {
        let files = [("tests/test_a.py", ""), ("pyproject.toml", "[tool.pytest.ini_options]\ntestpaths = ['tests']\n")];
        assert_eq!(found(&files), ["pytest: python3 -m pytest -q"]);
    }

    #[test]
    fn unittest_runs_files_without_pytest() {
        let text = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): pass\n";
        assert_eq!(found(&[("tests/test_a.py", text)]), ["unittest: python3 -m unittest discover -v -s tests"]);
        assert_eq!(
            found(&[("tests/test_a.py", text), ("tests/__init__.py", "")]),
            ["unittest: python3 -m unittest discover -v -s tests -t ."]
        );
        assert_eq!(found(&[("tests/test_a.py", text), ("tests/conftest.py", "")]).len(), 1);
        assert!(found(&[("tests/test_a.py", text), ("requirements.txt", "pytest")])[0].starts_with("pytest"));
    }

    #[test]
    fn other_runners_are_found() {
        let cmake = [("CMakeLists.txt", "project(x)\n  enable_testing()\n"), ("src/CMakeLists.txt", "")];
        assert!(found(&cmake)[0].contains("&& ctest --output-on-failure"));
        assert_eq!(found(&[("Makefile", "test := no\ncheck: all\n\t./run\n")]), ["make check: make check"]);
        assert_eq!(found(&[("Makefile", "test::=1\n\ttest:\n")]), Vec::<String>::new());
        assert_eq!(
            found(&[("tests/fit it.C", ""), ("testAll.C", ""), ("draw.C", "")]),
            ["testAll.C: root -l -b -q testAll.C", "tests/fit it.C: root -l -b -q 'tests/fit it.C'"]
        );
        assert_eq!(
            found(&[("run_tests.sh", "#!/usr/bin/env bash\n"), ("tests/a.sh", "")]),
            ["run_tests.sh: bash run_tests.sh"]
        );
        assert_eq!(found(&[("tests/a.sh", "#!/bin/sh"), ("setup.sh", "")]), ["tests/a.sh: sh tests/a.sh"]);
    }

    #[test]
    fn reana_workflow_is_preferred_to_scripts() {
        let workflow = "workflow: {type: serial, specification: {steps: [{name: fit, commands: [python fit.py]}]}}";
        assert_eq!(found(&[("reana.yaml", workflow), ("run-tests.sh", "#!/bin/sh\n")]), ["fit: python fit.py"]);
        let ci = ".github/workflows/ci.yml";
        let files = [(ci, "      - run: bash -c true\n"), ("reana.yaml", workflow), ("run-tests.sh", "#!/bin/sh\n")];
        assert_eq!(found(&files), ["fit: python fit.py"]);
        assert_eq!(found(&[("reana.yaml", "a: b"), ("run-tests.sh", "#!/bin/sh\n")]).len(), 1);
    }

    #[test]
    fn third_party_tests_are_not_run() {
        assert_eq!(
            found(&[("vendor/lib/test_x.py", ""), (".venv/test_y.py", ""), ("plot.py", "")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn runner_of_ci_is_preferred() {
        let files = [
            (
                ".github/workflows/ci.yml",
                "      - name: pytest\n      - run: pip install pytest\n      - run: make test\n",
            ),
            ("Makefile", "test:\n\tpytest\n"),
            ("test_a.py", ""),
        ];
        assert_eq!(found(&files), ["make test: make test"]);
    }

    #[test]
    fn ci_line_runs_its_commands() {
        for line in ["- run: pytest -q", "python -m pytest tests", "cd build && ctest", "- ./bin/pytest"] {
            assert!(["pytest", "ctest"].iter().any(|word| runs(line, word)), "{line}");
        }
        for line in ["- pip install pytest", "name: pytest", "- uses: x/pytest-action@v1", "pytest-cov", "key: ctest-1"]
        {
            assert!(!["pytest", "ctest"].iter().any(|word| runs(line, word)), "{line}");
        }
    }

    #[test]
    fn hostile_name_is_quoted() {
        let found = found(&[("tests/a';rm -rf x;'.sh", "")]);
        assert!(found[0].ends_with("sh 'tests/a'\\'';rm -rf x;'\\''.sh'"), "{found:?}");
    }
}
