//! Parts of messages about paths: where a path exists, and how to replace it.

use std::ops::Range;

use super::super::Diagnostic;
use super::super::context::RuleContext;
use crate::facility::door::Door;
use crate::facility::path::{PathFacts, PathKind};
use crate::model::finding::{Reach, Severity};
use crate::model::text::list;

/// Maximum number of facilities that a message names.
const MAX_NAMES: usize = 4;

/// Creates a diagnostic for a range of the text.
pub(super) fn diagnostic(range: &Range<usize>, severity: Severity, message: String, help: String) -> Diagnostic {
    Diagnostic {
        range: Some(range.clone()),
        path: None,
        line: 0,
        severity: Some(severity),
        confidence: None,
        message,
        help: Some(help),
        edit: None,
        reach: Reach::default(),
        group: String::new(),
        identity: None,
    }
}

/// Returns the target facilities where a path exists and where it does not.
pub(super) fn reach(context: &RuleContext<'_>, facts: &PathFacts<'_>) -> Reach {
    Reach {
        breaks: targets(context, |id| facts.breaks.contains(&id)),
        works: targets(context, |id| facts.works.contains(&id)),
    }
}

/// Returns the target facilities near a door, and the rest.
pub(super) fn reach_of_door(context: &RuleContext<'_>, door: Option<&Door<'_>>) -> Reach {
    let is_near = |id: &str| door.is_some_and(|door| door.facilities.iter().any(|near| near == id));
    if door.is_none_or(|door| door.facilities.is_empty()) {
        return Reach::default();
    }
    Reach { breaks: targets(context, |id| !is_near(id)), works: targets(context, is_near) }
}

fn targets(context: &RuleContext<'_>, is_included: impl Fn(&str) -> bool) -> Vec<String> {
    context.targets.iter().filter(|facility| is_included(&facility.id)).map(|facility| facility.id.clone()).collect()
}

/// Describes where a path exists, as the end of a sentence: `exists at mit-submit; not at 21 others`.
pub(super) fn existence(context: &RuleContext<'_>, facts: &PathFacts<'_>) -> String {
    let reach = reach(context, facts);
    let site = if facts.site.is_empty() { String::new() } else { format!(" of {}", facts.site) };
    if matches!(facts.kind, PathKind::Shared) {
        let whose = if facts.site.is_empty() { String::new() } else { format!(" (known at {})", facts.site) };
        return format!("refers to a different directory, or none, at each site{whose}");
    }
    if let Some(day) = facts.retired {
        return format!("is storage{site} that was shut down on {day}");
    }
    let sessions = sessions(context, facts);
    let also = if sessions.is_empty() { String::new() } else { format!("; only in sessions at {}", names(&sessions)) };
    match (reach.works.as_slice(), reach.breaks.len()) {
        ([], 0) => format!("is storage{site}"),
        ([], count) if sessions.is_empty() => format!("is storage{site}; not available at {}", facilities(count)),
        ([], count) => format!("exists only in sessions at {}; not at {}", names(&sessions), others(count)),
        (works, 0) => format!("exists at {}{also}", names(works)),
        (works, count) => format!("exists at {}{also}; not at {}", names(works), others(count)),
    }
}

/// Returns the selected facilities where a path exists only in interactive sessions.
pub(super) fn sessions(context: &RuleContext<'_>, facts: &PathFacts<'_>) -> Vec<String> {
    targets(context, |id| facts.sessions.contains(&id))
}

/// Lists the first names, and the number of the rest.
pub(super) fn names(ids: &[String]) -> String {
    list(ids, MAX_NAMES)
}

fn others(count: usize) -> String {
    if count == 1 { "1 other".to_owned() } else { format!("{count} others") }
}

fn facilities(count: usize) -> String {
    if count == 1 { "the selected facility".to_owned() } else { format!("any of {count} facilities") }
}

/// Returns the replacement of a path if the catalogue has one.
pub(super) fn replacement_of(facts: &PathFacts<'_>, text: &str) -> Option<String> {
    let replacement = facts.replacement?;
    let rest = text.trim_start_matches('/');
    let mut rest = rest.strip_prefix(facts.prefix.trim_start_matches('/'))?;
    if facts.kind == PathKind::Home {
        // The replacement `$HOME` stands for the prefix and the name of the user.
        let path = rest.trim_start_matches('/');
        rest = path.find('/').map_or("", |at| &path[at..]);
    }
    Some(format!("{replacement}{rest}"))
}

/// Returns the help for a path into storage.
pub(super) fn help(facts: &PathFacts<'_>, text: &str) -> String {
    let general = "read it from an argument, a configuration file or an environment variable";
    match replacement_of(facts, text) {
        Some(url) if url.contains("://") => format!("use `{url}`, or {general}"),
        Some(other) => format!("use `{other}`, or {general}"),
        None => format!("{general}, and reference data by logical names or URLs"),
    }
}
