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

use crate::model::cell::{Outcome, Step, TestCase};
use crate::model::document::{Cell, Document, Status};

use super::ReportError;
use super::summary;
use super::text::{clean, ends, one_line};

/// Bytes kept of one text.
const MAX_TEXT: usize = 64 << 10;
/// Characters kept of an attribute.
const MAX_ATTRIBUTE: usize = 1000;

/// Writes the whole report, suite by suite.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> Result<(), ReportError> {
    let suites: Vec<Totals> = document.cells.iter().map(|cell| Totals::of(&cases(cell))).collect();
    let sum = |read: fn(&Totals) -> usize| suites.iter().map(read).sum::<usize>().to_string();
    let time: f64 = suites.iter().map(|totals| totals.seconds).sum();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", attribute(&document.analysis.name).as_str()));
    root.push_attribute(("tests", sum(|totals| totals.tests).as_str()));
    root.push_attribute(("failures", sum(|totals| totals.failures).as_str()));
    root.push_attribute(("errors", sum(|totals| totals.errors).as_str()));
    root.push_attribute(("time", seconds(time).as_str()));
    let mut writer = Writer::new(&mut *out);
    writer.write_event(Event::Start(root))?;
    for cell in &document.cells {
        suite(document, cell, writer.get_mut())?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    Ok(writeln!(out)?)
}

/// One test case on its way out.
struct Entry {
    case: Case,
    line: Option<u64>,
    seconds: f64,
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
    fn of(entries: &[Entry]) -> Self {
        let count = |wanted: fn(&Case) -> bool| entries.iter().filter(|entry| wanted(&entry.case)).count();
        Self {
            tests: entries.len(),
            failures: count(Case::is_failure),
            errors: count(Case::is_error),
            skipped: count(Case::is_skipped),
            seconds: entries.iter().map(|entry| entry.seconds).sum(),
        }
    }
}

