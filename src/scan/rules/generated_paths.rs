//! Files that a program wrote, with paths of the machine it ran on.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Form;

/// Generated files with absolute paths: one note each.
pub(super) static RULE: Rule = Rule {
    id: "generated-paths",
    severity: Severity::Note,
    confidence: Confidence::Medium,
    summary: "a generated file holds paths of the machine it was made on",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Says of files that a program wrote (ROOT dictionaries, TMVA weights, logs, dumps of parameters) that they hold absolute paths: once for
each file, never line by line.

## Why it breaks elsewhere

Most such paths are only remembered, and nothing reads them. Dictionaries are the exception: they name the headers they were made from
and don't compile elsewhere.

## Example

A committed `AnalysisDict.cxx` whose `#include`s name `/home/jane`.

## How to fix

Make such files in the build and let `.gitignore` leave them out.

## Limits

Whether anything reads the paths is not known.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    if input.language != Language::Generated {
        return;
    }
    let Some(first) = input.matches.iter().find(|one| one.form == Form::Path) else { return };
    let path: String = input.view.text[first.range.clone()].chars().take(60).collect();
    let message = format!("a generated file holds absolute paths, the first is `{path}`");
    reports.push(Diagnostic::at(&first.range, message).help("make it in the build and let .gitignore leave it out"));
}
