//! Submodules that others can't get, or get in another version.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// Submodules without a recorded commit, by a branch, by an address that needs a key.
pub(super) static RULE: Rule = Rule {
    id: "unpinned-submodule",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "a submodule follows a branch, has no commit, or needs a key to be cloned",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Looks at `.gitmodules` and git's index: a submodule without a recorded commit, one that follows a branch, one whose address is a path
of this machine or needs an SSH key.

## Why it breaks elsewhere

CI jobs and worker nodes have no SSH key of yours, so `git clone --recursive` fails there. A submodule without a commit is not cloned
at all, and one that follows a branch differs after `git submodule update --remote`.

## Example

```ini
[submodule \"corrections\"]
    path = corrections
    url = git@gitlab.cern.ch:jane/corrections.git
```

## How to fix

Record a commit (`git add corrections`), and write the `https://` address.

## Limits

Whether the address can be read without a password is not tried.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    for module in &input.submodules {
        let mut say = |severity, message: String, help: &str| {
            reports.push(Diagnostic::of(".gitmodules", module.line, message).severity(severity).help(help));
        };
        let (path, url) = (&module.path, &module.url);
        if !module.is_recorded {
            let help = "git add it, so that its commit is recorded";
            say(Severity::Error, format!("git has no commit of the submodule `{path}`: nobody gets it"), help);
        }
        if url.starts_with('/') || url.starts_with("file:") {
            let help = "name the address of a server";
            say(Severity::Error, format!("the submodule `{path}` is cloned from `{url}`, a path of one machine"), help);
        } else if url.starts_with("ssh:") || !url.contains("://") && url.contains(':') {
            let help = "write its https:// address";
            say(Severity::Warning, format!("the submodule `{path}` needs an SSH key to be cloned"), help);
        }
        if let Some(branch) = &module.branch {
            let help = "name no branch, and move on by recording a commit";
            say(Severity::Note, format!("the submodule `{path}` follows the branch `{branch}`"), help);
        }
    }
}
