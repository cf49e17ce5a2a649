//! The HTML page: one file that needs no network and no JavaScript.
//!
//! The markup contains the verdicts, reasons, failed tests with their output, differences from the reference, evidence and
//! findings, collapsed in `details` elements. The script adds a filter, the names of passed tests, and a comparison of any two
//! environments. A Content-Security-Policy allows only the style and the script of the page, and no requests.

use std::io::Write;

use askama::Template as _;

use super::ReportError;
use super::history::State;
use super::summary::{self, Summary};
use crate::model::document::{Cell, Document};
use crate::model::text::{duration, one_line, sentence};

mod board;
mod cell;
mod data;
mod environment;
mod evidence;
mod forge;
pub(super) mod inert;
mod mark;
mod pieces;
mod scan;
mod timeline;

use board::Board;
use mark::Mark;
use pieces::Pieces;
use timeline::{States, Timeline};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Maximum total size of the outputs in the page in bytes.
const MAX_OUTPUT: usize = 6 << 20;
/// Minimum and maximum size of one output in bytes.
const OUTPUT_LIMITS: (usize, usize) = (1 << 10, 16 << 10);

/// Input of the parts of the page.
struct Context<'a> {
    document: &'a Document,
    states: Option<&'a States>,
    /// Findings that break at each facility.
    findings: scan::ByFacility<'a>,
    /// Maximum size of each output in bytes.
    output: usize,
}

impl Context<'_> {
    fn since(&self, cell: &Cell) -> Option<String> {
        self.states?.since(cell).map(|text| sentence(&text))
    }
}

#[derive(askama::Template)]
#[template(path = "page.html")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    style_hash: String,
    script_hash: String,
    mark: Mark,
    sentence: Pieces,
    title: String,
    totals: String,
    subject: Subject,
    labels: &'a [String],
    board: Board,
    cells: Vec<cell::Entry<'a>>,
    environments: &'a [environment::EnvironmentView],
    scan: Option<scan::Section>,
    timeline: Option<Timeline>,
    data: String,
}

/// The analysis, the time of the check and the version of carnet.
struct Subject {
    name: String,
    state: String,
    commit: Option<String>,
    remote: Option<String>,
    link: Option<String>,
    when: String,
    took: String,
    version: String,
    reference: Option<String>,
    interrupted: bool,
}

/// Writes the page of a document, with a timeline if `past` has other states of the analysis.
///
/// # Errors
/// If `out` fails.
pub(super) fn write(document: &Document, past: &[State], mut out: &mut dyn Write) -> Result<(), ReportError> {
    let form = |error: &dyn std::fmt::Display| ReportError::Form(error.to_string());
    let states = States::new(document, past);
    let context = Context {
        document,
        states: states.as_ref(),
        findings: scan::by_facility(document.scan.as_ref()),
        output: share(document),
    };
    let summary = Summary::of(document);
    let environments = environment::environments(document);
    let data = inert::json(&data::data(document, &environments)).map_err(|error| form(&error))?;
    let page = Page {
        style: STYLE,
        script: SCRIPT,
        style_hash: inert::source_hash(STYLE),
        script_hash: inert::source_hash(SCRIPT),
        mark: Mark::verdict(document),
        sentence: Pieces::between('\u{1f}', &sentence(&summary::sentence(document, |id| format!("\u{1f}{id}\u{1f}")))),
        title: sentence(&summary::sentence(document, str::to_owned)),
        totals: summary::totals(document),
        subject: subject(document),
        labels: &summary.labels,
        board: Board::of(document),
        cells: cell::entries(&context, &summary),
        environments: &environments,
        scan: document.scan.as_ref().map(|scan| scan::section(scan, forge::Forge::new(&document.analysis).as_ref())),
        timeline: states.as_ref().map(|states| states.timeline(document)),
        data,
    };
    page.write_into(&mut out)?;
    Ok(())
}

/// Returns the maximum size of each output in bytes, so that all outputs fit into the page.
fn share(document: &Document) -> usize {
    let of = |cell: &Cell| {
        summary::cases(cell, summary::is_bad).take(cell::MAX_OUTPUTS).count() + summary::broken_steps(cell).count()
    };
    let number: usize = document.cells.iter().map(of).sum();
    (MAX_OUTPUT / number.max(1)).clamp(OUTPUT_LIMITS.0, OUTPUT_LIMITS.1)
}

fn subject(document: &Document) -> Subject {
    let analysis = &document.analysis;
    let remote = analysis.remote.as_ref().map(|remote| one_line(remote, 300));
    Subject {
        name: one_line(&analysis.name, 120),
        state: summary::subject(document),
        commit: analysis.commit.as_ref().map(|commit| one_line(commit, 64)),
        link: remote.as_deref().and_then(inert::link).map(str::to_owned),
        remote,
        when: timeline::when(&document.timing.started),
        took: duration(document.timing.seconds),
        version: one_line(&document.version, 40),
        reference: document.reference.as_ref().map(|id| one_line(id, 120)),
        interrupted: document.interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE};

    #[test]
    fn style_and_script_contain_no_end_tag() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"), "an end tag in page.css or page.js");
        }
    }
}
