//! The static scan of a generated tree, compared with ripgrep and one alternation of the same roots and schemes, and the
//! scan of a typical small analysis.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use carnet::facility::Catalogue;
use tempfile::TempDir;

use crate::measure::{Times, output, peak, times};
use crate::room::CARNET;
use crate::table::{Limit, Row, Table};
use crate::tree::grow;

const RUNS: usize = 3;
/// Sizes of a large tree and of a typical analysis in bytes.
const LARGE: u64 = 400 << 20;
const TYPICAL: u64 = 20 << 20;

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
    grow(&dir.path().join("tree"), LARGE);
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
    grow(&dir.path().join("tree"), TYPICAL);
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

/// Returns the patterns of the matcher as regular expressions.
fn alternation() -> String {
    let roots: Vec<String> = Catalogue::builtin().roots().iter().map(|root| root.replace('.', "\\.")).collect();
    let roots: Vec<String> = roots.iter().map(|root| root.replace('*', "[A-Za-z0-9_.-]*")).collect();
    format!(
        "(?:^|[^A-Za-z0-9_./}}\\)\\]*~%?$-])/(?:{})(?:/[^\\s\"',;|<>()\\[\\]`:]*)?\n[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\\s\"',;|<>()\\[\\]`]+\n~[a-z][a-z0-9_]*/\n",
        roots.join("|")
    )
}
