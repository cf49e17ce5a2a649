//! Counts and short descriptions of findings that the formats share.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::model::finding::{Finding, Severity, Suppressor};
use crate::model::scan::Scan;
use crate::model::text::{self, count, list, one_line};

/// Maximum number of facilities named on one line.
const MAX_FACILITIES: usize = 5;

/// Returns the findings that are not suppressed, the most severe first, otherwise in their order.
pub(in super::super) fn reported(scan: &Scan) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = scan.findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    findings.sort_by_key(|finding| (Reverse(finding.severity), Reverse(finding.confidence)));
    findings
}

/// Returns the counts of the reported findings of a scan; `None` if there are none.
pub(in super::super) fn summary(scan: &Scan) -> Option<String> {
    sentence(reported(scan))
}

/// Returns the counts by severity: `3 errors, 5 warnings, 1 note in 4 files`; `None` if there are no findings.
pub(in super::super) fn sentence<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<String> {
    let mut files = BTreeSet::new();
    let mut numbers = [0_usize; 3];
    for finding in findings {
        files.extend(Some(finding.path.as_str()).filter(|path| *path != "."));
        numbers[finding.severity as usize] += 1;
    }
    let words = [Severity::Error, Severity::Warning, Severity::Note];
    let parts: Vec<String> = words
        .into_iter()
        .map(|severity| (numbers[severity as usize], severity.word()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| count(number, word))
        .collect();
    match (parts.is_empty(), files.len()) {
        (true, _) => None,
        (false, 0) => Some(parts.join(", ")),
        (false, number) => Some(format!("{} in {}", parts.join(", "), count(number, "file"))),
    }
}

/// Returns the counts of suppressed findings: `7 suppressed: 4 by comments, 3 by the baseline`; `None` if there are none.
pub(in super::super) fn suppressed(scan: &Scan) -> Option<String> {
    let by = |suppressor| {
        let suppressors = scan.findings.iter().filter_map(|finding| finding.suppressed.as_ref());
        suppressors.filter(|suppression| suppression.by == suppressor).count()
    };
    let parts: Vec<(usize, &str)> = [
        (by(Suppressor::Inline), "by comments"),
        (by(Suppressor::Config), "by carnet.toml"),
        (by(Suppressor::Baseline), "by the baseline"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .collect();
    let total: usize = parts.iter().map(|(number, _)| number).sum();
    let parts: Vec<String> = parts.iter().map(|(number, what)| format!("{number} {what}")).collect();
    (total > 0).then(|| format!("{total} suppressed: {}", parts.join(", ")))
}

/// Returns the facilities at which the code breaks and works, on one line; `None` if neither is known.
pub(super) fn reach(finding: &Finding) -> Option<String> {
    let part = |verb: &str, ids: &[String]| match ids.len() {
        0 => None,
        _ => Some(format!("{verb} at {}", list(ids, MAX_FACILITIES))),
    };
    let (breaks, works) = (&finding.facilities.breaks, &finding.facilities.works);
    let parts: Vec<String> = [part("breaks", breaks), part("works", works)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Returns the number of occurrences, ` (12 occurrences)`, if the finding has several.
pub(super) fn times(finding: &Finding) -> String {
    finding.count.filter(|number| *number > 1).map(|number| format!(" ({number} occurrences)")).unwrap_or_default()
}

/// Returns the first line of the finding: that of its span or of its first location; 1 for the file as a whole.
pub(super) fn line(finding: &Finding) -> u32 {
    let first = || finding.locations.iter().find(|location| *location.path == *finding.path).map(|found| found.line);
    finding.span.map(|span| span.line).or_else(first).unwrap_or(1).max(1)
}

/// Returns message, facilities and help as sentences on one line.
pub(super) fn sentences(finding: &Finding) -> String {
    let mut parts = vec![format!("{}{}", one_line(&finding.message, 1000), times(finding))];
    parts.extend(reach(finding));
    parts.extend(finding.help.as_ref().map(|help| format!("help: {}", one_line(help, 1000))));
    parts.iter().map(|part| text::sentence(part)).collect::<Vec<_>>().join(" ")
}
