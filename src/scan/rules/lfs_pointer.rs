//! Files that are only pointers to Git LFS.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// A pointer where the file should be.
pub(super) static RULE: Rule = Rule {
    id: "lfs-pointer",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "a file is a pointer of Git LFS, and its content was not fetched",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds files whose content is a pointer of Git LFS.

## Why it breaks elsewhere

A clone on a machine without `git-lfs` has the three lines of the pointer in place of the file, and so has a tarball that a batch job
unpacks. Reading it then fails with an error of the file's format.

## Example

```text
version https://git-lfs.github.com/spec/v1
oid sha256:…
size 1048576
```

## How to fix

Run `git lfs pull` before the file is used, and say so in the README and the CI file (`lfs: true`).

## Limits

It tells of this checkout alone: where LFS is set up, there is no finding.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let text = &input.view.text;
    if text.starts_with("version https://git-lfs.github.com/spec/v1\n") && text.len() < 1024 {
        let end = text.find('\n').unwrap_or(text.len());
        reports.push(Diagnostic::at(&(0..end), "this is a pointer of Git LFS, not the file").help("run git lfs pull"));
    }
}
