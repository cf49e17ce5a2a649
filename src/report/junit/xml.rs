//! Writes `junit-report` suites as XML.
//!
//! The writer of the crate has no properties, no count of skipped tests, no `line` attribute and no zoneless timestamps, and
//! it copies `]]>` into CDATA sections. The elements and their order are those of the crate.

use std::io::Write;

use junit_report::{Duration, OffsetDateTime, TestCase, TestResult, TestSuite};
use quick_xml::Writer;
use quick_xml::events::{BytesCData, BytesEnd, BytesStart, Event};

use super::attribute;
use crate::report::ReportError;

/// Maximum time of a test in seconds.
const MAX_SECONDS: f64 = 1e9;

/// A test suite with the facts that `junit-report` has no field for.
pub(in crate::report) struct Suite {
    pub(in crate::report) suite: TestSuite,
    /// Source line of each test case.
    pub(in crate::report) lines: Vec<Option<u64>>,
    pub(in crate::report) properties: Vec<(String, String)>,
}

/// Counts and time of all suites, for the root element.
#[derive(Default)]
pub(in crate::report) struct Totals {
    pub(in crate::report) tests: usize,
    pub(in crate::report) failures: usize,
    pub(in crate::report) errors: usize,
    pub(in crate::report) time: Duration,
}

impl Totals {
    /// Adds up the suites.
    pub(in crate::report) fn new(suites: &[Suite]) -> Self {
        suites.iter().map(|suite| &suite.suite).fold(Self::default(), |sum, suite| Self {
            tests: sum.tests + suite.tests(),
            failures: sum.failures + suite.failures(),
            errors: sum.errors + suite.errors(),
            time: sum.time + suite.time(),
        })
    }
}

/// Writes the XML declaration and the start of the root element.
pub(in crate::report) fn begin(out: &mut dyn Write, name: &str, totals: &Totals) -> Result<(), ReportError> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let root = BytesStart::new("testsuites").with_attributes([
        ("name", attribute(name).as_str()),
        ("tests", &totals.tests.to_string()),
        ("failures", &totals.failures.to_string()),
        ("errors", &totals.errors.to_string()),
        ("time", &seconds(totals.time)),
    ]);
    Ok(Writer::new(out).write_event(Event::Start(root))?)
}

/// Writes the end of the root element.
pub(in crate::report) fn end(out: &mut dyn Write) -> Result<(), ReportError> {
    Writer::new(&mut *out).write_event(Event::End(BytesEnd::new("testsuites")))?;
    Ok(writeln!(out)?)
}

impl Suite {
    /// Returns the `testsuite` element.
    pub(in crate::report) fn xml(&self) -> Result<Vec<u8>, ReportError> {
        let mut writer = Writer::new(Vec::new());
        let suite = &self.suite;
        let mut head = BytesStart::new("testsuite").with_attributes([
            ("name", suite.name.as_str()),
            ("package", &suite.package),
            ("tests", &suite.tests().to_string()),
            ("errors", &suite.errors().to_string()),
            ("failures", &suite.failures().to_string()),
            ("hostname", &suite.hostname),
        ]);
        if suite.timestamp != OffsetDateTime::UNIX_EPOCH {
            head.push_attribute(("timestamp", timestamp(suite.timestamp).as_str()));
        }
        head.push_attribute(("time", seconds(suite.time()).as_str()));
        head.push_attribute(("skipped", suite.skipped().to_string().as_str()));
        writer.write_event(Event::Start(head))?;
        self.write_properties(&mut writer)?;
        let lines = self.lines.iter().copied().chain(std::iter::repeat(None));
        for (case, line) in suite.testcases.iter().zip(lines) {
            write_case(&mut writer, case, line)?;
        }
        writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
        Ok(writer.into_inner())
    }

    fn write_properties<W: Write>(&self, writer: &mut Writer<W>) -> Result<(), ReportError> {
        writer.write_event(Event::Start(BytesStart::new("properties")))?;
        for (name, value) in &self.properties {
            let attributes = [("name", name.as_str()), ("value", &attribute(value))];
            writer.write_event(Event::Empty(BytesStart::new("property").with_attributes(attributes)))?;
        }
        Ok(writer.write_event(Event::End(BytesEnd::new("properties")))?)
    }
}