fn suite(document: &Document, cell: &Cell, out: &mut dyn Write) -> Result<(), ReportError> {
    let entries = cases(cell);
    let totals = Totals::of(&entries);
    let times: Vec<(Option<u64>, f64)> = entries.iter().map(|entry| (entry.line, entry.seconds)).collect();
    let id = attribute(&cell.id);
    let suite = TestSuite {
        package: attribute(&cell.facility),
        hostname: attribute(&cell.facility),
        name: id,
        timestamp: OffsetDateTime::UNIX_EPOCH,
        testcases: entries.into_iter().map(|entry| entry.case).collect(),
        system_out: None,
        system_err: None,
    };
    let mut report = Report::new();
    report.add_testsuite(suite);
    let mut raw = Vec::new();
    report.write_xml(&mut raw).map_err(|error| ReportError::Form(error.to_string()))?;
    drop(report);
    let pass =
        Second { totals, times, started: local(&document.timing.started), properties: properties(document, cell) };
    pass.run(&raw, out)
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
fn attribute(text: &str) -> String {
    one_line(text, MAX_ATTRIBUTE)
}

/// The text as the body of an element: of the CDATA section that the first pass makes of it, which ends and starts anew
/// inside every `]]>`.
fn body(text: &str) -> String {
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

/// The test cases of a cell. One that didn't come to its tests has a case of its own that says why.
fn cases(cell: &Cell) -> Vec<Entry> {
    let mut names = Names::default();
    let mut entries = Vec::new();
    for step in &cell.steps {
        entries.extend(step.cases.iter().map(|case| entry(cell, step, case, &mut names)));
        if summary::broken_steps(cell).any(|broken| std::ptr::eq(broken, step)) {
            entries.push(broken(cell, step, &mut names));
        }
    }
    let bad = entries.iter().any(|entry| !entry.case.is_success() && !entry.case.is_skipped());
    let reason = cell.reason.as_deref().unwrap_or("no reason given");
    match cell.status {
        Status::Error => entries.push(whole(cell, Verdict::Error, "place", reason, &mut names)),
        Status::Skipped => entries.push(whole(cell, Verdict::Skipped, "not-run", reason, &mut names)),
        Status::Failed if !bad && !cell.is_forgiven() => {
            entries.push(whole(cell, Verdict::Failure, "failed", reason, &mut names));
        }
        // Readers take a suite without cases for a mistake.
        Status::Passed | Status::Flaky | Status::Failed if entries.is_empty() => {
            entries.push(whole(cell, Verdict::Success, "", "", &mut names));
        }
        Status::Passed | Status::Flaky | Status::Failed => {}
    }
    entries
}

/// The four things a JUnit case can be.
#[derive(Clone, Copy)]
enum Verdict {
    Success,
    Skipped,
    Failure,
    Error,
}

impl Verdict {
    /// A result whose text repeats the message, for readers that show the text alone.
    fn result(self, kind: &str, message: &str, text: &str) -> TestResult {
        let (type_, cause) = (kind.to_owned(), Some(body(text)).filter(|text| !text.is_empty()));
        let message = attribute(message);
        match self {
            Self::Success => TestResult::Success,
            Self::Skipped => TestResult::SkippedWithCause { type_, message, cause },
            Self::Failure => TestResult::Failure { type_, message, cause },
            Self::Error => TestResult::Error { type_, message, cause },
        }
    }
}

fn entry(cell: &Cell, step: &Step, case: &TestCase, names: &mut Names) -> Entry {
    let reason = summary::case_reason(case);
    let output = case.output.as_ref().map(|output| output.text.as_str()).unwrap_or_default();
    let text = match (case.message.trim(), output) {
        ("", "") => reason.clone(),
        (message, "") => message.to_owned(),
        ("", output) => output.to_owned(),
        (message, output) if output.contains(message) => output.to_owned(),
        (message, output) => format!("{message}\n{output}"),
    };
    let result = match case.outcome {
        Outcome::Passed | Outcome::Flaky => TestResult::Success,
        Outcome::Skipped => Verdict::Skipped.result("skipped", &reason, &text),
        Outcome::Failed => bad(cell, "failed", &reason, &text),
        // A fixture that fails is the analysis's doing: `error` is kept for places that failed us.
        Outcome::Errored => bad(cell, "broke", &reason, &text),
    };
    let note = "flaky: failed first, passed when tried again";
    let flaky = (case.outcome == Outcome::Flaky).then(|| body(&format!("{note}\n{output}")));
    let (classname, name) = names.unique(&cell.id, &case.class, &case.name, &step.name);
    Entry {
        case: Case {
            name,
            time: Duration::ZERO,
            result,
            classname: Some(classname),
            filepath: case.file.as_deref().map(attribute),
            system_out: flaky,
            system_err: None,
        },
        line: case.line,
        seconds: case.timing.seconds,
    }
}

/// A failure, unless `carnet.toml` expects failures here: then it is skipped, as frameworks do with expected failures.
fn bad(cell: &Cell, kind: &str, message: &str, text: &str) -> TestResult {
    match &cell.forgiven {
        Some(why) if cell.is_forgiven() => {
            Verdict::Skipped.result("expected-failure", &format!("expected to fail ({why}): {message}"), text)
        }
        _ => Verdict::Failure.result(kind, message, text),
    }
}

/// A command that ended badly although no case of its own says so.
fn broken(cell: &Cell, step: &Step, names: &mut Names) -> Entry {
    let reason = summary::step_reason(step);
    let output = step.output.as_ref().map(|output| output.text.as_str()).unwrap_or_default();
    let result = bad(cell, "command", &reason, &format!("{reason}\n$ {}\n{output}", step.run));
    let (classname, name) = names.unique(&cell.id, "carnet", &step.name, &step.name);
    plain(name, classname, result, step.timing.seconds)
}

/// A case that stands for the cell itself.
fn whole(cell: &Cell, verdict: Verdict, kind: &str, reason: &str, names: &mut Names) -> Entry {
    let text = cell.hint.as_ref().map_or_else(|| reason.to_owned(), |hint| format!("{reason}\nhelp: {hint}"));
    let (classname, name) = names.unique(&cell.id, "carnet", "cell", "cell");
    plain(name, classname, verdict.result(kind, reason, &text), 0.0)
}

fn plain(name: String, classname: String, result: TestResult, seconds: f64) -> Entry {
    let case = Case {
        name,
        time: Duration::ZERO,
        result,
        classname: Some(classname),
        filepath: None,
        system_out: None,
        system_err: None,
    };
    Entry { case, line: None, seconds }
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
