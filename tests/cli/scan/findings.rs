//! Helpers for tests of `carnet scan`: running it, and reading its findings.

use std::path::PathBuf;

use rustix::fs::{CWD, FileType, Mode};
use serde_json::Value;

use crate::support::{CommandOutput, TestEnv};

/// The formats of `carnet scan`.
pub(crate) const FORMATS: [&str; 7] = ["human", "json", "junit", "markdown", "sarif", "gitlab", "github"];
/// A program with one `error` finding.
pub(crate) const FLAGGED: &str = "#!/bin/bash\ncd /afs/cern.ch/user/j/jdoe/work\n";
/// Path of the [`FLAGGED`] program next to unusual files.
pub(crate) const NEIGHBOR: &str = "neighbor.sh";

impl TestEnv {
    /// Scans next to a [`FLAGGED`] program. Fails if the scan panics, misses that program, or prints an invalid report.
    #[track_caller]
    pub(crate) fn assert_scan_completes(&self) -> Value {
        self.write(NEIGHBOR, FLAGGED);
        let output = self.carnet(&["scan", "--format", "json"]).assert_code(1);
        assert_eq!(output.stderr, "");
        let scan: Value = serde_json::from_str(&output.stdout).expect("JSON");
        assert!(paths(&scan).contains(&NEIGHBOR), "{}", scan["findings"]);
        for format in FORMATS {
            assert_valid(format, &self.carnet(&["scan", "--format", format]).assert_code(1));
        }
        scan
    }

    /// Creates a named pipe in the analysis and returns its path.
    pub(crate) fn make_pipe(&self, path: &str) -> PathBuf {
        let path = self.analysis().join(path);
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).expect("a pipe");
        path
    }

    /// Scans and returns the JSON report.
    #[track_caller]
    pub(crate) fn scan(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["scan", "--format", "json", "--fail-on", "never"];
        all.extend(arguments);
        serde_json::from_str(&self.carnet(&all).assert_code(0).stdout).expect("JSON")
    }
}

/// Paths of the findings, without those about the whole analysis.
pub(crate) fn paths(scan: &Value) -> Vec<&str> {
    scan["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| finding["path"].as_str())
        .filter(|path| *path != ".")
        .collect()
}

/// The findings about files as `path:line: severity[rule]`, with the line if there is one, then the notes as `path: message`.
pub(crate) fn summary(scan: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let findings =
        scan["findings"].as_array().into_iter().flatten().filter(|finding| finding["path"] != ".").map(|finding| {
            let [path, severity, rule] = ["path", "severity", "rule"].map(|key| text(&finding[key]));
            let line = finding["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
            format!("{path}{line}: {severity}[{rule}]\n")
        });
    let notes = scan["notes"].as_array().into_iter().flatten();
    findings.chain(notes.map(|note| format!("{}: {}\n", text(&note["path"]), text(&note["message"])))).collect()
}

/// The output without the path of the analysis and the duration of the scan.
pub(crate) fn redacted(env: &TestEnv, output: &str) -> String {
    let path = env.analysis();
    let output = output.replace(path.to_str().expect("UTF-8"), "[ANALYSIS]");
    let without_time = |line: &str| match line.split_once(" scanned in ") {
        Some((files, _)) => format!("{files} scanned in [TIME]\n"),
        None => format!("{line}\n"),
    };
    output.lines().map(without_time).collect()
}

/// Messages of the notes about a file.
pub(crate) fn notes<'a>(scan: &'a Value, path: &str) -> Vec<&'a str> {
    let all = scan["notes"].as_array().into_iter().flatten();
    all.filter(|note| note["path"] == path).filter_map(|note| note["message"].as_str()).collect()
}

/// Fails unless the output is a valid report in this format.
#[track_caller]
fn assert_valid(format: &str, output: &CommandOutput) {
    let out = output.stdout.as_str();
    assert!(!out.contains(['\u{1b}', '\0']), "{format}: {out:?}");
    match format {
        "json" | "sarif" | "gitlab" => {
            serde_json::from_str::<Value>(out).unwrap_or_else(|error| panic!("{format}: {error}"));
        }
        "junit" => {
            let mut reader = quick_xml::Reader::from_str(out);
            while reader.read_event().expect("XML") != quick_xml::events::Event::Eof {}
        }
        // Any other command would come from the repository.
        "github" => assert!(
            out.lines().filter(|line| line.starts_with("::")).all(|line| {
                ["::error ", "::warning ", "::notice ", "::group::", "::endgroup::"]
                    .iter()
                    .any(|command| line.starts_with(command))
            }),
            "{out}"
        ),
        _ => assert!(!out.is_empty()),
    }
}
