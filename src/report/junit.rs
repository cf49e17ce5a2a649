//! JUnit XML with one suite per cell, in the dialect that GitLab, GitHub actions, Jenkins and the readers of pytest share.
//!
//! The schema is `junit-10.xsd` of Jenkins with the `file` and `line` attributes of pytest's old family. GitLab and
//! EnricoMi's action identify a test by `classname` and `name` only, so the class name begins with the cell. GitLab shows the
//! text of an element and not its message, so the text repeats the message. No reader has an element for flaky tests, so they
//! pass and `system-out` states that they are flaky.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use junit_report::{Duration, TestCase as Case, TestResult, TestSuite};

use crate::model::cell::{Captured, Outcome, Step, TestCase};
use crate::model::document::{Cell, Document, Status};
use crate::model::text::{clean, ends, one_line};

use super::summary;
use super::{ReportError, parallel};
use size::Lengths;
pub(super) use xml::{Suite, Totals, begin, end, parse_timestamp};

mod size;
mod xml;

/// Maximum size of a text in bytes.
const MAX_TEXT: usize = 64 << 10;
/// Maximum width of an attribute in columns.
const MAX_ATTRIBUTE: usize = 1000;

/// Writes the report, suite by suite. Returns what was shortened, if the report is too large for its readers.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> Result<Option<String>, ReportError> {
    let (totals, lengths) = totals(document);
    begin(out, &document.analysis.name, &totals)?;
    let sizes = lengths.sizes(size::MAX_BYTES);
    let mut written = 0;
    let make = |cell: &Cell| {
        let mut suite = suite(document, cell);
        if let Some(sizes) = sizes {
            sizes.apply(&mut suite.suite);
            suite.properties.push(("shortened".to_owned(), sizes.describe()));
        }
        suite.xml()
    };
    parallel::each(&document.cells, make, |xml| {
        let xml = xml?;
        written += xml.len();
        Ok::<_, ReportError>(out.write_all(&xml)?)
    })?;
    end(out)?;
    Ok(sizes.map(|sizes| sizes.note(written)))
}

/// Returns the totals of all suites, and their approximate lengths, without building them.
fn totals(document: &Document) -> (Totals, Lengths) {
    let (mut totals, mut lengths) = (Totals::default(), Lengths::default());
    for cell in &document.cells {
        lengths.add_suite();
        for item in outline(cell) {
            totals.tests += 1;
            totals.failures += usize::from(item.verdict == Verdict::Failure);
            totals.errors += usize::from(item.verdict == Verdict::Error);
            totals.time += item.time();
            match item.source {
                Source::Test(_, case) if case.outcome == Outcome::Passed => {
                    lengths.add_case(&cell.id, [&case.class, &case.name, case.file.as_deref().unwrap_or_default()]);
                }
                _ => lengths.add_built(&item.case(cell, &mut Names::default())),
            }
        }
    }
    (totals, lengths)
}

fn suite(document: &Document, cell: &Cell) -> Suite {
    let items = outline(cell);
    let mut names = Names::default();
    let suite = TestSuite {
        package: attribute(&cell.facility),
        hostname: attribute(&cell.facility),
        name: attribute(&cell.id),
        timestamp: parse_timestamp(&document.timing.started),
        testcases: items.iter().map(|item| item.case(cell, &mut names)).collect(),
        system_out: None,
        system_err: None,
    };
    let lines = items.iter().map(Item::line).collect();
    Suite { suite, lines, properties: properties(document, cell) }
}

/// Returns the text as one clean line for an attribute.
pub(super) fn attribute(text: &str) -> String {
    one_line(text, MAX_ATTRIBUTE)
}

/// Returns the text, clean and within the maximum size, for the body of an element.
pub(super) fn body(text: &str) -> String {
    ends(&clean(text), MAX_TEXT).into_owned()
}

