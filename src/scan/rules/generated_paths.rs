//! Generated files with paths of the machine that created them.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Form;

/// The rule `generated-paths`: generated files with absolute paths, one note for each file.
pub(super) static RULE: Rule = Rule {
    id: "generated-paths",
    severity: Severity::Note,
    confidence: Confidence::Medium,
    summary: "generated file with paths of the machine that created it",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Reports generated files (ROOT dictionaries, TMVA weights, logs, parameter dumps) that contain absolute paths. Each file is reported
once, not once per line.

## Why it breaks elsewhere

Most of these paths are only recorded and never read. Dictionaries are the exception: they include the headers that they were
generated from, and do not compile elsewhere.

## Example

A committed `AnalysisDict.cxx` with `#include` lines below `/home/jane`.

## How to fix

Generate such files in the build and add them to `.gitignore`.

## Limits

The rule cannot determine whether the paths are ever read.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if input.language != Language::Generated {
        return;
    }
    let Some(first) = input.matches.iter().find(|found| found.form == Form::Path) else { return };
    let path = excerpt(&input.view.text[first.range.clone()]);
    let message = format!("generated file contains absolute paths; the first is `{path}`");
    diagnostics.push(Diagnostic::at(&first.range, message).help("generate it in the build, and add it to .gitignore"));
}
