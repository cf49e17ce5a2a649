//! Publishes reports, annotations, the summary and the outputs of a step.

use std::path::Path;

use super::super::super::error::{CommandError, Outcome};
use super::super::super::fail_on::FailOn;
use super::super::super::output::{create_report_dir, print, print_exact, render, report_options, write_reports};
use super::inputs::Inputs;
use crate::exit;
use crate::model::document::{Cell, Document, Status};
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::model::verdict::{Verdict, verdict};
use crate::report::{self, Format};
use crate::ui::TerminalStyle;
use crate::ui::github::{Step, UntrustedLog};

/// Outputs of a check, with the names of their reports.
const REPORTS: [(&str, &str); 4] =
    [("document", "carnet.json"), ("junit", "junit.xml"), ("sarif", "carnet.sarif"), ("html", "report.html")];
/// Outputs of a scan, with the names and formats of their reports.
const SCAN_REPORTS: [(&str, &str, Format); 3] = [
    ("document", "scan.json", Format::Json),
    ("junit", "junit.xml", Format::Junit),
    ("sarif", "carnet.sarif", Format::Sarif),
];

/// Publishes the results of a step.
pub(super) struct Publisher<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) step: &'a Step,
    pub(super) style: &'a TerminalStyle,
}

impl Publisher<'_> {
    /// Prints the report to the log.
    pub(super) fn print_document(&self, document: &Document) -> Result<(), CommandError> {
        Ok(print(&render(document, Format::Human, self.style)?)?)
    }

    /// Prints the output of failed tests to the log, in collapsed groups named after their cells.
    pub(super) fn print_test_output(&self, document: &Document) -> Result<(), CommandError> {
        for output in report::outputs(document) {
            print_exact(&report::github::group(&output.title))?;
            let untrusted = UntrustedLog::begin()?;
            print(&output.text)?;
            drop(untrusted);
            print_exact(report::github::GROUP_END)?;
        }
        Ok(())
    }

    /// Prints the findings to the log.
    pub(super) fn print_scan(&self, scan: &Scan) -> Result<(), CommandError> {
        Ok(print(&report::render_scan(Format::Human, scan, &report_options(self.style))?)?)
    }

    /// Publishes a document. Creates annotations for the cells for which `is_annotated` returns true.
    pub(super) fn publish_document(&self, document: &Document, is_annotated: &dyn Fn(&Cell) -> bool) -> Outcome {
        let out = &self.inputs.out;
        let dir = write_reports(document, out, self.style)?;
        if document.scan.is_some() {
            let text = render(document, Format::Sarif, self.style)?;
            dir.write(Format::Sarif.file_name(), text.as_bytes())?;
        }
        if self.inputs.annotations {
            print_exact(&report::github::annotations(document, is_annotated))?;
        }
        self.add_summary(&render(document, Format::Markdown, self.style)?)?;
        // An earlier run may have left a SARIF report.
        let is_stale = |name: &str| name == "sarif" && document.scan.is_none();
        let written = REPORTS.iter().filter(|(name, path)| !is_stale(name) && out.join(path).is_file());
        self.set_report_outputs(written.map(|(name, path)| (*name, *path)))?;
        self.step.set_output("status", status(document))?;
        Ok(self.inputs.fail_on.check(document))
    }

    /// Publishes a scan of an analysis that is in `directory` of its repository.
    pub(super) fn publish_scan(&self, scan: &Scan, directory: &str) -> Outcome {
        let options = report::Options::default();
        let scan_from_top = scan.clone().below(directory);
        let dir = create_report_dir(&self.inputs.out)?;
        for (_, path, format) in SCAN_REPORTS {
            let scan = if format == Format::Sarif { &scan_from_top } else { scan };
            dir.write(path, report::render_scan(format, scan, &options)?.as_bytes())?;
        }
        let summary = report::render_scan(Format::Markdown, scan, &options)?;
        dir.write(Format::Markdown.file_name(), summary.as_bytes())?;
        if self.inputs.annotations {
            print_exact(&report::render_scan(Format::Github, &scan_from_top, &options)?)?;
        }
        self.add_summary(&summary)?;
        self.set_report_outputs(SCAN_REPORTS.iter().map(|(name, path, _)| (*name, *path)))?;
        self.step.set_output(
            "status",
            match scan.worst() {
                Some(Severity::Error) => "failed",
                Some(Severity::Warning) => "warning",
                Some(Severity::Note) | None => "passed",
            },
        )?;
        Ok(self.inputs.fail_on.scan(scan))
    }

    /// Sets the outputs for `strategy.matrix` and the number of its jobs.
    pub(super) fn publish_plan(&self, matrix: &str, jobs: usize) -> Result<(), CommandError> {
        self.step.set_output("matrix", matrix)?;
        Ok(self.step.set_output("count", &jobs.to_string())?)
    }

    fn add_summary(&self, markdown: &str) -> Result<(), CommandError> {
        if self.inputs.summary {
            self.step.add_summary(&report::truncate(markdown, self.step.summary_capacity()))?;
        }
        Ok(())
    }

    /// Sets the outputs with the paths of the reports.
    fn set_report_outputs<'a>(&self, reports: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), CommandError> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        self.step.set_output("report-dir", &path(&self.inputs.out))?;
        for (name, file) in reports {
            self.step.set_output(name, &path(&self.inputs.out.join(file)))?;
        }
        Ok(())
    }
}

/// Returns the value of the output `status`, which does not depend on `fail-on`.
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
