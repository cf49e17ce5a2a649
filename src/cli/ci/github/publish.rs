//! What a step hands on: reports, annotations, its summary, its outputs.

use std::path::Path;

use super::super::super::fail_on::FailOn;
use super::super::super::{CommandError, Outcome, check, print, report};
use super::input::Inputs;
use crate::exit;
use crate::model::document::{Cell, Document, Status};
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::model::verdict::{Verdict, verdict};
use crate::report::{self as format, Format};
use crate::ui::github::{Quoted, Step};
use crate::ui::{TerminalStyle, file};

/// Reports of a document, with the outputs that name them; those that this run did not write are left out.
const REPORTS: [(&str, &str); 4] =
    [("document", "carnet.json"), ("junit", "junit.xml"), ("sarif", "carnet.sarif"), ("html", "report.html")];
/// Those of an audit alone.
const AUDIT: [(&str, &str, Format); 3] = [
    ("document", "scan.json", Format::Json),
    ("junit", "junit.xml", Format::Junit),
    ("sarif", "carnet.sarif", Format::Sarif),
];

/// A step that has something to hand on.
pub(super) struct Publisher<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) step: &'a Step,
    pub(super) look: &'a TerminalStyle,
}

impl Publisher<'_> {
    /// The report for people, into the log.
    pub(super) fn print(&self, document: &Document) -> Result<(), CommandError> {
        Ok(print(&report::render(document, Format::Human, self.look)?)?)
    }

    /// What failed tests printed, into the log, folded under the name of their cell.
    pub(super) fn print_outputs(&self, document: &Document) -> Result<(), CommandError> {
        for output in format::outputs(document) {
            print(&format::github::group(&output.title))?;
            let quoted = Quoted::begin()?;
            print(&output.text)?;
            drop(quoted);
            print(format::github::GROUP_END)?;
        }
        Ok(())
    }

    /// The audit for people, into the log.
    pub(super) fn print_scan(&self, scan: &Scan) -> Result<(), CommandError> {
        let options = format::Options { color: self.look.color_out, width: self.look.width, ..Default::default() };
        Ok(print(&format::render_scan(Format::Human, scan, &options)?)?)
    }

    /// A document; annotations are made of the cells for which `is_told`.
    pub(super) fn document(&self, document: &Document, is_told: &dyn Fn(&Cell) -> bool) -> Outcome {
        let out = &self.inputs.out;
        check::write(document, out, self.look)?;
        if document.scan.is_some() {
            let text = report::render(document, Format::Sarif, self.look)?;
            file::write(&out.join(Format::Sarif.file_name()), text.as_bytes())?;
        }
        if self.inputs.annotations {
            print(&format::github::annotations(document, is_told))?;
        }
        self.summarise(&report::render(document, Format::Markdown, self.look)?)?;
        let no_audit = |name: &str| name == "sarif" && document.scan.is_none();
        let written = REPORTS.iter().filter(|(name, path)| !no_audit(name) && out.join(path).is_file());
        self.name(written.map(|(name, path)| (*name, *path)))?;
        self.step.set("status", status(document))?;
        Ok(self.inputs.fail_on.check(document))
    }

    /// An audit alone, which lies at `below` in its repository.
    pub(super) fn scan(&self, scan: &Scan, below: &str) -> Outcome {
        let out = &self.inputs.out;
        let options = format::Options::default();
        let outside = scan.clone().below(below);
        file::out_directory(out)?;
        for (_, path, form) in AUDIT {
            let of = if form == Format::Sarif { &outside } else { scan };
            file::write(&out.join(path), format::render_scan(form, of, &options)?.as_bytes())?;
        }
        let summary = format::render_scan(Format::Markdown, scan, &options)?;
        file::write(&out.join(Format::Markdown.file_name()), summary.as_bytes())?;
        if self.inputs.annotations {
            print(&format::render_scan(Format::Github, &outside, &options)?)?;
        }
        self.summarise(&summary)?;
        self.name(AUDIT.iter().map(|(name, path, _)| (*name, *path)))?;
        self.step.set(
            "status",
            match scan.worst() {
                Some(Severity::Error) => "failed",
                Some(Severity::Warning) => "warning",
                Some(Severity::Note) | None => "passed",
            },
        )?;
        Ok(self.inputs.fail_on.scan(scan))
    }

    /// The value of `strategy.matrix` and the number of its jobs.
    pub(super) fn plan(&self, matrix: &str, jobs: usize) -> Result<(), CommandError> {
        self.step.set("matrix", matrix)?;
        Ok(self.step.set("count", &jobs.to_string())?)
    }

    fn summarise(&self, markdown: &str) -> Result<(), CommandError> {
        if self.inputs.summary {
            self.step.summarise(&format::truncate(markdown, self.step.room()))?;
        }
        Ok(())
    }

    /// Names reports in outputs, as other steps of the job find them.
    fn name<'a>(&self, reports: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), CommandError> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        self.step.set("report-dir", &path(&self.inputs.out))?;
        for (name, file) in reports {
            self.step.set(name, &path(&self.inputs.out.join(file)))?;
        }
        Ok(())
    }
}

/// The verdict in a word, whatever makes the step fail.
fn status(document: &Document) -> &'static str {
    let flaky = document.cells.iter().any(|cell| cell.status == Status::Flaky);
    match verdict(document) {
        _ if FailOn::Error.check(document) == exit::INTERRUPTED => "interrupted",
        Verdict::Analysis => "failed",
        Verdict::Infrastructure => "error",
        Verdict::Nothing => "nothing",
        Verdict::Good if flaky => "warning",
        Verdict::Good => "passed",
    }
}
