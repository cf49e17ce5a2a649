//! What a repository tests, from the names of its files and a look into a few small ones.
//!
//! One way to test is picked, never all that could be found: the one that the repository's own CI files run, else the
//! first of pytest, unittest, ctest, make, ROOT macros, a REANA workflow and shell scripts that has something to run.

use std::collections::BTreeSet;

use super::reana;
use crate::model::plan::{TestCommand, TestKind};
use crate::model::text::shell_quote;

/// Directories whose tests belong to somebody else.
const FOREIGN: &[&str] =
    &["build", "dist", "env", "extern", "external", "node_modules", "site-packages", "third_party", "vendor", "venv"];
/// Directories that tests lie in.
const TEST_DIRS: &[&str] = &["test", "tests"];
/// Python files looked into at most when telling unittest from pytest.
const LOOK_CAP: usize = 200;

/// The files of a repository.
pub struct Files<'a> {
    /// Every path, relative to its top, with `/` between the parts, sorted.
    pub paths: Vec<String>,
    /// The content of a file, capped by the one who reads; none when it can't be read.
    pub read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

impl Files<'_> {
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.binary_search_by(|have| have.as_str().cmp(path)).is_ok()
    }

    /// The text of a file; empty when it isn't there or can't be read.
    pub(crate) fn text(&self, path: &str) -> String {
        let bytes = if self.has(path) { (self.read)(path) } else { None };
        String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
    }

    /// Paths that are the repository's own.
    fn own(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str).filter(|path| !is_foreign(path))
    }

    /// Where a part has a line that starts with one of these, apart from blanks.
    fn has_line(&self, path: &str, starts: &[&str]) -> bool {
        self.text(path).lines().any(|line| starts.iter().any(|start| line.trim_start().starts_with(start)))
    }
}

/// The test commands of a repository; none when it shows no tests.
///
/// Names are unique. Every command starts at the repository's top.
pub fn tests(files: &Files<'_>) -> Vec<TestCommand> {
    let found: Vec<Vec<TestCommand>> = WAYS.iter().map(|(_, find)| find(files)).collect();
    let ci = ci_text(files);
    let by_ci = WAYS.iter().zip(&found).find(|((words, _), tests)| {
        !tests.is_empty() && words.iter().any(|word| ci.iter().any(|line| runs(line, word)))
    });
    by_ci.map(|(_, tests)| tests).or_else(|| found.iter().find(|tests| !tests.is_empty())).cloned().unwrap_or_default()
}

/// Finds the commands of one way to test.
type Find = fn(&Files<'_>) -> Vec<TestCommand>;

/// The ways to test, best first, each with the words that a CI file starts it with.
const WAYS: &[(&[&str], Find)] = &[
    (&["pytest", "py.test"], pytest),
    (&["unittest"], unittest),
    (&["ctest"], ctest),
    (&["make test", "make check"], make),
    (&["root"], root_macros),
    (&["reana-client"], |files| reana::steps(&files.text("reana.yaml"))),
    // A line of a CI file that starts a shell says nothing of tests.
    (&[], scripts),
];

fn one(name: &str, kind: TestKind, run: impl Into<String>) -> Vec<TestCommand> {
    vec![TestCommand { name: name.to_owned(), kind, run: run.into() }]
}

/// pytest: when it is configured or has test files by its own naming (docs.pytest.org, "Configuration" and "Changing
/// standard (Python) test discovery"). `python3 -m` is there in images that have no `python` and no `pytest` script.
fn pytest(files: &Files<'_>) -> Vec<TestCommand> {
    let tests = python_tests(files);
    let has_conftest = files.own().any(|path| file_name(path) == "conftest.py");
    let is_configured = has_conftest
        || files.has("pytest.ini")
        || files.has(".pytest.ini")
        || files.has_line("pyproject.toml", &["[tool.pytest"])
        || files.has_line("setup.cfg", &["[tool:pytest]"])
        || files.has_line("tox.ini", &["[pytest]"]);
    if tests.is_empty() || !is_configured && uses_unittest_alone(files, &tests) {
        return Vec::new();
    }
    // Where a configuration names the places, pytest finds them itself.
    let names_places = ["pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini"]
        .iter()
        .any(|path| files.has_line(path, &["testpaths"]));
    let place = if names_places { None } else { common_place(&tests) };
    one("pytest", TestKind::Pytest, with_place("python3 -m pytest -q", place.as_deref()))
}

fn unittest(files: &Files<'_>) -> Vec<TestCommand> {
    let tests = python_tests(files);
    if tests.is_empty() || !uses_unittest_alone(files, &tests) {
        return Vec::new();
    }
    let pattern = if tests.iter().any(|path| file_name(path).starts_with("test")) { "" } else { " -p '*_test.py'" };
    let place = common_place(&tests).filter(|place| place != ".");
    let start = place.map_or_else(String::new, |place| format!(" -s {} -t .", quote(&place)));
    // `-t .` makes the place a package, which it need not be.
    let start = if tests.iter().any(|path| is_beside(files, path, "__init__.py")) {
        start
    } else {
        start.trim_end_matches(" -t .").to_owned()
    };
    one("unittest", TestKind::Unittest, format!("python3 -m unittest discover -v{start}{pattern}"))
}

fn ctest(files: &Files<'_>) -> Vec<TestCommand> {
    let tests = files.own().filter(|path| file_name(path) == "CMakeLists.txt").any(|path| {
        files.has_line(path, &["enable_testing(", "enable_testing (", "add_test(", "add_test (", "include(CTest)"])
    });
    if !tests || !files.has("CMakeLists.txt") {
        return Vec::new();
    }
    let dir = "build-carnet";
    one(
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
                return one(&format!("make {target}"), TestKind::Make, format!("make {target}"));
            }
        }
    }
    Vec::new()
}

