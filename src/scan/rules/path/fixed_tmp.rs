//! Fixed file names in directories for temporary files.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Subject, Topic};
use super::usage::{Effect, TestFile};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;

/// The rule `fixed-tmp`.
pub(super) static RULE: Rule = Rule {
    id: "fixed-tmp",
    severity: Severity::Warning,
    confidence: Confidence::Low,
    summary: "fixed file name below /tmp",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds programs and scripts that use a fixed file name below `/tmp`, `/var/tmp` or a node's scratch directory.

## Why it breaks elsewhere

Two users or two jobs on one node use the same file: the second cannot write to it, or reads the content of the first. Jobs often
have a different directory for temporary files, with its own quota.

## Example

```python
histogram.SaveAs(\"/tmp/histogram.root\")
```

## How to fix

Create a unique name with `tempfile.TemporaryDirectory()` or `mktemp -d`, or use `$TMPDIR`.

## Limits

Names with a placeholder, image recipes, CI files and configuration files are skipped.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let is_program = matches!(input.language, Language::Python | Language::Notebook | Language::Cpp | Language::Shell);
    if !is_program {
        return;
    }
    for subject in subject::with_topic(input, Topic::Temporary).filter(is_fixed) {
        let message = format!("all users and jobs of a node share `{}`", excerpt(subject.usage.text));
        let help = "create a unique name with tempfile.TemporaryDirectory() or mktemp, or use $TMPDIR".to_owned();
        let severity = subject.usage.lower(Severity::Warning, false);
        let mut diagnostic = message::diagnostic(&subject.range, severity, message, help);
        diagnostic.group = subject.group();
        diagnostics.push(diagnostic);
    }
}

fn is_fixed(subject: &Subject<'_>) -> bool {
    let usage = &subject.usage;
    let continues = usage.text.ends_with(['_', '-', '/', '.']) && usage.span.is_some();
    !usage.is_templated() && !continues && usage.in_test == TestFile::No && usage.effect != Effect::Guard
}
