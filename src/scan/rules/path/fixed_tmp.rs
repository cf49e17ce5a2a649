//! Fixed names in directories for temporary files.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Subject, Topic};
use super::usage::{Force, Test};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;

/// Fixed names in directories for temporary files.
pub(in super::super) static RULE: Rule = Rule {
    id: "fixed-tmp",
    severity: Severity::Warning,
    confidence: Confidence::Low,
    summary: "a fixed name under /tmp",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds programs and scripts that use a file of a fixed name under `/tmp`, `/var/tmp` or a scratch directory of one node.

## Why it breaks elsewhere

Two users or two jobs on one node share the name: the second one can't write it, or reads what the first one wrote. Jobs often
have another directory for temporary files, with a quota of its own.

## Example

```python
histogram.SaveAs(\"/tmp/histogram.root\")
```

## How to fix

Ask for a name: `tempfile.TemporaryDirectory()`, `mktemp -d`; or use `$TMPDIR`.

## Limits

Names with a placeholder in them, recipes of images, CI files and configuration files are left alone.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let is_program = matches!(input.language, Language::Python | Language::Notebook | Language::Cpp | Language::Shell);
    if !is_program {
        return;
    }
    for subject in subject::of(input, Topic::Temporary).filter(is_fixed) {
        let message = format!("`{}` is one file for all users and jobs of a node", excerpt(subject.usage.text));
        let help =
            "ask for a name: tempfile.TemporaryDirectory() in Python, mktemp in a shell; or use $TMPDIR".to_owned();
        let severity = subject.usage.lower(Severity::Warning, false);
        let mut report = message::report(&subject.range, severity, message, help);
        report.group = subject.group();
        reports.push(report);
    }
}

fn is_fixed(subject: &Subject<'_>) -> bool {
    let usage = &subject.usage;
    let continues = usage.text.ends_with(['_', '-', '/', '.']) && usage.span.is_some();
    !usage.is_templated() && !continues && usage.in_test == Test::No && usage.force != Force::Guard
}
