//! Symbolic links that point outside the repository.

use super::super::context::RepositoryInput;
use super::super::relative::{join, parent};
use super::super::{Check, Diagnostic, Rule};
use super::message;
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
        let end = facts
            .as_ref()
            .map(|facts| format!(", which {}", message::existence(input.context, facts)))
            .unwrap_or_default();
        let message = format!("link to `{target}` outside the repository{end}");
        let help =
            "remove the link, and read the directory from a configuration file or an environment variable".to_owned();
        let reach = facts.as_ref().map(|facts| message::reach(input.context, facts)).unwrap_or_default();
        diagnostics.push(Diagnostic {
            range: None,
            path: Some(path.clone()),
            identity: Some(format!("links to `{target}` outside of the repository")),
            reach,
            ..message::diagnostic(&(0..0), severity, message, help)
        });
    }
}