/// Whether a line of a makefile is the rule of this target: `test check: build`, not `test := x`.
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
        // Files of a compiled test program can't be run as macros: only ROOT's own `.C` is taken from a test directory.
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
    // One that runs all the others stands at the top.
    let top: Vec<&str> = found.iter().copied().filter(|path| !path.contains('/')).collect();
    let picked = if top.is_empty() { found } else { top };
    let commands = picked.into_iter().map(|path| {
        let text = files.text(path);
        let shell = if text.lines().next().is_some_and(|line| line.contains("bash")) { "bash" } else { "sh" };
        TestCommand { name: path.to_owned(), kind: TestKind::Script, run: format!("{shell} {}", quote(path)) }
    });
    commands.collect()
}

/// Python files that pytest would collect by their names.
fn python_tests<'a>(files: &'a Files<'_>) -> Vec<&'a str> {
    let is_test = |path: &&str| {
        let name = file_name(path);
        name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
    };
    files.own().filter(is_test).collect()
}

/// Whether test files use unittest and none of them, nor a requirement, knows pytest.
fn uses_unittest_alone(files: &Files<'_>, tests: &[&str]) -> bool {
    let mut uses_unittest = false;
    for path in tests.iter().take(LOOK_CAP) {
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

/// The directory to hand to a test runner: `tests` when all lie below it, the one they share, or none for the top.
fn common_place(tests: &[&str]) -> Option<String> {
    let dirs: BTreeSet<&str> = tests.iter().map(|path| path.rsplit_once('/').map_or("", |(dir, _)| dir)).collect();
    let first = dirs.first()?;
    let last = dirs.last()?;
    // Of sorted paths the first and the last share least.
    let shared: Vec<&str> = first.split('/').zip(last.split('/')).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    Some(shared.join("/")).filter(|place| !place.is_empty())
}

fn with_place(command: &str, place: Option<&str>) -> String {
    place.map_or_else(|| command.to_owned(), |place| format!("{command} {}", quote(place)))
}

/// The lines of the CI files, comments left out.
fn ci_text(files: &Files<'_>) -> Vec<String> {
    let is_ci = |path: &&String| {
        let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
        path.starts_with(".github/workflows/") && is_yaml
            || [".gitlab-ci.yml", ".travis.yml", ".circleci/config.yml", "azure-pipelines.yml", ".gitlab-ci.yaml"]
                .contains(&path.as_str())
    };
    let paths = files.paths.iter().filter(is_ci);
    let lines = paths.flat_map(|path| files.text(path).lines().map(str::trim).map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| !line.starts_with('#')).collect()
}

/// Whether a line of a CI file runs these words, rather than installing, naming or caching them.
fn runs(line: &str, words: &str) -> bool {
    let line = line.trim_start_matches("- ").trim_start_matches("run:").trim_start_matches("script:").trim();
    let is_word_edge =
        |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || matches!(c, ';' | '&' | '|' | '"' | '\'' | '/'));
    line.split([';', '&', '|']).map(str::trim).any(|command| {
        let installs = ["pip", "install", "conda", "mamba", "apt", "name:", "uses:", "image:", "key:"];
        let is_other = command.split_whitespace().any(|word| installs.iter().any(|other| word.starts_with(other)));
        let mut at = command.match_indices(words);
        !is_other
            && at.any(|(start, found)| {
                let before = command[..start].chars().next_back();
                is_word_edge(before) && is_word_edge(command[start + found.len()..].chars().next())
            })
    })
}

fn is_foreign(path: &str) -> bool {
    let dirs = path.rsplit_once('/').map_or("", |(dirs, _)| dirs);
    dirs.split('/').any(|dir| dir.starts_with('.') || FOREIGN.contains(&dir))
}

fn in_test_dir(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(dirs, _)| TEST_DIRS.contains(&dirs))
}