/// Returns the properties of a suite: the analysis, the facility and the environment.
fn properties(document: &Document, cell: &Cell) -> Vec<(String, String)> {
    let mut list: Vec<(&str, String)> = vec![
        ("carnet.version", document.version.clone()),
        ("analysis", document.analysis.name.clone()),
        ("facility", cell.facility.clone()),
        ("status", status(cell.status).to_owned()),
    ];
    let mut add = |name, value: Option<String>| list.extend(value.map(|value| (name, value)));
    add("commit", document.analysis.commit.clone());
    add("tree", Some(document.analysis.tree.digest.to_string()));
    add("role", cell.role.clone());
    add("engine", Some(cell.engine.clone()).filter(|engine| !engine.is_empty()));
    if let Some(image) = &cell.image {
        add("image", Some(image.reference.clone()));
        add("image.platform", Some(image.platform.clone()));
        add("image.manifest", image.manifest_digest.as_ref().map(ToString::to_string));
        add("image.config", image.config_digest.as_ref().map(ToString::to_string));
    }
    add("environment", cell.environment.as_ref().map(ToString::to_string));
    add("cached", cell.cached.then(|| "true".to_owned()));
    add("forgiven", cell.expected_failure.clone());
    let not_enforced = cell.not_enforced.iter().map(|part| ("not-enforced", part.clone()));
    list.into_iter().chain(not_enforced).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Flaky => "flaky",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
        Status::Error => "error",
    }
}

/// A test case before it has a unique name.
struct Item<'a> {
    verdict: Verdict,
    source: Source<'a>,
}

/// The part of a cell that a case of the report represents.
enum Source<'a> {
    /// A test case.
    Test(&'a Step, &'a TestCase),
    /// A command that failed although none of its test cases did, or whose test cases are unknown.
    Command(&'a Step),
    /// The cell itself, with the type of the result.
    Cell(&'static str),
}

/// The result of a JUnit case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Success,
    Skipped,
    Failure,
    Error,
}

impl Verdict {
    /// Returns the verdict of a failed test: skipped if `carnet.toml` expects the cell to fail, as test frameworks report
    /// expected failures.
    fn bad(cell: &Cell) -> Self {
        if cell.is_expected_failure() { Self::Skipped } else { Self::Failure }
    }

    fn of(cell: &Cell, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed | Outcome::Flaky => Self::Success,
            Outcome::Skipped => Self::Skipped,
            // A failed fixture is a fault of the analysis. Errors are reserved for the infrastructure.
            Outcome::Failed | Outcome::Errored => Self::bad(cell),
        }
    }

    /// Returns the result of a case. Its text repeats the message, because some readers show only the text.
    fn result(self, kind: &str, message: &str, text: &str) -> TestResult {
        let (type_, message) = (kind.to_owned(), attribute(message));
        let cause = || Some(body(text)).filter(|text| !text.is_empty());
        match self {
            Self::Success => TestResult::Success,
            Self::Skipped => TestResult::SkippedWithCause { type_, message, cause: cause() },
            Self::Failure => TestResult::Failure { type_, message, cause: cause() },
            Self::Error => TestResult::Error { type_, message, cause: cause() },
        }
    }
}

/// Returns the test cases of a cell. A cell that did not run its tests has one case with the reason.
fn outline(cell: &Cell) -> Vec<Item<'_>> {
    let broken: Vec<&Step> = summary::broken_steps(cell).collect();
    let mut items = Vec::new();
    for step in &cell.steps {
        let tests = step.cases.iter().map(|case| (Verdict::of(cell, case.outcome), Source::Test(step, case)));
        items.extend(tests.map(|(verdict, source)| Item { verdict, source }));
        if broken.iter().any(|broken| std::ptr::eq(*broken, step)) {
            // A step whose cases are unknown can succeed.
            let verdict = if step.end.is_success() { Verdict::Success } else { Verdict::bad(cell) };
            items.push(Item { verdict, source: Source::Command(step) });
        }
    }
    let failed = items.iter().any(|item| item.verdict == Verdict::Failure);
    let whole = match cell.status {
        Status::Error => Some((Verdict::Error, "infrastructure")),
        Status::Skipped => Some((Verdict::Skipped, "not-run")),
        Status::Failed if !failed && !cell.is_expected_failure() => Some((Verdict::Failure, "failed")),
        // Readers treat a suite without cases as an error.
        Status::Failed if items.is_empty() => Some((Verdict::Skipped, "expected-failure")),
        Status::Passed | Status::Flaky if items.is_empty() => Some((Verdict::Success, "")),
        Status::Passed | Status::Flaky | Status::Failed => None,
    };
    items.extend(whole.map(|(verdict, kind)| Item { verdict, source: Source::Cell(kind) }));
    items
}

