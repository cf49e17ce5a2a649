//! Directories that exist inside one image only.

use std::cell::LazyCell;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;

/// The rule `image-path`.
pub(super) static RULE: Rule = Rule {
    id: "image-path",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "path that exists only inside one image",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths that only images and CI runners have, in programs that may run anywhere: `/code/…`, `/srv/…`, `/workspace/…`,
`/home/jovyan/…`. Image recipes and steps with a container are not reported. The finding is an error if the repository has no image
recipe.

## Why it breaks elsewhere

Other images have different directories, and outside images the path does not exist.

## Example

```python
ROOT.gSystem.Load(\"/code/HiggsAnalysis/lib/libHiggs.so\")
```

## How to fix

Read the directory from an environment variable that the image sets, or locate the file relative to the program.

## Limits

A program that only runs inside one image is reported too. Suppress the finding with an ignore comment.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    // Computed only for files with such a path.
    let builds_image = LazyCell::new(|| builds_image(input));
    // Files next to an image recipe are copied into the image.
    let is_inside = input.path.split('/').rev().skip(1).any(|part| part == "docker");
    for subject in subject::with_topic(input, Topic::Image).filter(|_| !is_inside) {
        let is_program = matches!(input.language, Language::Python | Language::Notebook | Language::Cpp);
        let is_code = is_program && subject.facts.prefix == "/code" && !*builds_image;
        let base = if is_code { Severity::Error } else { Severity::Warning };
        let note = subject.facts.note.map(|note| format!(": {note}")).unwrap_or_default();
        let message = format!("`{}` exists inside one image only{note}", excerpt(subject.usage.text));
        let help =
            "read the directory from an environment variable, or locate the file relative to the program".to_owned();
        let mut diagnostic = message::diagnostic(&subject.range, subject.usage.lower(base, false), message, help);
        diagnostic.group = subject.group();
        if !is_bound(input, subject.facts.prefix) {
            diagnostics.push(diagnostic);
        }
    }
}

/// Reports whether a script binds a directory to this prefix in the image that it starts.
fn is_bound(input: &FileInput<'_>, prefix: &str) -> bool {
    let text = input.view.text.as_bytes();
    let target = format!(":{prefix}");
    let mut places = memchr::memmem::find_iter(text, target.as_bytes());
    input.language == Language::Shell
        && places.any(|offset| {
            let next = text.get(offset + target.len()).copied();
            next.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b':'))
        })
}

/// Reports whether the repository has an image recipe.
fn builds_image(input: &FileInput<'_>) -> bool {
    let is_recipe = |path: &String| {
        let file = path.rsplit('/').next().unwrap_or_default();
        file.starts_with("Dockerfile")
            || file.starts_with("Containerfile")
            || file.ends_with(".def")
            || file == "Singularity"
    };
    input.context.paths.iter().any(is_recipe)
}
