//! Findings of the rule `unused-ignore`.

use std::collections::BTreeSet;

use super::fingerprint::{Fingerprints, fingerprint};
use super::{Directives, Settings};
use crate::model::finding::{Finding, Reach, Span};
use crate::scan::rules::unused_ignore::{ID, RULE};

/// Comments that suppressed a finding: path, index of the directive, rule.
pub(super) type UsedComments = BTreeSet<(String, usize, String)>;

/// Creates a finding of the rule.
fn finding(settings: &Settings<'_>, path: &str, span: Option<Span>, message: String, help: String) -> Finding {
    Finding {
        rule: ID.to_owned(),
        severity: settings.severity.get(ID).copied().unwrap_or(RULE.severity),
        confidence: RULE.confidence,
        path: path.to_owned(),
        span,
        message,
        help: Some(help),
        fix: None,
        facilities: Reach::default(),
        source: None,
        source_columns: None,
        fingerprint: String::new(),
        suppressed: None,
        count: None,
        locations: Vec::new(),
    }
}

/// Returns the message and help for an ignore that does not suppress a finding; `None` if its rule did not run.
fn unused_reason(rule: &str, settings: &Settings<'_>) -> Option<(String, String)> {
    if !settings.known.contains(&rule) {
        let distances = settings.known.iter().map(|known| (strsim::damerau_levenshtein(known, rule), known));
        let near = distances.min().filter(|(distance, _)| *distance <= rule.len() / 3 + 1);
        let help =
            near.map_or("list all rules with carnet rules".to_owned(), |(_, near)| format!("did you mean `{near}`?"));
        return Some((format!("unknown rule `{rule}` in ignore"), help));
    }
    settings
        .active
        .contains(&rule)
        .then(|| (format!("unused ignore for `{rule}`"), "remove it, or move it to the line of the finding".to_owned()))
}

/// Returns findings for unused comments. Comments without a reason are reported as notes instead.
pub(super) fn unused_comments(directives: &Directives, used: &UsedComments, settings: &Settings<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if !settings.active.contains(&ID) {
        return found;
    }
    let mut keys = Fingerprints::default();
    for (path, list) in directives {
        for (index, directive) in list.iter().enumerate().filter(|(_, directive)| !directive.reason.is_empty()) {
            let span = Span {
                line: directive.line,
                column: directive.column,
                end_line: directive.line,
                end_column: directive.end_column,
            };
            for rule in &directive.rules {
                // It may apply to findings of this loop, which are not suppressed yet.
                if rule == ID || used.contains(&(path.clone(), index, rule.clone())) {
                    continue;
                }
                let Some((message, help)) = unused_reason(rule, settings) else { continue };
                let mut finding = finding(settings, path, Some(span), message, help);
                finding.fingerprint = keys.next(ID, path, &format!("{rule} {}", directive.source));
                finding.source = Some(directive.source.clone());
                found.push(finding);
            }
        }
    }
    found
}

/// Returns findings for unused entries of the configuration. `used` contains the indices of the rest.
pub(super) fn unused_config_entries(used: &BTreeSet<usize>, settings: &Settings<'_>) -> Vec<Finding> {
    if !settings.active.contains(&ID) {
        return Vec::new();
    }
    let mut keys = Fingerprints::default();
    let mut found = Vec::new();
    for (_, ignore) in settings.ignore.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
        let expired = ignore.until.filter(|day| *day < settings.today);
        let text = match expired {
            Some(day) => Some((
                format!("ignore for `{}` in `{}` expired on {day}", ignore.rule, ignore.glob),
                "fix the findings, or extend `until`".to_owned(),
            )),
            // It may apply to files that were not scanned.
            None if settings.partial && settings.known.contains(&ignore.rule.as_str()) => None,
            None => unused_reason(&ignore.rule, settings).map(|(message, help)| {
                match settings.known.contains(&ignore.rule.as_str()) {
                    true => (format!("unused ignore for `{}` in `{}`", ignore.rule, ignore.glob), help),
                    false => (message, help),
                }
            }),
        };
        let Some((message, help)) = text else { continue };
        let span = Span { line: ignore.line, column: 1, end_line: ignore.line, end_column: 1 };
        let mut finding = finding(settings, settings.config, Some(span), message, help);
        finding.fingerprint =
            keys.next(ID, settings.config, &format!("{} {} {}", ignore.rule, ignore.glob, ignore.reason));
        found.push(finding);
    }
    found
}

/// Returns one finding for unmatched entries of the baseline and one for expired entries.
pub(super) fn stale_baseline_entries(matched: &BTreeSet<usize>, settings: &Settings<'_>) -> Vec<Finding> {
    let Some((path, baseline)) = settings.baseline.filter(|_| settings.active.contains(&ID)) else { return Vec::new() };
    let is_checked = |rule: &str| settings.active.contains(&rule) || !settings.known.contains(&rule);
    let (mut unmatched, mut expired) = (0, 0);
    for (index, entry) in baseline.findings.iter().enumerate() {
        match matched.contains(&index) {
            true if baseline.until(entry).is_some_and(|day| day < settings.today) => expired += 1,
            false if is_checked(&entry.rule) => unmatched += 1,
            _ => {}
        }
    }
    let mut found = Vec::new();
    let mut push = |count: usize, one: &str, many: &str, help: &str, key: &str| {
        let message = if count == 1 { format!("1 entry {one}") } else { format!("{count} entries {many}") };
        let mut finding = finding(settings, path, None, message, help.to_owned());
        finding.fingerprint = fingerprint(ID, path, key, 0);
        found.push(finding);
    };
    if unmatched > 0 && !settings.partial {
        let help = "remove unmatched entries with carnet scan --prune-baseline";
        push(unmatched, "does not match a finding", "do not match a finding", help, "dead");
    }
    if expired > 0 {
        let help = "fix the findings, or renew the entries with carnet scan --update-baseline";
        push(expired, "has expired", "have expired", help, "over");
    }
    found
}
