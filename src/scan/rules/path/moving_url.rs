//! Files fetched from places that move.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::matcher::Form;

/// Files fetched from places that move.
pub(in super::super) static RULE: Rule = Rule {
    id: "moving-url",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "a file from a branch or a personal web page",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs of files on a branch (`…/raw/master/…`, `raw.githubusercontent.com/…/main/…`) and on personal web pages (`/~jane/`,
`jane.web.cern.ch`) that a program uses.

## Why it breaks elsewhere

The file changes, or goes away with its owner, and the analysis gives other numbers without a change in the repository. It
also needs the network, which workers often don't have.

## Example

```python
uproot.open(\"https://github.com/jane/corrections/raw/master/kfactors.root\")
```

## How to fix

Keep the file in the repository, or name a commit or a tag in the URL and check its hash.

## Limits

URLs in comments, documentation and project metadata are left alone.
";

/// Branches that move.
const BRANCHES: &[&str] = &["master", "main", "HEAD", "develop", "dev", "devel", "trunk"];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let Some(url) = input.view.text.get(found.range.clone()) else { continue };
        let Some(what) = moves(url) else { continue };
        let Some(usage) = Usage::of(input, &found.range) else { continue };
        if is_metadata(usage.name()) {
            continue;
        }
        let message = format!("`{}` is {what}", excerpt(url));
        let help = "keep the file in the repository, or name a commit or a tag in the URL".to_owned();
        let mut report = message::report(&found.range, usage.lower(Severity::Warning, false), message, help);
        report.group = url.splitn(6, '/').take(5).collect::<Vec<_>>().join("/");
        reports.push(report);
    }
}

/// Keys of project metadata: links for people.
fn is_metadata(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [
        "homepage",
        "documentation",
        "$schema",
        "schema",
        "badge",
        "logo",
        "icon",
        "description",
        "bug",
        "tracker",
        "license",
        "id",
    ]
    .iter()
    .any(|word| lower == *word)
        || lower.contains("homepage")
        || lower.contains("$schema")
}

/// What moves at a URL.
fn moves(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let mut parts = rest.split('/');
    let host = parts.next()?;
    let path: Vec<&str> = parts.collect();
    let on_branch = |branch: Option<&&str>| branch.is_some_and(|branch| BRANCHES.contains(branch));
    if host == "raw.githubusercontent.com"
        && (on_branch(path.get(2)) || path.get(2) == Some(&"refs") && on_branch(path.get(4)))
    {
        return Some("a file of a branch that moves");
    }
    // `owner/repository/raw/BRANCH/…`, with `refs/heads/` before the branch in newer ones.
    let raw = path.iter().position(|part| *part == "raw").filter(|at| *at >= 2);
    if raw.is_some_and(|at| {
        on_branch(path.get(at + 1)) || path.get(at + 2) == Some(&"heads") && on_branch(path.get(at + 3))
    }) {
        return Some("a file of a branch that moves");
    }
    let is_file = path.last().is_some_and(|last| last.contains('.') || url.ends_with('/')) && path.len() > 1;
    if path.first().is_some_and(|first| first.starts_with('~') && first.len() > 1) && is_file {
        return Some("on a personal web page");
    }
    (host.ends_with(".web.cern.ch") && is_data(path.last().copied().unwrap_or_default()))
        .then_some("on a web page of CERN that its owner may change")
}

/// Whether a file is one that programs read.
fn is_data(file: &str) -> bool {
    let endings = [
        ".root", ".json", ".gz", ".txt", ".csv", ".pkl", ".sh", ".py", ".yaml", ".yml", ".dat", ".zip", ".tgz", ".pt",
        ".onnx",
    ];
    endings.iter().any(|ending| file.ends_with(ending))
}
