//! Symbolic links that point outside the repository.

use super::super::context::{RepositoryInput, RuleContext};
use super::super::relative::{join, parent};
use super::super::{Check, Diagnostic, Rule};
use super::message;
use crate::facility::path::{PathFacts, PathKind};
use crate::model::finding::{Confidence, Severity};

/// The rule `link-out`.
pub(super) static RULE: Rule = Rule {
    id: "link-out",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "symbolic link that points outside the repository",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds committed symbolic links with an absolute target or a target outside the repository.

## Why it breaks elsewhere

The link is the same in every checkout, but its target is not.

## Example

`inputs -> /eos/cms/store/group/analysis/ntuples`

## How to fix

Remove the link from the repository, and read the directory from a configuration file or an environment variable.

## Limits

A link to a missing file inside the repository is not reported.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (path, target) in &input.links {
        let is_absolute = target.starts_with('/') || target.starts_with('~');
        if !is_absolute && join(parent(path), target).is_some() {
            continue;
        }
        let facts = input.context.catalogue.path_facts(target).filter(|_| is_absolute);
        let is_system = is_absolute
            && facts.is_none()
            && ["/usr/", "/bin/", "/etc/", "/dev/", "/opt/"].iter().any(|dir| target.starts_with(dir));
        let severity = if is_system { Severity::Warning } else { Severity::Error };
        let existence = facts.as_ref().map(|facts| message::existence(input.context, facts));
        let end =
            existence.filter(|text| text != "is storage").map(|text| format!(", which {text}")).unwrap_or_default();
        let message = format!("link to `{target}` outside the repository{end}");
        let help =
            "remove the link, and read the directory from a configuration file or an environment variable".to_owned();
        let reach = facts.as_ref().map(|facts| message::reach(input.context, facts)).unwrap_or_default();
        diagnostics.push(Diagnostic {
            range: None,
            path: Some(path.clone()),
            identity: Some(identity(input.context, target, facts.as_ref())),
            reach,
            ..message::diagnostic(&(0..0), severity, message, help)
        });
    }
}

/// Returns the message of version 0.1.0, which the fingerprints in baselines are computed from.
fn identity(context: &RuleContext<'_>, target: &str, facts: Option<&PathFacts<'_>>) -> String {
    let existence = facts.map(|facts| format!(", which {}", earlier_existence(context, facts))).unwrap_or_default();
    format!("links to `{target}` outside of the repository{existence}")
}

/// Returns where a path exists, in the words of version 0.1.0.
fn earlier_existence(context: &RuleContext<'_>, facts: &PathFacts<'_>) -> String {
    let site = |before: &str, after: &str| match facts.site {
        "" => String::new(),
        site => format!("{before}{site}{after}"),
    };
    if facts.kind == PathKind::Shared {
        return format!("is another directory, or none, at every site{}", site(" (known at ", ")"));
    }
    if let Some(day) = facts.retired {
        return format!("is storage{} that went away on {day}", site(" of ", ""));
    }
    let reach = message::reach(context, facts);
    let sessions = message::sessions(context, facts);
    let names = message::names(&sessions);
    let others = |count| if count == 1 { "the other one".to_owned() } else { format!("{count} others") };
    let also = if sessions.is_empty() { String::new() } else { format!(", in sessions alone at {names}") };
    match (reach.works.as_slice(), reach.breaks.len()) {
        ([], 0) => format!("is storage{}", site(" of ", "")),
        ([], 1) if sessions.is_empty() => {
            format!("is storage{}: at none of the one facility looked at", site(" of ", ""))
        }
        ([], count) if sessions.is_empty() => format!("is storage{}: at none of {count} facilities", site(" of ", "")),
        ([], count) => format!("exists in sessions alone at {names}; not at {}", others(count)),
        (works, 0) => format!("exists at {}{also}", message::names(works)),
        (works, count) => format!("exists at {}{also}; not at {}", message::names(works), others(count)),
    }
}