fn write_case<W: Write>(writer: &mut Writer<W>, case: &TestCase, line: Option<u64>) -> Result<(), ReportError> {
    let time = seconds(case.time);
    let line = line.map(|line| line.to_string());
    let attributes = [
        Some(("name", case.name.as_str())),
        Some(("time", time.as_str())),
        case.classname.as_deref().map(|name| ("classname", name)),
        case.filepath.as_deref().map(|path| ("file", path)),
        line.as_deref().map(|line| ("line", line)),
    ];
    let start = BytesStart::new("testcase").with_attributes(attributes.into_iter().flatten());
    if case.is_success() && case.system_out.is_none() {
        return Ok(writer.write_event(Event::Empty(start))?);
    }
    writer.write_event(Event::Start(start))?;
    match &case.result {
        TestResult::Success => {}
        TestResult::Skipped => writer.write_event(Event::Empty(BytesStart::new("skipped")))?,
        TestResult::SkippedWithCause { type_, message, cause } => {
            write_result(writer, "skipped", type_, message, cause.as_deref())?;
        }
        TestResult::Failure { type_, message, cause } => {
            write_result(writer, "failure", type_, message, cause.as_deref())?;
        }
        TestResult::Error { type_, message, cause } => write_result(writer, "error", type_, message, cause.as_deref())?,
    }
    if let Some(text) = &case.system_out {
        writer.write_event(Event::Start(BytesStart::new("system-out")))?;
        write_text(writer, text)?;
        writer.write_event(Event::End(BytesEnd::new("system-out")))?;
    }
    Ok(writer.write_event(Event::End(BytesEnd::new("testcase")))?)
}

fn write_result<W: Write>(
    writer: &mut Writer<W>,
    element: &str,
    kind: &str,
    message: &str,
    cause: Option<&str>,
) -> Result<(), ReportError> {
    let start = BytesStart::new(element).with_attributes([("type", kind), ("message", message)]);
    let Some(cause) = cause else { return Ok(writer.write_event(Event::Empty(start))?) };
    writer.write_event(Event::Start(start))?;
    write_text(writer, cause)?;
    Ok(writer.write_event(Event::End(BytesEnd::new(element)))?)
}

/// Writes the text as CDATA sections; a second one begins inside every `]]>`.
fn write_text<W: Write>(writer: &mut Writer<W>, text: &str) -> Result<(), ReportError> {
    for section in BytesCData::escaped(text) {
        writer.write_event(Event::CData(section))?;
    }
    Ok(())
}

/// Returns a time of at most [`MAX_SECONDS`]; zero if it is negative or not finite.
pub(super) fn time(seconds: f64) -> Duration {
    Duration::seconds_f64(if seconds.is_finite() { seconds.clamp(0.0, MAX_SECONDS) } else { 0.0 })
}

/// Parses an RFC 3339 timestamp. Returns the Unix epoch, which is not written, if the text is invalid.
pub(in crate::report) fn parse_timestamp(text: &str) -> OffsetDateTime {
    let time = text.parse::<jiff::Timestamp>().ok();
    time.and_then(|time| OffsetDateTime::from_unix_timestamp(time.as_second()).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_seconds_f64())
}

/// Formats a UTC time as the schema requires it, without a zone.
fn timestamp(time: OffsetDateTime) -> String {
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::{parse_timestamp, seconds, time, timestamp};

    #[test]
    fn times_have_milliseconds_and_a_limit() {
        assert_eq!(
            [0.0849, 6.0, f64::NAN, -1.0].map(|value| seconds(time(value))),
            ["0.085", "6.000", "0.000", "0.000"]
        );
        assert_eq!(seconds(time(f64::MAX)), "1000000000.000");
    }

    #[test]
    fn timestamps_have_no_zone() {
        assert_eq!(timestamp(parse_timestamp("2026-11-22T11:00:05.5+01:00")), "2026-11-22T10:00:05");
    }
}
