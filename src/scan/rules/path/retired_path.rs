//! Storage that no longer exists.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// The rule `retired-path`.
pub(super) static RULE: Rule = Rule {
    id: "retired-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "path into storage that no longer exists",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds paths into storage that was shut down or renamed: `/nfs/dust` at DESY (`/data/dust` since 2025), `/castor` at CERN, old scratch
file systems of NERSC and other sites. The catalogue of facilities contains the date.

## Why it breaks elsewhere

The path no longer exists anywhere, not even at its home site.

## Example

```yaml
output: /nfs/dust/cms/user/jane/results
```

## How to fix

Use the path that replaced it, or read the directory from a configuration file or an environment variable.

## Limits

Only storage that the catalogue lists as retired is found.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for subject in subject::with_topic(input, Topic::Retired) {
        let severity = subject.usage.lower(Severity::Error, subject.facts.owner.is_some());
        let note = subject.facts.note.map(|note| format!(" ({note})")).unwrap_or_default();
        let message =
            format!("`{}` {}{note}", excerpt(subject.usage.text), message::existence(input.context, &subject.facts));
        let mut diagnostic =
            message::diagnostic(&subject.range, severity, message, message::help(&subject.facts, subject.usage.text));
        diagnostic.reach = message::reach(input.context, &subject.facts);
        diagnostic.group = subject.group();
        diagnostics.push(diagnostic);
    }
}
