//! The static audit: a generated tree of the kind that analyses are made of, beside ripgrep with one alternation of the
//! same roots and schemes; and a small analysis as it is typical.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use carnet::facility::Catalogue;
use tempfile::TempDir;

use crate::measure::{Times, output, peak, times};
use crate::room::CARNET;
use crate::table::{Limit, Row, Table};

const RUNS: usize = 3;
/// Copies of each kind of file; together about 400 MB.
const LISTS: usize = 60;
const PROGRAMS: usize = 1000;
const NOTEBOOKS: usize = 60;
const TABLES: usize = 60;

pub(crate) fn figures(table: &mut Table) {
    large(table);
    small(table);
}

fn scan(tree: &Path) -> Command {
    let mut command = Command::new(CARNET);
    command.args(["scan", "--format", "json", "--fail-on", "never", "--output", "/dev/null"]).arg(tree);
    command
}

fn large(table: &mut Table) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    grow(&dir, LISTS, PROGRAMS, NOTEBOOKS, TABLES);
    let patterns = dir.path().join("patterns");
    fs::write(&patterns, alternation()).expect("a file");
    let ripgrep = || {
        let mut command = Command::new("rg");
        command.args(["--no-config", "--no-unicode", "--hidden", "--count-matches", "--file"]).arg(&patterns);
        command.arg(dir.path().join("tree")).stdout(Stdio::null());
        command
    };
    let peer = if Command::new("rg").arg("--version").output().is_ok() {
        let took = times(RUNS, || drop(output(&mut ripgrep())));
        Some(("rg", took.median() * 1e3))
    } else {
        None
    };
    push(table, "scan of 400 MB", &dir, peer, Limit::Ratio(0.5), Some(200.0));
}

fn small(table: &mut Table) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    grow(&dir, 2, 40, 3, 2);
    push(table, "scan of a typical analysis", &dir, None, Limit::Figure(50.0), None);
}

fn push(
    table: &mut Table,
    what: &str,
    dir: &TempDir,
    peer: Option<(&'static str, f64)>,
    limit: Limit,
    memory: Option<f64>,
) {
    let tree = dir.path().join("tree");
    output(&mut scan(&tree));
    let runs: Vec<_> = (0..RUNS).map(|_| peak(&scan(&tree))).collect();
    let took = Times::new(runs.iter().map(|(took, _)| took.as_secs_f64()).collect());
    table.push(Row {
        what: what.to_owned(),
        figure: took.median() * 1e3,
        least: Some(took.least() * 1e3),
        unit: "ms",
        peer,
        limit,
    });
    if let Some(limit) = memory {
        table.push(Row {
            what: format!("{what}, peak memory"),
            figure: runs.iter().map(|(_, peak)| *peak).fold(0.0, f64::max),
            least: None,
            unit: "MiB",
            peer: None,
            limit: Limit::Figure(limit),
        });
    }
}

/// What the matcher looks for, as regular expressions.
fn alternation() -> String {
    let roots: Vec<String> = Catalogue::builtin().roots().iter().map(|root| root.replace('.', "\\.")).collect();
    let roots: Vec<String> = roots.iter().map(|root| root.replace('*', "[A-Za-z0-9_.-]*")).collect();
    format!(
        "(?:^|[^A-Za-z0-9_./}}\\)\\]*~%?$-])/(?:{})(?:/[^\\s\"',;|<>()\\[\\]`:]*)?\n[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\\s\"',;|<>()\\[\\]`]+\n~[a-z][a-z0-9_]*/\n",
        roots.join("|")
    )
}

/// A tree: lists of files as JSON, programs, notebooks with outputs, tables of numbers.
fn grow(dir: &TempDir, lists: usize, programs: usize, notebooks: usize, tables: usize) {
    let tree = dir.path().join("tree");
    for name in ["lists", "programs", "notebooks", "tables"] {
        fs::create_dir_all(tree.join(name)).expect("a directory");
    }
    // Writing into a string can't fail.
    for n in 0..lists {
        let mut text = "{\"sample\": [\n".to_owned();
        for at in 0..10_000 {
            let _ =
                writeln!(text, "  \"root://cmseos.fnal.gov//store/user/group/nano/v{n}/sample_{at}/nano_{at}.root\",");
        }
        text.push_str("  \"\"]}\n");
        fs::write(tree.join(format!("lists/{n}.json")), text).expect("a file");
    }
    let function = "def select(events, cut=30.0):\n    \"\"\"Muons above a cut.\"\"\"\n    muons = events.Muon\n    \
                    good = (muons.pt > cut) & (abs(muons.eta) < 2.4)\n    return muons[good]\n\n";
    for n in 0..programs {
        let paths = format!("import coffea\nINPUT = \"/eos/user/j/jane/nano/v{n}\"\nOUT = f\"{{INPUT}}/hists\"\n\n");
        fs::write(tree.join(format!("programs/p{n}.py")), paths + &function.repeat(60)).expect("a file");
    }
    let output = "\"0.123456789 0.987654321 3.141592653\\n\",\n".repeat(40_000);
    for n in 0..notebooks {
        let text = format!(
            "{{\"cells\": [{{\"cell_type\": \"code\", \"metadata\": {{}}, \"execution_count\": 1, \"outputs\": [{{\"output_type\": \
             \"stream\", \"name\": \"stdout\", \"text\": [{output}\"\"]}}], \"source\": [\"x = open('/depot/cms/x{n}')\\n\"]}}], \
             \"metadata\": {{}}, \"nbformat\": 4, \"nbformat_minor\": 5}}"
        );
        fs::write(tree.join(format!("notebooks/{n}.ipynb")), text).expect("a file");
    }
    let row = "1.25,3.5e-3,42,17,0.001,muon,1.0,2.0,3.0,4.0\n".repeat(60_000);
    for n in 0..tables {
        fs::write(tree.join(format!("tables/{n}.csv")), &row).expect("a file");
    }
}
