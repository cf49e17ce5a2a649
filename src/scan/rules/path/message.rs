//! What rules say of a place: where it exists and where not, and what to do.

use std::ops::Range;

use super::super::Diagnostic;
use super::super::context::RuleContext;
use crate::facility::door::Door;
use crate::facility::path::{PathFacts, PathKind};
use crate::model::finding::{Reach, Severity};
use crate::model::text::list;

/// Most facilities that a message names.
const MOST_NAMES: usize = 4;

/// A report of one place of the text.
pub(super) fn report(range: &Range<usize>, severity: Severity, message: String, help: String) -> Diagnostic {
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
    }
}

/// The targets at which a place resolves and those at which it doesn't.
pub(super) fn reach(world: &RuleContext<'_>, place: &PathFacts<'_>) -> Reach {
    Reach {
        breaks: targets(world, |id| place.breaks.contains(&id)),
        works: targets(world, |id| place.works.contains(&id)),
    }
}

/// The targets at which a door of a site is near, and all others.
pub(super) fn reach_of_door(world: &RuleContext<'_>, door: Option<&Door<'_>>) -> Reach {
    let is_near = |id: &str| door.is_some_and(|door| door.facilities.iter().any(|near| near == id));
    if door.is_none_or(|door| door.facilities.is_empty()) {
        return Reach::default();
    }
    Reach { breaks: targets(world, |id| !is_near(id)), works: targets(world, is_near) }
}

fn targets(world: &RuleContext<'_>, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    world.targets.iter().filter(|facility| is_wanted(&facility.id)).map(|facility| facility.id.clone()).collect()
}

/// Where a path exists, as the end of a sentence: `exists at mit-submit; not at the 21 others known`.
pub(super) fn existence(world: &RuleContext<'_>, place: &PathFacts<'_>) -> String {
    let reach = reach(world, place);
    let site = if place.site.is_empty() { String::new() } else { format!(" of {}", place.site) };
    if matches!(place.kind, PathKind::Shared) {
        let whose = if place.site.is_empty() { String::new() } else { format!(" (known at {})", place.site) };
        return format!("is another directory, or none, at every site{whose}");
    }
    if let Some(day) = place.retired {
        return format!("is storage{site} that went away on {day}");
    }
    let sessions = targets(world, |id| place.sessions.contains(&id));
    let also = if sessions.is_empty() { String::new() } else { format!(", in sessions alone at {}", names(&sessions)) };
    match (reach.works.as_slice(), reach.breaks.len()) {
        ([], 0) => format!("is storage{site}"),
        ([], count) if sessions.is_empty() => format!("is storage{site}: at none of {}", facilities(count)),
        ([], count) => format!("exists in sessions alone at {}; not at {}", names(&sessions), others(count)),
        (works, 0) => format!("exists at {}{also}", names(works)),
        (works, count) => format!("exists at {}{also}; not at {}", names(works), others(count)),
    }
}

/// A few names, and how many more there are.
pub(super) fn names(ids: &[String]) -> String {
    list(ids, MOST_NAMES)
}

fn others(count: usize) -> String {
    if count == 1 { "the other one".to_owned() } else { format!("{count} others") }
}

fn facilities(count: usize) -> String {
    if count == 1 { "the one facility looked at".to_owned() } else { format!("{count} facilities") }
}

/// What to write instead of a path, when it is known.
pub(super) fn instead(place: &PathFacts<'_>, text: &str) -> Option<String> {
    let replacement = place.replacement?;
    let rest = text.trim_start_matches('/');
    let rest = rest.strip_prefix(place.prefix.trim_start_matches('/'))?;
    Some(format!("{replacement}{rest}"))
}

/// What to do about a path of storage.
pub(super) fn help(place: &PathFacts<'_>, text: &str) -> String {
    let general = "take it from an argument, a configuration file or an environment variable";
    match instead(place, text) {
        Some(url) if url.contains("://") => format!("read it as `{url}`, or {general}"),
        Some(other) => format!("write `{other}`, or {general}"),
        None => format!("{general}, and find data by logical names or URLs"),
    }
}
