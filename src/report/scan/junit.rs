//! JUnit XML of a scan, with one suite per rule and one case per finding. Errors are failures, suppressed findings are
//! skipped, and other findings pass with their text in `system-out`. A rule without findings is one case that passes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use junit_report::{TestCase as Case, TestResult, TestSuite};

use super::super::ReportError;
use super::super::junit::{self, Suite, Totals, attribute, body};
use super::tally;
use crate::model::finding::{Finding, Severity};
use crate::model::scan::Scan;
use crate::model::text::one_line;

/// Renders the report.
pub(in super::super) fn render(scan: &Scan) -> Result<String, ReportError> {
    let mut suites: BTreeMap<&str, Vec<&Finding>> =
        scan.rules.iter().map(|rule| (rule.id.as_str(), Vec::new())).collect();
    for finding in &scan.findings {
        suites.entry(&finding.rule).or_default().push(finding);
    }
    let suites: Vec<Suite> = suites.into_iter().map(|(rule, findings)| suite(scan, rule, &findings)).collect();
    let mut out = Vec::new();
    junit::begin(&mut out, &format!("carnet scan: {}", scan.analysis.name), &Totals::new(&suites))?;
    for suite in suites {
        out.write_all(&suite.xml()?)?;
    }
    junit::end(&mut out)?;
    String::from_utf8(out).map_err(|error| ReportError::Form(error.to_string()))
}

fn suite(scan: &Scan, rule: &str, findings: &[&Finding]) -> Suite {
    let mut names = BTreeSet::new();
    let mut cases: Vec<Case> = findings.iter().map(|finding| case(finding, &mut names)).collect();
    if cases.is_empty() {
        cases.push(junit::plain(class(rule), "no findings".to_owned(), TestResult::Success));
    }
    let mut properties =
        vec![("carnet.version".to_owned(), scan.version.clone()), ("rule".to_owned(), rule.to_owned())];
    properties.extend(scan.analysis.commit.clone().map(|commit| ("commit".to_owned(), commit)));
    let suite = TestSuite {
        name: attribute(rule),
        package: "carnet-scan".to_owned(),
        timestamp: junit::parse_timestamp(&scan.timing.started),
        hostname: "carnet-scan".to_owned(),
        testcases: cases,
        system_out: None,
        system_err: None,
    };
    let lines = findings.iter().map(|finding| Some(u64::from(tally::line(finding)))).collect();
    Suite { suite, lines, properties }
}

/// Returns the class name. Readers split it at dots.
fn class(rule: &str) -> String {
    format!("carnet-scan.{}", attribute(rule).replace('.', "-"))
}

fn case(finding: &Finding, names: &mut BTreeSet<String>) -> Case {
    let message = format!("{}{}", finding.message, tally::times(finding));
    let text = text(finding);
    let (kind, attribute_text, cause) = (finding.rule.clone(), attribute(&message), Some(body(&text)));
    let result = match (&finding.suppressed, finding.severity) {
        (Some(suppression), _) => TestResult::SkippedWithCause {
            type_: "suppressed".to_owned(),
            message: attribute(&suppression.reason),
            cause,
        },
        (None, Severity::Error) => TestResult::Failure { type_: attribute(&kind), message: attribute_text, cause },
        (None, Severity::Warning | Severity::Note) => TestResult::Success,
    };
    let passes = matches!(result, TestResult::Success);
    let plain = junit::plain(class(&finding.rule), name(finding, names), result);
    Case {
        filepath: (finding.path != ".").then(|| attribute(&finding.path)),
        system_out: passes.then(|| body(&format!("{}: {text}", finding.severity.word()))),
        ..plain
    }
}

/// Returns a name that is unique in its suite. It has no line number, because readers would treat a moved finding as a new
/// test.
fn name(finding: &Finding, names: &mut BTreeSet<String>) -> String {
    let base = attribute(&format!("{}: {}", finding.path, finding.message));
    let numbered = (2_u64..).map(|number| format!("{base} ({number})"));
    let name = std::iter::once(base.clone()).chain(numbered).find(|name| !names.contains(name)).unwrap_or(base);
    names.insert(name.clone());
    name
}

fn text(finding: &Finding) -> String {
    let mut lines =
        vec![format!("{}:{}: {}{}", finding.path, tally::line(finding), finding.message, tally::times(finding))];
    lines.extend(finding.source.as_ref().map(|source| format!("    {}", source.trim())));
    lines.extend(tally::reach(finding));
    lines.extend(finding.help.as_ref().map(|help| format!("help: {}", one_line(help, 1000))));
    lines.join("\n")
}
