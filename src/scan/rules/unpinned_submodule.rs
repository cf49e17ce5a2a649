//! Submodules that cannot be cloned elsewhere, or change.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `unpinned-submodule`: submodules without a commit, on a branch, or with a private URL.
pub(super) static RULE: Rule = Rule {
    id: "unpinned-submodule",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "submodule that follows a branch, has no commit, or requires an SSH key",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Inspects `.gitmodules` and the git index for submodules without a recorded commit, submodules that follow a branch, and submodules
whose URL is a local path or requires an SSH key.

## Why it breaks elsewhere

CI jobs and worker nodes do not have your SSH key, so `git clone --recursive` fails. A submodule without a commit is not cloned at
all, and one that follows a branch changes with `git submodule update --remote`.

## Example

```ini
[submodule \"corrections\"]
    path = corrections
    url = git@gitlab.cern.ch:jane/corrections.git
```

## How to fix

Record a commit (`git add corrections`), and use the `https://` URL.

## Limits

The rule does not check whether the URL requires a password.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for module in &input.submodules {
        let mut push = |severity, message: String, identity: String, help: &str| {
            let diagnostic = Diagnostic::in_file(".gitmodules", module.line, message);
            diagnostics.push(diagnostic.identity(identity).severity(severity).help(help));
        };
        let (path, url) = (&module.path, &module.url);
        if !module.is_recorded {
            push(
                Severity::Error,
                format!("submodule `{path}` has no recorded commit, so it is not cloned"),
                format!("git has no commit of the submodule `{path}`: nobody gets it"),
                "record its commit with git add",
            );
        }
        if url.starts_with('/') || url.starts_with("file:") {
            push(
                Severity::Error,
                format!("submodule `{path}` is cloned from `{url}`, a path on one machine"),
                format!("the submodule `{path}` is cloned from `{url}`, a path of one machine"),
                "use the URL of a server",
            );
        } else if url.starts_with("ssh:") || !url.contains("://") && url.contains(':') {
            push(
                Severity::Warning,
                format!("submodule `{path}` requires an SSH key"),
                format!("the submodule `{path}` needs an SSH key to be cloned"),
                "use its https:// URL",
            );
        }
        if let Some(branch) = &module.branch {
            push(
                Severity::Note,
                format!("submodule `{path}` follows the branch `{branch}`"),
                format!("the submodule `{path}` follows the branch `{branch}`"),
                "remove `branch` from .gitmodules, and commit a new submodule revision to update it",
            );
        }
    }
}
