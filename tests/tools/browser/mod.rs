//! The page in a browser: small and large, hostile, without JavaScript, on paper. The checks are those of `browser.py`.
//!
//! With `CARNET_SCREENSHOTS=DIR` pictures of every page stay there.

mod badge;
mod document;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use carnet::model::document::Document;
use carnet::report;
use carnet::report::history::State;

const BROWSER: &str = "/usr/bin/chromium";

/// The Python with playwright that `make tools` sets up.
fn python() -> PathBuf {
    let tools = std::env::var_os("CARNET_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools"), PathBuf::from);
    let python = tools.join("venv/bin/python");
    assert!(python.exists() && Path::new(BROWSER).exists(), "no playwright or no {BROWSER}: run `make tools`");
    python
}

/// Runs checks of `browser.py` over a page, and shows what they say when one fails.
fn look(name: &str, checks: &[&str], document: &Document, past: &[State]) {
    let dir = tempfile::tempdir().expect("a directory");
    let page = dir.path().join(format!("{name}.html"));
    fs::write(&page, report::page(document, past).expect("renders")).expect("a page");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/browser/browser.py");
    if let Some(kept) = std::env::var_os("CARNET_SCREENSHOTS") {
        fs::copy(&page, Path::new(&kept).join(format!("{name}.html"))).expect("a copy of the page");
    }
    let mut command = Command::new(python());
    command.arg(script).arg(&page).args(checks).env("HOME", dir.path());
    let said = command.output().expect("python starts");
    let text = [said.stdout, said.stderr].concat();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&text));
}

fn one_cell() {
    look("one", &["quiet", "narrow", "plain"], &document::one(), &[]);
}

fn eight_cells() {
    let (now, past) = document::eight();
    let checks = [
        "quiet", "narrow", "plain", "open", "keyboard", "filter", "link", "side", "names", "print", "dark", "aria",
        "axe",
    ];
    look("eight", &checks, &now, &past);
}

fn two_hundred_cells_of_two_thousand_tests() {
    look("many", &["quiet", "narrow", "filter", "link", "names", "light"], &document::many(), &[]);
}

fn what_others_print_is_inert() {
    look("hostile", &["quiet", "narrow", "plain", "inert", "side"], &document::hostile(), &document::hostile_past());
}

fn nothing_was_run() {
    look(
        "nothing",
        &["quiet", "narrow", "plain"],
        &crate::support::document_fixture::assemble(Vec::new(), Vec::new()),
        &[],
    );
}

crate::support::harness::register!(
    [Tool("venv/bin/python"), Program("chromium")]:
    one_cell,
    eight_cells,
    two_hundred_cells_of_two_thousand_tests,
    what_others_print_is_inert,
    nothing_was_run,
);
