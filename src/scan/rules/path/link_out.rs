//! Links that leave the repository.

use super::super::context::RepositoryInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use crate::model::finding::{Confidence, Severity};

/// Links that leave the repository.
pub(in super::super) static RULE: Rule = Rule {
    id: "link-out",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a symbolic link that leaves the repository",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds symbolic links that git keeps and that point to an absolute path or out of the repository.

## Why it breaks elsewhere

The link is the same in every checkout; what it points to isn't.

## Example

`inputs -> /eos/cms/store/group/analysis/ntuples`

## How to fix

Remove the link from the repository and take the directory from a configuration file or an environment variable.

## Limits

A link to something inside the repository that is missing is not this rule's.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    for (path, target) in &input.links {
        let is_absolute = target.starts_with('/') || target.starts_with('~');
        if !is_absolute && !leaves(path, target) {
            continue;
        }
        let place = input.world.catalogue.place(target).filter(|_| is_absolute);
        let is_system = is_absolute
            && place.is_none()
            && ["/usr/", "/bin/", "/etc/", "/dev/", "/opt/"].iter().any(|dir| target.starts_with(dir));
        let severity = if is_system { Severity::Warning } else { Severity::Error };
        let end = place
            .as_ref()
            .map(|place| format!(", which {}", message::existence(input.world, place)))
            .unwrap_or_default();
        let message = format!("links to `{target}` outside of the repository{end}");
        let help =
            "remove the link and take the directory from a configuration file or an environment variable".to_owned();
        let reach = place.as_ref().map(|place| message::reach(input.world, place)).unwrap_or_default();
        reports.push(Diagnostic {
            range: None,
            path: Some(path.clone()),
            reach,
            ..message::report(&(0..0), severity, message, help)
        });
    }
}

/// Whether a relative target of a link leads above the top.
fn leaves(path: &str, target: &str) -> bool {
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}