fn is_beside(files: &Files<'_>, path: &str, name: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(dir, _)| files.has(&format!("{dir}/{name}")))
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A word for the shell: as it is when harmless, else in single quotes. Never taken for an option.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    let word = if word.starts_with('-') { format!("./{word}") } else { word.to_owned() };
    if word.chars().all(is_plain) { word } else { shell_quote(&word) }
}

#[cfg(test)]
mod tests {
    use super::{Files, runs, tests};

    /// The commands found for these files; a file without content is empty.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let mut paths: Vec<String> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        paths.sort();
        let read = |path: &str| files.iter().find(|(p, _)| *p == path).map(|(_, text)| text.as_bytes().to_vec());
        tests(&Files { paths, read: &read }).into_iter().map(|test| format!("{}: {}", test.name, test.run)).collect()
    }

    #[test]
    fn pytest_comes_first_and_gets_the_directory_of_its_tests() {
        let files = [("tests/test_a.py", "def test_a(): pass"), ("tests/sub/test_b.py", ""), ("Makefile", "test:\n")];
        assert_eq!(found(&files), ["pytest: python3 -m pytest -q tests"]);
        assert_eq!(found(&[("test_a.py", ""), ("src/x_test.py", "")]), ["pytest: python3 -m pytest -q"]);
    }

    #[test]
    fn configured_test_paths_are_left_to_pytest() {
        let files = [("tests/test_a.py", ""), ("pyproject.toml", "[tool.pytest.ini_options]\ntestpaths = ['tests']\n")];
        assert_eq!(found(&files), ["pytest: python3 -m pytest -q"]);
    }

    #[test]
    fn files_of_unittest_alone_are_run_by_it() {
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
    fn other_ways_are_found() {
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
    fn a_workflow_that_can_be_run_says_more_than_a_script_that_may_only_lint() {
        let workflow = "workflow: {type: serial, specification: {steps: [{name: fit, commands: [python fit.py]}]}}";
        assert_eq!(found(&[("reana.yaml", workflow), ("run-tests.sh", "#!/bin/sh\n")]), ["fit: python fit.py"]);
        let ci = ".github/workflows/ci.yml";
        let files = [(ci, "      - run: bash -c true\n"), ("reana.yaml", workflow), ("run-tests.sh", "#!/bin/sh\n")];
        assert_eq!(found(&files), ["fit: python fit.py"]);
        assert_eq!(found(&[("reana.yaml", "a: b"), ("run-tests.sh", "#!/bin/sh\n")]).len(), 1);
    }

    #[test]
    fn tests_of_others_are_not_run() {
        assert_eq!(
            found(&[("vendor/lib/test_x.py", ""), (".venv/test_y.py", ""), ("plot.py", "")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_the_own_ci_runs_wins() {
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
    fn a_ci_line_runs_what_it_starts() {
        for line in ["- run: pytest -q", "python -m pytest tests", "cd build && ctest", "- ./bin/pytest"] {
            assert!(["pytest", "ctest"].iter().any(|word| runs(line, word)), "{line}");
        }
        for line in ["- pip install pytest", "name: pytest", "- uses: x/pytest-action@v1", "pytest-cov", "key: ctest-1"]
        {
            assert!(!["pytest", "ctest"].iter().any(|word| runs(line, word)), "{line}");
        }
    }

    #[test]
    fn a_hostile_name_stays_one_word() {
        let found = found(&[("tests/a';rm -rf x;'.sh", "")]);
        assert!(found[0].ends_with("sh 'tests/a'\\'';rm -rf x;'\\''.sh'"), "{found:?}");
    }
}
