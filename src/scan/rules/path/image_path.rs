//! Directories that exist in one image.

use std::cell::LazyCell;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;

/// Directories that exist in one image.
pub(in super::super) static RULE: Rule = Rule {
    id: "image-path",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "a path that exists inside one image alone",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths that images and CI runners make up, in programs that may run anywhere: `/code/…`, `/srv/…`,
`/workspace/…`, `/home/jovyan/…`. In recipes of images and in steps that name a container they are right, and not reported. It
is an error where the repository builds no image itself.

## Why it breaks elsewhere

Another image has its own directories, and outside of images there is none of this name.

## Example

```python
ROOT.gSystem.Load(\"/code/HiggsAnalysis/lib/libHiggs.so\")
```

## How to fix

Take the directory from an environment variable that the image sets, or find the file beside the program.

## Limits

A program that is only ever started inside one image is reported too: say so with a comment that suppresses it.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    // Only for the few files that have such a path.
    let builds_image = LazyCell::new(|| builds_image(input));
    // What lies beside a recipe is copied into the image.
    let is_inside = input.path.split('/').rev().skip(1).any(|part| part == "docker");
    for subject in subject::of(input, Topic::Image).filter(|_| !is_inside) {
        let is_program = matches!(input.language, Language::Python | Language::Notebook | Language::Cpp);
        let is_code = is_program && subject.place.prefix == "/code" && !*builds_image;
        let base = if is_code { Severity::Error } else { Severity::Warning };
        let note = subject.place.note.map(|note| format!(": {note}")).unwrap_or_default();
        let message = format!("`{}` exists inside one image alone{note}", excerpt(subject.usage.text));
        let help = "take the directory from an environment variable, or find the file beside the program".to_owned();
        let mut report = message::report(&subject.range, subject.usage.lower(base, false), message, help);
        report.group = subject.group();
        if !is_bound(input, subject.place.prefix) {
            reports.push(report);
        }
    }
}

/// Whether a script binds something to a directory of the image that it starts: what it names there is its own.
fn is_bound(input: &FileInput<'_>, prefix: &str) -> bool {
    let text = input.view.text.as_bytes();
    let target = format!(":{prefix}");
    let mut places = memchr::memmem::find_iter(text, target.as_bytes());
    input.language == Language::Shell
        && places.any(|at| {
            let next = text.get(at + target.len()).copied();
            next.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b':'))
        })
}

/// Whether the repository has a recipe of an image.
fn builds_image(input: &FileInput<'_>) -> bool {
    let is_recipe = |path: &String| {
        let file = path.rsplit('/').next().unwrap_or_default();
        file.starts_with("Dockerfile")
            || file.starts_with("Containerfile")
            || file.ends_with(".def")
            || file == "Singularity"
    };
    input.world.paths.iter().any(is_recipe)
}
