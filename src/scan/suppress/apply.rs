//! Suppresses findings.

use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::baseline::{self, Entry};
use super::fingerprint::fingerprint;
use super::inline::Directive;
use super::unused::{self, UsedComments};
use super::{Applied, Directives, Settings};
use crate::model::finding::{Finding, Suppression, Suppressor};
use crate::model::scan::Note;

/// Marks suppressed findings, overrides severities, and adds a finding for each unused ignore.
///
/// The order of precedence is: a comment at the location, `[scan] ignore`, the baseline. A finding with several locations is
/// split if comments suppress some of them.
pub fn apply(findings: Vec<Finding>, directives: &Directives, settings: &Settings<'_>) -> Applied {
    let mut decider = Decider::new(directives, settings);
    let mut done = Vec::with_capacity(findings.len());
    for mut finding in findings {
        done.extend(decider.split(&mut finding));
        decider.decide(&mut finding);
        done.push(finding);
    }
    let mut extra = unused::unused_comments(directives, &decider.comments, settings);
    extra.extend(unused::stale_baseline_entries(&decider.matched, settings));
    for mut finding in extra {
        decider.decide(&mut finding);
        done.push(finding);
    }
    // Last, because an ignore may apply to the findings above.
    for mut finding in unused::unused_config_entries(&decider.ignores, settings) {
        decider.decide(&mut finding);
        done.push(finding);
    }
    done.sort_by(|a, b| order(a).cmp(&order(b)));
    Applied { findings: done, notes: notes(directives) }
}

fn order(finding: &Finding) -> (&str, u32, u32, &str, &str) {
    let (line, column) = finding.span.map_or((0, 0), |span| (span.line, span.column));
    (&finding.path, line, column, &finding.rule, &finding.fingerprint)
}

/// Returns a matcher for a glob: it matches whole paths, file names if the glob has no slash, and everything below a
/// matching directory. `None` if the glob is invalid.
pub fn matcher(glob: &str) -> Option<GlobSet> {
    let glob = glob.strip_prefix("./").unwrap_or(glob).trim_end_matches('/');
    let mut set = GlobSetBuilder::new();
    let anywhere = if glob.contains('/') || glob == "**" { glob.to_owned() } else { format!("**/{glob}") };
    for text in [anywhere.clone(), format!("{anywhere}/**")] {
        set.add(GlobBuilder::new(&text).literal_separator(true).build().ok()?);
    }
    set.build().ok()
}

/// Decides whether findings are suppressed, and records the ignores that it used.
struct Decider<'a> {
    directives: &'a Directives,
    settings: &'a Settings<'a>,
    globs: Vec<Option<GlobSet>>,
    baseline: &'a [Entry],
    entries: BTreeMap<(&'a str, &'a str, &'a str), usize>,
    /// Comments that suppressed a finding.
    comments: UsedComments,
    /// Entries of the configuration that suppressed a finding.
    ignores: BTreeSet<usize>,
    /// Entries of the baseline that matched a finding.
    matched: BTreeSet<usize>,
}

impl<'a> Decider<'a> {
    fn new(directives: &'a Directives, settings: &'a Settings<'a>) -> Self {
        let baseline = settings.baseline.map(|(_, baseline)| baseline.findings.as_slice()).unwrap_or_default();
        Self {
            directives,
            settings,
            globs: settings.ignore.iter().map(|ignore| matcher(&ignore.glob)).collect(),
            baseline,
            entries: baseline.iter().enumerate().map(|(index, entry)| (entry.key(), index)).collect(),
            comments: UsedComments::new(),
            ignores: BTreeSet::new(),
            matched: BTreeSet::new(),
        }
    }

    fn decide(&mut self, finding: &mut Finding) {
        if let Some(severity) = self.settings.severity.get(&finding.rule) {
            finding.severity = *severity;
        }
        if finding.suppressed.is_some() {
            return;
        }
        // Evaluate all, so that a second match is not reported as unused.
        let baselined = self.baselined(finding);
        let ignored_by_config = self.ignored_by_config(finding);
        finding.suppressed = self.ignored_by_comment(finding).or(ignored_by_config).or(baselined);
    }