impl Item<'_> {
    fn time(&self) -> Duration {
        xml::time(match self.source {
            Source::Test(_, case) => case.timing.seconds,
            Source::Command(step) => step.timing.seconds,
            Source::Cell(_) => 0.0,
        })
    }

    fn line(&self) -> Option<u64> {
        match self.source {
            Source::Test(_, case) => case.line,
            Source::Command(_) | Source::Cell(_) => None,
        }
    }

    fn case(&self, cell: &Cell, names: &mut Names) -> Case {
        match self.source {
            Source::Test(step, case) => {
                let (classname, name) = names.unique(&cell.id, &case.class, &case.name, &step.name);
                let flaky = (case.outcome == Outcome::Flaky).then(|| body(&flaky_note(case)));
                let filepath = case.file.as_deref().map(attribute);
                Case { filepath, system_out: flaky, ..self.plain(classname, name, self.test(cell, case)) }
            }
            Source::Command(step) => {
                let (classname, name) = names.unique(&cell.id, "carnet", &step.name, &step.name);
                let reason = summary::step_reason(step);
                let text = format!("{reason}\n$ {}\n{}", step.run, output(step.output.as_ref()));
                let result = self.verdict.result("command", &expected(cell, &reason), &text);
                let note = (self.verdict == Verdict::Success).then(|| body(&text));
                Case { system_out: note, ..self.plain(classname, name, result) }
            }
            Source::Cell(kind) => {
                let (classname, name) = names.unique(&cell.id, "carnet", "cell", "cell");
                let reason = cell.reason.as_deref().unwrap_or("no reason given");
                let help = cell.hint.as_ref().map_or_else(String::new, |hint| format!("\nhelp: {hint}"));
                let result = self.verdict.result(kind, &expected(cell, reason), &format!("{reason}{help}"));
                self.plain(classname, name, result)
            }
        }
    }

    fn plain(&self, classname: String, name: String, result: TestResult) -> Case {
        Case { time: self.time(), ..plain(classname, name, result) }
    }

    fn test(&self, cell: &Cell, case: &TestCase) -> TestResult {
        if self.verdict == Verdict::Success {
            return TestResult::Success;
        }
        let reason = summary::case_reason(case);
        let text = match (case.message.trim(), output(case.output.as_ref())) {
            ("", "") => reason.clone(),
            (message, "") => message.to_owned(),
            ("", output) => output.to_owned(),
            (message, output) if output.contains(message) => output.to_owned(),
            (message, output) => format!("{message}\n{output}"),
        };
        match case.outcome {
            Outcome::Skipped => self.verdict.result("skipped", &reason, &text),
            _ if cell.is_expected_failure() => self.verdict.result("expected-failure", &expected(cell, &reason), &text),
            Outcome::Errored => self.verdict.result("broke", &expected(cell, &reason), &text),
            _ => self.verdict.result("failed", &expected(cell, &reason), &text),
        }
    }
}

/// Returns the message of a failure, with the reason from `carnet.toml` if the failure is expected.
fn expected(cell: &Cell, message: &str) -> String {
    match &cell.expected_failure {
        Some(why) if cell.is_expected_failure() => format!("expected to fail ({why}): {message}"),
        _ => message.to_owned(),
    }
}

fn flaky_note(case: &TestCase) -> String {
    format!("flaky: failed first, passed on retry\n{}", output(case.output.as_ref()))
}

fn output(captured: Option<&Captured>) -> &str {
    captured.map(|captured| captured.text.as_str()).unwrap_or_default()
}

/// Returns a case without a file and a time.
pub(super) fn plain(classname: String, name: String, result: TestResult) -> Case {
    Case {
        name,
        time: Duration::ZERO,
        result,
        classname: Some(classname),
        filepath: None,
        system_out: None,
        system_err: None,
    }
}

/// Names used in one cell. Readers drop a second test of the same class and name.
#[derive(Default)]
struct Names {
    taken: BTreeSet<(String, String)>,
    repeats: BTreeMap<(String, String), usize>,
}

impl Names {
    /// Returns the class name, which begins with the cell, and a name that is unique in the class.
    fn unique(&mut self, cell: &str, class: &str, name: &str, step: &str) -> (String, String) {
        // Readers split the class name at dots: the cell must be one component.
        let cell = attribute(cell).replace('.', "-");
        let class = attribute(class);
        let classname = if class.is_empty() { cell } else { format!("{cell}.{class}") };
        let name = if name.trim().is_empty() { "unnamed".to_owned() } else { attribute(name) };
        let key = (classname, name);
        if self.taken.insert(key.clone()) {
            return key;
        }
        let named = (key.0.clone(), format!("{} [{}]", key.1, attribute(step)));
        if self.taken.insert(named.clone()) {
            return named;
        }
        let repeats = self.repeats.entry(key.clone()).or_insert(1);
        loop {
            *repeats += 1;
            let counted = (key.0.clone(), format!("{} ({repeats})", key.1));
            if self.taken.insert(counted.clone()) {
                return counted;
            }
        }
    }
}
