//! URLs of files that can change.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::matcher::Form;

/// The rule `moving-url`.
pub(super) static RULE: Rule = Rule {
    id: "moving-url",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "file from a branch or a personal web page",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs used by a program that point to files on a branch (`…/raw/master/…`, `raw.githubusercontent.com/…/main/…`) or to
personal web pages (`/~jane/`, `jane.web.cern.ch`).

## Why it breaks elsewhere

The file can be changed or deleted by its owner. The analysis then gives different results without a change of the repository. It
also requires network access, which workers often do not have.

## Example

```python
uproot.open(\"https://github.com/jane/corrections/raw/master/kfactors.root\")
```

## How to fix

Commit the file, or use a URL with a commit or a tag and verify its hash.

## Limits

URLs in comments, documentation and project metadata are skipped.
";

/// Names of branches.
const BRANCHES: &[&str] = &["master", "main", "HEAD", "develop", "dev", "devel", "trunk"];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let Some(url) = input.view.text.get(found.range.clone()) else { continue };
        let Some(what) = mutable_part(url) else { continue };
        let Some(usage) = Usage::find(input, &found.range) else { continue };
        if is_metadata(usage.name()) {
            continue;
        }
        let message = format!("`{}` is {what}", excerpt(url));
        let help = "commit the file, or use a URL with a commit or a tag".to_owned();
        let mut diagnostic = message::diagnostic(&found.range, usage.lower(Severity::Warning, false), message, help);
        diagnostic.group = url.splitn(6, '/').take(5).collect::<Vec<_>>().join("/");
        diagnostics.push(diagnostic);
    }
}

/// Reports whether a key is project metadata, whose links are for readers.
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

/// Describes why the content at a URL can change; `None` if it is fixed or unknown.
fn mutable_part(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let mut parts = rest.split('/');
    let host = parts.next()?;
    let path: Vec<&str> = parts.collect();
    let on_branch = |branch: Option<&&str>| branch.is_some_and(|branch| BRANCHES.contains(branch));
    if host == "raw.githubusercontent.com"
        && (on_branch(path.get(2)) || path.get(2) == Some(&"refs") && on_branch(path.get(4)))
    {
        return Some("a file on a branch, which can change");
    }
    // `owner/repository/raw/BRANCH/…`, with `refs/heads/` before the branch in newer ones.
    let raw = path.iter().position(|part| *part == "raw").filter(|index| *index >= 2);
    if raw.is_some_and(|index| {
        on_branch(path.get(index + 1)) || path.get(index + 2) == Some(&"heads") && on_branch(path.get(index + 3))
    }) {
        return Some("a file on a branch, which can change");
    }
    let is_file = path.last().is_some_and(|last| last.contains('.') || url.ends_with('/')) && path.len() > 1;
    if path.first().is_some_and(|first| first.starts_with('~') && first.len() > 1) && is_file {
        return Some("on a personal web page");
    }
    (host.ends_with(".web.cern.ch") && is_data(path.last().copied().unwrap_or_default()))
        .then_some("on a CERN web page that its owner can change")
}

/// Reports whether programs read files with this extension.
fn is_data(file: &str) -> bool {
    let endings = [
        ".root", ".json", ".gz", ".txt", ".csv", ".pkl", ".sh", ".py", ".yaml", ".yml", ".dat", ".zip", ".tgz", ".pt",
        ".onnx",
    ];
    endings.iter().any(|ending| file.ends_with(ending))
}
