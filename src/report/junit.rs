//! JUnit XML: one suite a cell, in the form that GitLab, GitHub actions, Jenkins and pytest's readers agree on.
//!
//! The schema is Jenkins's `junit-10.xsd` with the `file` and `line` attributes of pytest's old family. What readers key
//! on decides the rest: GitLab and EnricoMi's action know a test by `classname` and `name` alone, so the cell comes first
//! in the class name; GitLab shows the text of an element and not its message, so the message stands in both; none knows
//! an element for flaky tests, so they pass and say so in `system-out`.
//!
//! Two passes: the `junit-report` crate writes a suite, then the events of its XML get what it has no means for
//! (properties, counts of skipped tests, lines, times to the millisecond). What goes
//! into it was cleaned before, since it writes control characters and `]]>` as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use junit_report::{Duration, OffsetDateTime, Report, TestCase as Case, TestResult, TestSuite};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesEnd, BytesStart, Event};
use quick_xml::{Reader, Writer};

use crate::model::cell::{Captured, Outcome, Step, TestCase};
use crate::model::document::{Cell, Document, Status};

use super::summary;
use super::{ReportError, parallel};
use crate::model::text::{clean, ends, one_line};

/// Bytes kept of one text.
const MAX_TEXT: usize = 64 << 10;
/// Characters kept of an attribute.
const MAX_ATTRIBUTE: usize = 1000;

/// Writes the whole report, suite by suite.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> Result<(), ReportError> {
    let totals: Vec<Totals> = document.cells.iter().map(|cell| Totals::of(&outline(cell))).collect();
    begin_with(out, &document.analysis.name, &totals)?;
    let mut take = |made: Result<Vec<u8>, ReportError>| Ok::<_, ReportError>(out.write_all(&made?)?);
    parallel::each(&document.cells, |cell| suite(document, cell), &mut take)?;
    end(out)
}

/// The head of a report and the start of its root.
pub(super) fn begin(out: &mut dyn Write, name: &str, suites: &[Suite]) -> Result<(), ReportError> {
    let totals: Vec<Totals> = suites.iter().map(Suite::totals).collect();
    begin_with(out, name, &totals)
}

fn begin_with(out: &mut dyn Write, name: &str, suites: &[Totals]) -> Result<(), ReportError> {
    let sum = |read: fn(&Totals) -> usize| suites.iter().map(read).sum::<usize>().to_string();
    let time: f64 = suites.iter().map(|totals| totals.seconds).sum();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", attribute(name).as_str()));
    root.push_attribute(("tests", sum(|totals| totals.tests).as_str()));
    root.push_attribute(("failures", sum(|totals| totals.failures).as_str()));
    root.push_attribute(("errors", sum(|totals| totals.errors).as_str()));
    root.push_attribute(("time", seconds(time).as_str()));
    Ok(Writer::new(out).write_event(Event::Start(root))?)
}

/// The end of the root.
pub(super) fn end(out: &mut dyn Write) -> Result<(), ReportError> {
    Writer::new(&mut *out).write_event(Event::End(BytesEnd::new("testsuites")))?;
    Ok(writeln!(out)?)
}

/// A suite whose cases take no time: of a static audit.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) package: String,
    /// Start, RFC 3339; left out when it is none.
    pub(super) started: String,
    /// Cases, each with its line.
    pub(super) cases: Vec<(Case, Option<u64>)>,
    pub(super) properties: Vec<(String, String)>,
}

impl Suite {
    fn totals(&self) -> Totals {
        let count =
            |wanted: fn(&TestResult) -> bool| self.cases.iter().filter(|(case, _)| wanted(&case.result)).count();
        Totals {
            tests: self.cases.len(),
            failures: count(|result| matches!(result, TestResult::Failure { .. })),
            errors: count(|result| matches!(result, TestResult::Error { .. })),
            skipped: count(|result| matches!(result, TestResult::Skipped | TestResult::SkippedWithCause { .. })),
            seconds: 0.0,
        }
    }

