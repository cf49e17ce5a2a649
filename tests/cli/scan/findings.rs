//! A scan that must end well: in time, with everything else scanned, and with output that parses in every format.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{CommandOutput, TestEnv};

/// The formats of `carnet scan`.
pub(crate) const FORMATS: [&str; 7] = ["human", "json", "junit", "markdown", "sarif", "gitlab", "github"];
/// A program with one finding of severity error.
pub(crate) const FLAGGED: &str = "#!/bin/bash\ncd /afs/cern.ch/user/j/jdoe/work\n";
/// The name it has in every test of odd neighbours.
pub(crate) const NEIGHBOUR: &str = "neighbour.sh";
/// Time that any of these may take, with a binary that isn't optimised, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

impl TestEnv {
    /// Scans, and fails when that ends badly, late, or without the neighbour that was to be scanned as well.
    #[track_caller]
    pub(crate) fn survives(&self) -> Value {
        self.write(NEIGHBOUR, FLAGGED);
        let begun = Instant::now();
        let said = self.carnet(&["scan", "--format", "json"]).assert_code(1);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        let scan: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert!(paths(&scan).contains(&NEIGHBOUR), "{}", scan["findings"]);
        for format in FORMATS {
            check(format, &self.carnet(&["scan", "--format", format]).assert_code(1));
        }
        scan
    }

    pub(crate) fn scan(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["scan", "--format", "json", "--fail-on", "never"];
        all.extend(arguments);
        serde_json::from_str(&self.carnet(&all).assert_code(0).stdout).expect("JSON")
    }
}

/// Paths of the findings, those about the analysis as a whole left out.
pub(crate) fn paths(scan: &Value) -> Vec<&str> {
    scan["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["path"].as_str())
        .filter(|path| *path != ".")
        .collect()
}

/// Messages of the notes about a file.
pub(crate) fn notes<'a>(scan: &'a Value, path: &str) -> Vec<&'a str> {
    let all = scan["notes"].as_array().into_iter().flatten();
    all.filter(|note| note["path"] == path).filter_map(|note| note["message"].as_str()).collect()
}

/// Whether the output is what its format is.
#[track_caller]
fn check(format: &str, said: &CommandOutput) {
    let out = said.stdout.as_str();
    assert!(!out.contains('\u{1b}') && !out.contains('\0'), "{format}: {out:?}");
    match format {
        "json" | "sarif" | "gitlab" => {
            serde_json::from_str::<Value>(out).unwrap_or_else(|error| panic!("{format}: {error}"));
        }
        "junit" => {
            let mut reader = quick_xml::Reader::from_str(out);
            while reader.read_event().expect("XML") != quick_xml::events::Event::Eof {}
        }
        // What is no annotation of ours would be one of the repository's.
        "github" => assert!(
            out.lines().filter(|line| line.starts_with("::")).all(|line| {
                ["::error ", "::warning ", "::notice ", "::group::", "::endgroup::"]
                    .iter()
                    .any(|sign| line.starts_with(sign))
            }),
            "{out}"
        ),
        _ => assert!(!out.is_empty()),
    }
}
