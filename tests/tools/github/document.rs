//! The workflows, pins and tables of the documentation of GitHub Actions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::support::engine::tool;
use crate::support::{CommandOutput, repository};

/// Pages with workflows.
const PAGES: [&str; 2] = ["README.md", HOW_TO];
const HOW_TO: &str = "docs/how-to/github.md";

/// The version of the next release.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Name and YAML of the workflows that follow a comment `<!-- workflow: NAME -->`.
pub(crate) fn workflows() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in PAGES {
        let text = project_file(page);
        let blocks = text.split("<!-- workflow: ").skip(1);
        found.extend(blocks.map(|block| {
            let (name, rest) = block.split_once(" -->\n```yaml\n").expect("a block of YAML follows the name");
            let (yaml, _) = rest.split_once("```").expect("the block ends");
            (name.to_owned(), yaml.to_owned())
        }));
    }
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["simple", "matrix", "reusable", "container"], "workflows of the documentation");
    found
}

/// Reads a file of this project.
pub(crate) fn project_file(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The reusable workflow of this project.
pub(crate) fn reusable_workflow() -> String {
    project_file(".github/workflows/carnet.yml")
}

/// Name and pin of all actions in these workflows.
fn uses() -> Vec<(String, String)> {
    let all: String = workflows().into_iter().map(|(_, yaml)| yaml).chain([reusable_workflow()]).collect();
    let named = all.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once("uses: "));
    named
        .filter_map(|(_, action)| action.split_once('@'))
        .map(|(name, pin)| (name.to_owned(), pin.to_owned()))
        .collect()
}

fn workflows_use_this_version() {
    let own: Vec<_> = uses().into_iter().filter(|(name, _)| name.starts_with("carnet-hep/carnet")).collect();
    let version = format!("v{VERSION}");
    assert!(own.len() > 7 && own.iter().all(|(_, pin)| pin.split(' ').next() == Some(&version)), "{own:?}");
}

fn workflows_pin_each_action_to_one_commit() {
    let mut pins: BTreeMap<String, String> = BTreeMap::new();
    for (name, pin) in uses().into_iter().filter(|(name, _)| !name.starts_with("carnet-hep/")) {
        let (commit, tag) = pin.split_once(" # v").unwrap_or_else(|| panic!("{name}@{pin} has no tag"));
        assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{name}@{pin}");
        assert!(!tag.is_empty(), "{name}@{pin}");
        assert_eq!(pins.entry(name.clone()).or_insert_with(|| pin.clone()), &pin, "{name}");
    }
    assert_eq!(pins.len(), 5, "{pins:?}");
}

fn hint_uses_documented_cvmfs_action() {
    let code = project_file("src/cli/ci/github/hints.rs");
    let (_, rest) = code.split_once("const CVMFS_ACTION: &str = \"").expect("the constant");
    let (pin, _) = rest.split_once('"').expect("the end of the constant");
    assert_eq!(project_file(HOW_TO).matches(&format!("uses: {pin}\n")).count(), 1, "{pin}");
}

/// The table of inputs or outputs of `action.yml`.
fn table(part: &str) -> String {
    let mut out = match part {
        "inputs" => "| input | default | description |\n|---|---|---|\n".to_owned(),
        _ => "| output | description |\n|---|---|\n".to_owned(),
    };
    for [name, text, default] in entries(part) {
        let default = if default.is_empty() { default } else { format!("`{default}`") };
        let _ = match part {
            "inputs" => writeln!(out, "| `{name}` | {default} | {text} |"),
            _ => writeln!(out, "| `{name}` | {text} |"),
        };
    }
    out
}

/// Name, description and default of inputs or outputs.
fn entries(part: &str) -> Vec<[String; 3]> {
    let script = "\
import json, ruamel.yaml, sys
part = ruamel.yaml.YAML(typ='safe').load(open('action.yml'))[sys.argv[1]]
json.dump([[name, about['description'], about.get('default') or ''] for name, about in part.items()], sys.stdout)";
    let mut python = Command::new(tool("venv/bin/python"));
    python.args(["-c", script, part]).current_dir(repository());
    serde_json::from_str(&CommandOutput::run(&mut python).assert_code(0).stdout).expect("lists of three")
}

fn tables_of_inputs_and_outputs_are_current() {
    let current = project_file(HOW_TO);
    let mut expected = current.clone();
    for part in ["inputs", "outputs"] {
        let (begin, end) = (format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->"));
        let from = expected.find(&begin).expect("the first mark") + begin.len();
        let to = expected.find(&end).expect("the second mark");
        expected.replace_range(from..to, &table(part));
    }
    if std::env::var_os("CARNET_BLESS").is_some() {
        fs::write(repository().join(HOW_TO), &expected).expect("the page");
    } else {
        assert!(current == expected, "{HOW_TO} is not current: run this test with CARNET_BLESS=1");
    }
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    hint_uses_documented_cvmfs_action,
    tables_of_inputs_and_outputs_are_current,
    workflows_pin_each_action_to_one_commit,
    workflows_use_this_version,
);