    /// The element.
    pub(super) fn xml(self) -> Result<Vec<u8>, ReportError> {
        let pass = Second {
            totals: self.totals(),
            times: self.cases.iter().map(|(_, line)| (*line, 0.0)).collect(),
            started: local(&self.started),
            properties: self.properties,
        };
        pass.of(TestSuite {
            package: attribute(&self.package),
            hostname: attribute(&self.package),
            name: attribute(&self.name),
            timestamp: OffsetDateTime::UNIX_EPOCH,
            testcases: self.cases.into_iter().map(|(case, _)| case).collect(),
            system_out: None,
            system_err: None,
        })
    }
}

/// What the attributes of a suite count.
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    seconds: f64,
}

impl Totals {
    fn of(items: &[Item<'_>]) -> Self {
        let count = |wanted: Verdict| items.iter().filter(|item| item.verdict == wanted).count();
        Self {
            tests: items.len(),
            failures: count(Verdict::Failure),
            errors: count(Verdict::Error),
            skipped: count(Verdict::Skipped),
            seconds: items.iter().map(|item| item.seconds()).filter(|seconds| seconds.is_finite()).sum(),
        }
    }
}

fn suite(document: &Document, cell: &Cell) -> Result<Vec<u8>, ReportError> {
    let items = outline(cell);
    let totals = Totals::of(&items);
    let times: Vec<(Option<u64>, f64)> = items.iter().map(|item| (item.line(), item.seconds())).collect();
    let mut names = Names::default();
    let id = attribute(&cell.id);
    let suite = TestSuite {
        package: attribute(&cell.facility),
        hostname: attribute(&cell.facility),
        name: id,
        timestamp: OffsetDateTime::UNIX_EPOCH,
        testcases: items.iter().map(|item| item.case(cell, &mut names)).collect(),
        system_out: None,
        system_err: None,
    };
    let started = local(&document.timing.started);
    Second { totals, times, started, properties: properties(document, cell) }.of(suite)
}

/// What the second pass puts in.
struct Second {
    totals: Totals,
    /// Line and seconds of each test case.
    times: Vec<(Option<u64>, f64)>,
    /// Start of the run, when it is known.
    started: Option<String>,
    properties: Vec<(String, String)>,
}

impl Second {
    /// Both passes over a suite.
    fn of(&self, suite: TestSuite) -> Result<Vec<u8>, ReportError> {
        let mut report = Report::new();
        report.add_testsuite(suite);
        let mut raw = Vec::new();
        report.write_xml(&mut raw).map_err(|error| ReportError::Form(error.to_string()))?;
        drop(report);
        let mut out = Vec::with_capacity(raw.len() + raw.len() / 4);
        self.run(&raw, &mut out)?;
        Ok(out)
    }

    fn run(&self, raw: &[u8], out: &mut dyn Write) -> Result<(), ReportError> {
        let mut reader = Reader::from_reader(raw);
        let mut writer = Writer::new(out);
        let mut buffer = Vec::new();
        let mut times = self.times.iter();
        loop {
            match reader.read_event_into(&mut buffer).map_err(form)? {
                Event::Eof => return Ok(()),
                Event::Decl(_) => {}
                Event::Start(start) | Event::Empty(start) if start.name().as_ref() == b"testsuites" => {}
                Event::End(end) if end.name().as_ref() == b"testsuites" => {}
                Event::Start(start) if start.name().as_ref() == b"testsuite" => {
                    writer.write_event(Event::Start(self.head(&start)?))?;
                    self.write_properties(&mut writer)?;
                }
                Event::Empty(start) if start.name().as_ref() == b"testsuite" => {
                    writer.write_event(Event::Start(self.head(&start)?))?;
                    self.write_properties(&mut writer)?;
                    writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
                }
                Event::Start(start) if start.name().as_ref() == b"testcase" => {
                    writer.write_event(Event::Start(timed(&start, times.next())?))?;
                }
                Event::Empty(start) if start.name().as_ref() == b"testcase" => {
                    writer.write_event(Event::Empty(timed(&start, times.next())?))?;
                }
                other => writer.write_event(other)?,
            }
            buffer.clear();
        }
    }