    fn ignored_by_comment(&mut self, finding: &Finding) -> Option<Suppression> {
        match finding.span {
            Some(span) => self.comment(finding, &finding.path, |directive| {
                (span.line..=span.end_line.max(span.line)).contains(&directive.target)
            }),
            None if finding.locations.is_empty() => {
                self.comment(finding, &finding.path, |directive| directive.line == 1)
            }
            None => {
                let mut locations = finding.locations.iter();
                let first = self.comment_at(finding, &locations.next()?.path, finding.locations[0].line)?;
                locations
                    .all(|location| self.comment_at(finding, &location.path, location.line).is_some())
                    .then_some(first)
            }
        }
    }

    /// Returns the suppression by a comment for a line.
    fn comment_at(&mut self, finding: &Finding, path: &str, line: u32) -> Option<Suppression> {
        self.comment(finding, path, |directive| directive.target == line)
    }

    fn comment(&mut self, finding: &Finding, path: &str, applies: impl Fn(&Directive) -> bool) -> Option<Suppression> {
        let directives = self.directives.get(path)?;
        let fits = |directive: &Directive| {
            !directive.reason.is_empty() && directive.rules.contains(&finding.rule) && applies(directive)
        };
        let mut found = None;
        for (index, directive) in directives.iter().enumerate().filter(|(_, directive)| fits(directive)) {
            self.comments.insert((path.to_owned(), index, finding.rule.clone()));
            found.get_or_insert_with(|| Suppression { by: Suppressor::Inline, reason: directive.reason.clone() });
        }
        found
    }

    /// Splits off the locations of a finding that comments suppress. `None` if comments suppress all or none of them.
    fn split(&mut self, finding: &mut Finding) -> Option<Finding> {
        let locations = std::mem::take(&mut finding.locations);
        let (suppressed_locations, open_locations): (Vec<_>, Vec<_>) = locations
            .into_iter()
            .partition(|location| self.comment_at(finding, &location.path, location.line).is_some());
        if suppressed_locations.is_empty() || open_locations.is_empty() {
            finding.locations = if open_locations.is_empty() { suppressed_locations } else { open_locations };
            return None;
        }
        let remaining = finding.count.map(|count| count.saturating_sub(suppressed_locations.len() as u64));
        finding.locations = open_locations;
        finding.count = remaining;
        let mut part = finding.clone();
        part.count = Some(suppressed_locations.len() as u64);
        part.fingerprint = fingerprint(&part.rule, &part.path, &format!("suppressed {}", part.fingerprint), 0);
        part.locations = suppressed_locations;
        self.decide(&mut part);
        Some(part)
    }

    fn ignored_by_config(&mut self, finding: &Finding) -> Option<Suppression> {
        let mut found = None;
        for (index, ignore) in self.settings.ignore.iter().enumerate() {
            let matches = self.globs[index].as_ref().is_some_and(|glob| glob.is_match(&finding.path));
            if ignore.rule != finding.rule || !matches {
                continue;
            }
            if ignore.until.is_none_or(|day| day >= self.settings.today) {
                self.ignores.insert(index);
                found.get_or_insert_with(|| Suppression { by: Suppressor::Config, reason: ignore.reason.clone() });
            }
        }
        found
    }

    fn baselined(&mut self, finding: &Finding) -> Option<Suppression> {
        let (_, baseline) = self.settings.baseline?;
        let index = *self.entries.get(&baseline::key(finding))?;
        let entry = self.baseline.get(index)?;
        self.matched.insert(index);
        baseline.until(entry).is_none_or(|day| day >= self.settings.today).then(|| Suppression {
            by: Suppressor::Baseline,
            reason: entry.reason.clone().unwrap_or_else(|| "in the baseline".to_owned()),
        })
    }
}

/// Returns notes about invalid comments.
fn notes(directives: &Directives) -> Vec<Note> {
    let all = directives.iter().flat_map(|(path, list)| list.iter().map(move |directive| (path, directive)));
    let wrong = all.filter_map(|(path, directive)| {
        let what = match (directive.rules.is_empty(), directive.reason.is_empty()) {
            (true, _) => "without a rule in brackets",
            (false, true) => "without a reason",
            (false, false) => return None,
        };
        let message = format!("line {}: `carnet: ignore` {what} has no effect", directive.line);
        Some(Note { path: path.clone(), message })
    });
    wrong.collect()
}
