//! Storage that went away.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// Storage that went away.
pub(in super::super) static RULE: Rule = Rule {
    id: "retired-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a path into storage that no longer exists anywhere",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds paths into storage that was closed or renamed: `/nfs/dust` at DESY (since 2025 `/data/dust`), `/castor` at CERN, old
scratch systems of NERSC and others. The catalogue carries the day.

## Why it breaks elsewhere

It breaks everywhere, its home site included.

## Example

```yaml
output: /nfs/dust/cms/user/jane/results
```

## How to fix

Write the path that replaced it, better: take the directory from a configuration file or an environment variable.

## Limits

Only closures that the catalogue knows.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for subject in subject::of(input, Topic::Retired) {
        let severity = subject.usage.lower(Severity::Error, subject.place.owner.is_some());
        let note = subject.place.note.map(|note| format!(" ({note})")).unwrap_or_default();
        let message =
            format!("`{}` {}{note}", excerpt(subject.usage.text), message::existence(input.world, &subject.place));
        let mut report =
            message::report(&subject.range, severity, message, message::help(&subject.place, subject.usage.text));
        report.reach = message::reach(input.world, &subject.place);
        report.group = subject.group();
        reports.push(report);
    }
}