    fn head(&self, start: &BytesStart<'_>) -> Result<BytesStart<'static>, ReportError> {
        let mut head = BytesStart::new("testsuite");
        for (key, value) in attributes(start)? {
            match key.as_str() {
                "id" => {}
                "time" => head.push_attribute(("time", seconds(self.totals.seconds).as_str())),
                "timestamp" => {
                    if let Some(started) = &self.started {
                        head.push_attribute(("timestamp", started.as_str()));
                    }
                }
                _ => head.push_attribute((key.as_str(), value.as_str())),
            }
        }
        head.push_attribute(("skipped", self.totals.skipped.to_string().as_str()));
        Ok(head)
    }

    fn write_properties<W: Write>(&self, writer: &mut Writer<W>) -> Result<(), ReportError> {
        writer.write_event(Event::Start(BytesStart::new("properties")))?;
        for (name, value) in &self.properties {
            let mut property = BytesStart::new("property");
            property.push_attribute(("name", name.as_str()));
            property.push_attribute(("value", attribute(value).as_str()));
            writer.write_event(Event::Empty(property))?;
        }
        Ok(writer.write_event(Event::End(BytesEnd::new("properties")))?)
    }
}

fn timed(start: &BytesStart<'_>, time: Option<&(Option<u64>, f64)>) -> Result<BytesStart<'static>, ReportError> {
    let (line, took) = time.copied().unwrap_or((None, 0.0));
    let mut case = BytesStart::new("testcase");
    for (key, value) in attributes(start)? {
        let value = if key == "time" { seconds(took) } else { value };
        case.push_attribute((key.as_str(), value.as_str()));
    }
    if let Some(line) = line {
        case.push_attribute(("line", line.to_string().as_str()));
    }
    Ok(case)
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, ReportError> {
    start
        .attributes()
        .map(|attribute| {
            let attribute = attribute.map_err(form)?;
            let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(form)?;
            Ok((key, value.into_owned()))
        })
        .collect()
}

fn form(error: impl std::fmt::Display) -> ReportError {
    ReportError::Form(error.to_string())
}

/// RFC 3339 in UTC as the schema's `YYYY-MM-DDThh:mm:ss`, which has no zone.
fn local(started: &str) -> Option<String> {
    let time = started.parse::<jiff::Timestamp>().ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// Seconds with three digits; what is no duration counts as none.
fn seconds(value: f64) -> String {
    format!("{:.3}", if value.is_finite() { value.clamp(0.0, 1e9) } else { 0.0 })
}

/// The text as one clean line, for an attribute.
pub(super) fn attribute(text: &str) -> String {
    one_line(text, MAX_ATTRIBUTE)
}

/// The text as the body of an element: of the CDATA section that the first pass makes of it, which ends and starts anew
/// inside every `]]>`.
pub(super) fn body(text: &str) -> String {
    ends(&clean(text), MAX_TEXT).replace("]]>", "]]]]><![CDATA[>")
}

/// What the suite says of its place.
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
    add("forgiven", cell.forgiven.clone());
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

/// A test case on its way out.
struct Item<'a> {
    verdict: Verdict,
    source: Source<'a>,
}

/// What a case of the report stands for.
enum Source<'a> {
    /// A test.
    Test(&'a Step, &'a TestCase),
    /// A command that ended badly although no case of its own says so.
    Command(&'a Step),
    /// The cell itself, which has a type and nothing to add but its reason.
    Cell(&'static str),
}

/// The four things a JUnit case can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Success,
    Skipped,
    Failure,
    Error,
}

impl Verdict {
    /// A failure, unless `carnet.toml` expects failures here: then it is skipped, as frameworks do with tests that are
    /// expected to fail.
    fn bad(cell: &Cell) -> Self {
        if cell.is_forgiven() { Self::Skipped } else { Self::Failure }
    }

    fn of(cell: &Cell, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed | Outcome::Flaky => Self::Success,
            Outcome::Skipped => Self::Skipped,
            // A fixture that fails is the analysis's doing: an error is kept for places that failed us.
            Outcome::Failed | Outcome::Errored => Self::bad(cell),
        }
    }

    /// A result whose text repeats the message, for readers that show the text alone.
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

/// The test cases of a cell. One that didn't come to its tests has a case of its own that says why.
fn outline(cell: &Cell) -> Vec<Item<'_>> {
    let broken: Vec<&Step> = summary::broken_steps(cell).collect();
    let mut items = Vec::new();
    for step in &cell.steps {
        let tests = step.cases.iter().map(|case| (Verdict::of(cell, case.outcome), Source::Test(step, case)));
        items.extend(tests.map(|(verdict, source)| Item { verdict, source }));
        if broken.iter().any(|broken| std::ptr::eq(*broken, step)) {
            items.push(Item { verdict: Verdict::bad(cell), source: Source::Command(step) });
        }
    }
    let failed = items.iter().any(|item| item.verdict == Verdict::Failure);
    let whole = match cell.status {
        Status::Error => Some((Verdict::Error, "place")),
        Status::Skipped => Some((Verdict::Skipped, "not-run")),
        Status::Failed if !failed && !cell.is_forgiven() => Some((Verdict::Failure, "failed")),
        // Readers take a suite without cases for a mistake.
        Status::Failed if items.is_empty() => Some((Verdict::Skipped, "expected-failure")),
        Status::Passed | Status::Flaky if items.is_empty() => Some((Verdict::Success, "")),
        Status::Passed | Status::Flaky | Status::Failed => None,
    };
    items.extend(whole.map(|(verdict, kind)| Item { verdict, source: Source::Cell(kind) }));
    items
}

impl Item<'_> {
    fn seconds(&self) -> f64 {
        match self.source {
            Source::Test(_, case) => case.timing.seconds,
            Source::Command(step) => step.timing.seconds,
            Source::Cell(_) => 0.0,
        }
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
                Case { filepath, system_out: flaky, ..plain(classname, name, self.test(cell, case)) }
            }
            Source::Command(step) => {
                let (classname, name) = names.unique(&cell.id, "carnet", &step.name, &step.name);
                let reason = summary::step_reason(step);
                let text = format!("{reason}\n$ {}\n{}", step.run, output(step.output.as_ref()));
                plain(classname, name, self.verdict.result("command", &expected(cell, &reason), &text))
            }
            Source::Cell(kind) => {
                let (classname, name) = names.unique(&cell.id, "carnet", "cell", "cell");
                let reason = cell.reason.as_deref().unwrap_or("no reason given");
                let help = cell.hint.as_ref().map_or_else(String::new, |hint| format!("\nhelp: {hint}"));
                plain(classname, name, self.verdict.result(kind, &expected(cell, reason), &format!("{reason}{help}")))
            }
        }
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
            _ if cell.is_forgiven() => self.verdict.result("expected-failure", &expected(cell, &reason), &text),
            Outcome::Errored => self.verdict.result("broke", &expected(cell, &reason), &text),
            _ => self.verdict.result("failed", &expected(cell, &reason), &text),
        }
    }
}

/// The message of a failure, which says so where `carnet.toml` expects it.
fn expected(cell: &Cell, message: &str) -> String {
    match &cell.forgiven {
        Some(why) if cell.is_forgiven() => format!("expected to fail ({why}): {message}"),
        _ => message.to_owned(),
    }
}

fn flaky_note(case: &TestCase) -> String {
    format!("flaky: failed first, passed when tried again\n{}", output(case.output.as_ref()))
}

fn output(captured: Option<&Captured>) -> &str {
    captured.map(|captured| captured.text.as_str()).unwrap_or_default()
}

/// A case without a place; its time is put in by the second pass.
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

/// Names given out in one cell: readers drop a second test of the same class and name.
#[derive(Default)]
struct Names {
    taken: BTreeSet<(String, String)>,
    repeats: BTreeMap<(String, String), usize>,
}

impl Names {
    /// Class name, the cell's name first, and a name that is new with it.
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
