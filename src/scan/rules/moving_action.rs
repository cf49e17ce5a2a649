//! CI actions that are mutable or were shut down.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::span::Span;

/// The rule `moving-action`: `uses: x@master`, and versions of actions that no longer run.
pub(super) static RULE: Rule = Rule {
    id: "moving-action",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "CI action pinned to a branch, or to a version that GitHub has shut down",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds steps of GitHub workflows that use an action on a branch (`@master`, `@main`), and versions of `actions/upload-artifact`,
`actions/download-artifact` and `actions/cache` that GitHub has shut down. Jobs on runner images that GitHub has removed
(`ubuntu-20.04`), and Python versions that the runners no longer provide (2.7 to 3.7), are reported as warnings.

## Why it breaks elsewhere

A branch changes without a change of the workflow, so the same commit passes today and fails tomorrow. Versions 1 to 3 of the
artifact actions have failed since January 2025, and versions 1 and 2 of `actions/cache` since March 2025.

## Example

```yaml
- uses: actions/upload-artifact@v3
```

## How to fix

Use a release, ideally pinned to its commit. Use version 4 or newer of the artifact actions.

## Limits

Actions in reusable workflows of other repositories are not followed.
";

/// Actions with the first major version that still runs (github.blog, changelog of 2024-04-16 and 2024-12-05).
const SWITCHED_OFF: &[(&str, u32)] =
    &[("actions/upload-artifact", 4), ("actions/download-artifact", 4), ("actions/cache", 3)];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !input.path.contains(".github/") && !input.path.ends_with("action.yml") && !input.path.ends_with("action.yaml") {
        return;
    }
    for span in input.view.spans.iter().filter(|span| span.is_active()) {
        diagnostics.extend(retired(input, span));
    }
    for setting in &input.view.facts.settings {
        if setting.key.rsplit('.').next() != Some("uses") {
            continue;
        }
        let Some((action, version)) = setting.value.text.trim().split_once('@') else { continue };
        let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
        let off =
            SWITCHED_OFF.iter().find(|(name, first)| *name == action && major.is_some_and(|major| major < *first));
        if let Some((_, first)) = off {
            let message = format!("GitHub has shut down `{action}@{version}`; the step fails");
            let help = format!("use {action}@v{first} or newer");
            diagnostics.push(Diagnostic::at(&setting.value.range, message).severity(Severity::Error).help(help));
        } else if matches!(version, "master" | "main" | "develop" | "dev") {
            let message = format!("action `{action}` uses the branch `{version}`, which can change");
            diagnostics.push(
                Diagnostic::at(&setting.value.range, message).help("use a release, ideally pinned to its commit"),
            );
        }
    }
}

/// Runner images that GitHub has removed (github.com/actions/runner-images, announcements; read 2026-11-22).
const RUNNERS: &[&str] = &[
    "ubuntu-16.04",
    "ubuntu-18.04",
    "ubuntu-20.04",
    "macos-10.15",
    "macos-11",
    "macos-12",
    "macos-13",
    "windows-2016",
    "windows-2019",
];
/// Python versions that the newest runner images do not provide.
const PYTHONS: &[&str] = &["2.7", "3.4", "3.5", "3.6", "3.7"];

/// Returns a diagnostic for a runner image or Python version that no longer exists.
fn retired(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let name = span.name.as_deref()?.rsplit('.').next()?;
    let text = input.view.text.get(span.range.clone())?.trim();
    let message = match name {
        "runs-on" | "os" if RUNNERS.contains(&text) => {
            format!("GitHub has removed the runner `{text}`; the job never starts")
        }
        "python-version" | "python" if PYTHONS.contains(&text) => {
            format!("Python {text} is not available on `ubuntu-latest`; the step fails")
        }
        _ => return None,
    };
    let help = "use a maintained version, such as `ubuntu-latest` and the Python version of the analysis";
    Some(Diagnostic::at(&span.range, message).severity(Severity::Warning).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::RULE;
    use crate::model::finding::Severity::Warning;

    #[test]
    fn removed_runners_and_pythons_are_warnings() {
        let job = "jobs:\n  a:\n    runs-on: ubuntu-20.04\n    strategy:\n      matrix:\n        python-version: [3.6, \"3.11\"]\n";
        assert_eq!(severities(&RULE, ".github/workflows/ci.yml", job), [Warning, Warning]);
        assert_eq!(severities(&RULE, "conf/ci.yml", job), []);
        let job = "jobs:\n  a:\n    runs-on: ubuntu-latest\n";
        assert_eq!(severities(&RULE, ".github/workflows/ci.yml", job), []);
    }
}
