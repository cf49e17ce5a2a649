//! What the documentation shows is what is tested: workflows are taken from it, tables of inputs and outputs written into it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The top of this repository.
pub(crate) fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Pages with workflows.
const PAGES: [&str; 2] = ["README.md", "docs/how-to/github.md"];

/// Every workflow that a page shows below a line `<!-- workflow: NAME -->`.
pub(crate) fn workflows() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in PAGES {
        let text = read(&top().join(page));
        let blocks = text.split("<!-- workflow: ").skip(1);
        found.extend(blocks.map(|block| {
            let (name, rest) = block.split_once(" -->\n```yaml\n").expect("a block of YAML follows the name");
            let (yaml, _) = rest.split_once("```").expect("the block ends");
            (name.to_owned(), yaml.to_owned())
        }));
    }
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["simple", "matrix", "reusable", "container"], "a workflow came or went: tell the tests");
    found
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The version that the next release has.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The workflow of this project that others call.
pub(crate) fn called() -> String {
    read(&top().join(".github/workflows/carnet.yml"))
}

/// What all these workflows use: the action, and what it is pinned to.
fn uses() -> Vec<(String, String)> {
    let all: String = workflows().into_iter().map(|(_, yaml)| yaml).chain([called()]).collect();
    let named = all.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once("uses: "));
    named.filter_map(|(_, action)| action.split_once('@')).map(|(name, at)| (name.to_owned(), at.to_owned())).collect()
}

fn workflows_use_the_release_that_this_is() {
    let ours: Vec<_> = uses().into_iter().filter(|(name, _)| name.starts_with("carnet-hep/carnet")).collect();
    let wanted = format!("v{}", version());
    assert!(ours.len() > 7 && ours.iter().all(|(_, at)| at.split(' ').next() == Some(&wanted)), "{ours:?}");
}

fn actions_of_others_are_pinned_alike_everywhere() {
    let mut pins: BTreeMap<String, String> = BTreeMap::new();
    for (name, at) in uses().into_iter().filter(|(name, _)| !name.starts_with("carnet-hep/")) {
        let (sha, tag) = at.split_once(" # v").unwrap_or_else(|| panic!("{name}@{at} names no tag"));
        assert!(sha.len() == 40 && sha.bytes().all(|b| b.is_ascii_hexdigit()) && !tag.is_empty(), "{name}@{at}");
        assert_eq!(pins.entry(name.clone()).or_insert_with(|| at.clone()), &at, "{name}");
    }
    assert_eq!(pins.len(), 5, "{pins:?}");
}

fn the_step_that_brings_cvmfs_is_named_alike_everywhere() {
    let code = read(&top().join("src/cli/ci/github/need.rs"));
    let pin = code.split_once("const CVMFS: &str = \"").expect("the constant").1.split_once('"').expect("its end").0;
    assert!(read(&top().join("docs/how-to/github.md")).contains(&format!("uses: {pin}\n")), "{pin}");
}

/// Inputs or outputs of `action.yml`, in its order.
fn table(part: &str) -> String {
    let mut out = match part {
        "inputs" => "| input | default | what it says |\n|---|---|---|\n".to_owned(),
        _ => "| output | what it holds |\n|---|---|\n".to_owned(),
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

/// Name, description and default of each.
fn entries(part: &str) -> Vec<[String; 3]> {
    let script = "\
import json, ruamel.yaml, sys
part = ruamel.yaml.YAML(typ='safe').load(open('action.yml'))[sys.argv[1]]
json.dump([[name, about['description'], about.get('default') or ''] for name, about in part.items()], sys.stdout)";
    let mut python = std::process::Command::new(tool("python3"));
    let output = python.args(["-c", script, part]).current_dir(top()).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("lists of three")
}

/// A program of the tools of the tests.
pub(crate) fn tool(name: &str) -> PathBuf {
    let tools = std::env::var_os("CARNET_TOOLS").map_or_else(|| top().join("target/tools"), PathBuf::from);
    let path = tools.join("venv/bin").join(name);
    assert!(path.exists(), "no {}: `make test-tools` installs it", path.display());
    path
}

fn the_tables_of_inputs_and_outputs_are_current() {
    let path = top().join("docs/how-to/github.md");
    let there = read(&path);
    let mut wanted = there.clone();
    for part in ["inputs", "outputs"] {
        let (begin, end) = (format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->"));
        let from = wanted.find(&begin).expect("the mark") + begin.len();
        let to = wanted.find(&end).expect("the mark of the end");
        wanted.replace_range(from..to, &table(part));
    }
    if std::env::var_os("CARNET_BLESS").is_some() {
        fs::write(&path, &wanted).expect("the page");
    }
    assert!(there == wanted || std::env::var_os("CARNET_BLESS").is_some(), "run the tests with CARNET_BLESS=1");
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    workflows_use_the_release_that_this_is,
    actions_of_others_are_pinned_alike_everywhere,
    the_step_that_brings_cvmfs_is_named_alike_everywhere,
    the_tables_of_inputs_and_outputs_are_current,
);
