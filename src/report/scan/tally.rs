//! What every report says of an audit and its findings in a few words.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::model::finding::{Finding, Severity, Suppressor};
use crate::model::scan::Scan;
use crate::model::text::{list, one_line, sentence};

/// Facilities named in one line.
const MAX_FACILITIES: usize = 5;

/// Findings that are reported: those that nothing suppresses, the worst first, else in their order.
pub(in super::super) fn reported(scan: &Scan) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = scan.findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    findings.sort_by_key(|finding| (Reverse(finding.severity), Reverse(finding.confidence)));
    findings
}

/// Counts by severity: `3 errors, 5 warnings and 1 note in 4 files`; none for no findings.
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

/// What was suppressed, by what: `7 suppressed: 4 by comments, 3 by the baseline`; none for nothing.
pub(in super::super) fn suppressed(scan: &Scan) -> Option<String> {
    let by = |wanted| {
        let suppressors = scan.findings.iter().filter_map(|finding| finding.suppressed.as_ref());
        suppressors.filter(|suppression| suppression.by == wanted).count()
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

/// Where it breaks and where it works, in one line; none when that isn't known.
pub(super) fn reach(finding: &Finding) -> Option<String> {
    let part = |verb: &str, ids: &[String]| match ids.len() {
        0 => None,
        _ => Some(format!("{verb} at {}", list(ids, MAX_FACILITIES))),
    };
    let (breaks, works) = (&finding.facilities.breaks, &finding.facilities.works);
    let parts: Vec<String> = [part("breaks", breaks), part("works", works)].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// How often it stands there: ` (12 places)` when it stands for several.
pub(super) fn times(finding: &Finding) -> String {
    finding.count.filter(|number| *number > 1).map(|number| format!(" ({number} places)")).unwrap_or_default()
}

/// Line where it begins: its own, or that of the first place in its file; 1 for the file as a whole.
pub(super) fn line(finding: &Finding) -> u32 {
    let place = || finding.places.iter().find(|place| *place.path == *finding.path).map(|place| place.line);
    finding.span.map(|span| span.line).or_else(place).unwrap_or(1).max(1)
}

/// Message, reach and help as sentences on one line.
pub(super) fn sentences(finding: &Finding) -> String {
    let mut parts = vec![format!("{}{}", one_line(&finding.message, 1000), times(finding))];
    parts.extend(reach(finding));
    parts.extend(finding.help.as_ref().map(|help| format!("help: {}", one_line(help, 1000))));
    parts.iter().map(|part| sentence(part)).collect::<Vec<_>>().join(" ")
}
