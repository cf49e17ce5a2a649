//! The rule of ignores that suppress nothing. Its findings come from [`super::apply()`], which alone knows.

use std::collections::BTreeSet;

use super::fingerprint::{Fingerprints, fingerprint};
use super::{Directives, Settings};
use crate::model::finding::{Finding, Reach, Span};
use crate::scan::rules::unused_ignore::{ID, RULE};

/// Comments that suppressed a finding: path, index of the directive, rule.
pub(super) type UsedComments = BTreeSet<(String, usize, String)>;

/// A finding of this rule.
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
        fingerprint: String::new(),
        suppressed: None,
        count: None,
        places: Vec::new(),
    }
}

/// Why a rule's name suppresses nothing; none when the rule did not run.
fn unused_reason(rule: &str, settings: &Settings<'_>) -> Option<(String, String)> {
    if !settings.known.contains(&rule) {
        let distances = settings.known.iter().map(|known| (strsim::damerau_levenshtein(known, rule), known));
        let near = distances.min().filter(|(distance, _)| *distance <= rule.len() / 3 + 1);
        let help =
            near.map_or("carnet rules lists those there are".to_owned(), |(_, near)| format!("did you mean `{near}`?"));
        return Some((format!("there is no rule `{rule}` to ignore"), help));
    }
    settings.active.contains(&rule).then(|| {
        (
            format!("nothing here for `{rule}` to find: the ignore is unused"),
            "remove it, or correct its place".to_owned(),
        )
    })
}

/// Comments that suppress nothing. Those without a reason are told of in notes.
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
                // It can be meant for what this very loop finds, which is told only afterwards.
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

/// Entries of the configuration that suppress nothing, given the indices of those that do.
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
                format!("the ignore of `{}` in `{}` has run out on {day}", ignore.rule, ignore.glob),
                "mend what it hid, or give it another day".to_owned(),
            )),
            // What lies outside of the part that was scanned may need it.
            None if settings.partial && settings.known.contains(&ignore.rule.as_str()) => None,
            None => unused_reason(&ignore.rule, settings).map(|(message, help)| {
                match settings.known.contains(&ignore.rule.as_str()) {
                    true => (
                        format!("nothing for `{}` to find in `{}`: the ignore is unused", ignore.rule, ignore.glob),
                        help,
                    ),
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

/// Entries of the baseline that match nothing, and those that have run out: one finding each.
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
        let help = "take it out of the baseline with carnet scan --prune-baseline";
        push(unmatched, "matches no finding any more", "match no finding any more", help, "dead");
    }
    if expired > 0 {
        let help = "mend what is hidden, or renew it with carnet scan --update-baseline";
        push(expired, "has run out", "have run out", help, "over");
    }
    found
}
