//! A scan that must end well: in time, with everything else scanned, and with output that parses in every format.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::room::{Room, Said};

/// The formats of `carnet scan`.
pub(crate) const FORMATS: [&str; 7] = ["human", "json", "junit", "markdown", "sarif", "gitlab", "github"];
/// A program with one finding of severity error.
pub(crate) const FLAGGED: &str = "#!/bin/bash\ncd /afs/cern.ch/user/j/jdoe/work\n";
/// The name it has in every test of odd neighbours.
pub(crate) const NEIGHBOUR: &str = "neighbour.sh";
/// Time that any of these may take, with a binary that isn't optimised, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

impl Room {
    /// Scans, and fails when that ends badly, late, or without the neighbour that was to be scanned as well.
    #[track_caller]
    pub(crate) fn survives(&self) -> Value {
        self.write(NEIGHBOUR, FLAGGED);
        let begun = Instant::now();
        let said = self.run(&["scan", "--format", "json"]).expect(1);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
        assert!(!said.err.contains("panicked"), "{}", said.err);
        let scan: Value = serde_json::from_str(&said.out).expect("JSON");
        assert!(paths(&scan).contains(&NEIGHBOUR), "{}", scan["findings"]);
        for format in FORMATS {
            check(format, &self.run(&["scan", "--format", format]).expect(1));
        }
        scan
    }

    pub(crate) fn scan(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["scan", "--format", "json", "--fail-on", "never"];
        all.extend(arguments);
        serde_json::from_str(&self.run(&all).expect(0).out).expect("JSON")
    }

    /// git in the analysis, without anybody's configuration.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"]).args(arguments);
        command.current_dir(self.top()).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Jane").env(format!("GIT_{who}_EMAIL"), "jane@example.org");
        }
        Said::of(&command.output().expect("git")).expect(0).out.trim().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
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
fn check(format: &str, said: &Said) {
    let out = said.out.as_str();
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
