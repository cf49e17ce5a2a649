//! Git LFS pointers instead of files.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `lfs-pointer`: a Git LFS pointer instead of the file.
pub(super) static RULE: Rule = Rule {
    id: "lfs-pointer",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "Git LFS pointer instead of the file",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds files that contain a Git LFS pointer instead of the actual content.

## Why it breaks elsewhere

A clone on a machine without `git-lfs` contains the three lines of the pointer instead of the file, and so does a tarball that a
batch job unpacks. Reading the file then fails with a format error.

## Example

```text
version https://git-lfs.github.com/spec/v1
oid sha256:…
size 1048576
```

## How to fix

Run `git lfs pull` before the file is used, and state this in the README and in the CI configuration (`lfs: true`).

## Limits

The rule inspects this checkout only. If LFS is set up, the content is present and there is no finding.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let text = &input.view.text;
    if text.starts_with("version https://git-lfs.github.com/spec/v1\n") && text.len() < 1024 {
        let end = text.find('\n').unwrap_or(text.len());
        diagnostics.push(Diagnostic::at(&(0..end), "Git LFS pointer instead of the file").help("run `git lfs pull`"));
    }
}
