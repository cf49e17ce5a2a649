//! Logical names of data that is not in the catalogue of an experiment.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Subject, Topic, is_person};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// The rule `personal-store`.
pub(super) static RULE: Rule = Rule {
    id: "personal-store",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "data in a personal area of a grid catalogue",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds logical names below `/store/user`, `/store/group` and other areas that the catalogue of the experiment does not cover, and home
directories in grid catalogues: `/alice/cern.ch/user/j/jane`, `/lhcb/user/j/jane`, `/belle/user/jane`.

## Why it breaks elsewhere

Such files are stored at one site. Redirectors find them only while that site is available and grants access. They have no replicas,
and their owner may delete them.

## Example

```python
files = [redirector + \"/store/user/jane/skims/ttbar.root\"]
```

## How to fix

State the site in a configuration file, or register the data (Rucio, DBS) so that any site can have a replica.

## Limits

A name that is built from several parts is recognized by its first part only.
";

/// Reports whether the catalogue of the experiment covers a logical name.
pub(super) fn is_registered(lfn: &str) -> bool {
    let mut parts = lfn.split('/').filter(|part| !part.is_empty());
    let areas = [
        "mc",
        "data",
        "hidata",
        "himc",
        "relval",
        "express",
        "generator",
        "lhe",
        "test",
        "backfill",
        "PhEDEx_LoadTest07",
    ];
    parts.next() == Some("store") && parts.next().is_some_and(|area| areas.contains(&area))
}

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for subject in subject::with_topic(input, Topic::Store) {
        diagnostics.extend(diagnostic(&subject));
    }
}

fn diagnostic(subject: &Subject<'_>) -> Option<Diagnostic> {
    if subject.facts.prefix != "/store" {
        return subject.facts.owner.map(|owner| catalogue_home(subject, owner));
    }
    let usage = &subject.usage;
    let mut parts = usage.text.split('/').filter(|part| !part.is_empty()).skip(1);
    let area = parts.next().filter(|area| matches!(*area, "user" | "group" | "temp" | "caf" | "cmst3"))?;
    let owner = parts.next().filter(|owner| !owner.contains(['$', '{', '%', '<', '*']));
    // `/store/user/dir` is an example.
    let is_open = owner.is_none_or(|owner| area == "user" && !is_person(owner));
    let severity = if is_open { Severity::Note } else { Severity::Warning };
    let whose = owner.map_or_else(|| "of one user or group".to_owned(), |owner| format!("of {owner}"));
    let message = format!("`{}` is data {whose} at one site", excerpt(usage.text));
    let help =
        "state the site in a configuration file, or register the data so that any site can have a replica".to_owned();
    let mut diagnostic = message::diagnostic(&subject.range, usage.lower(severity, owner.is_some()), message, help);
    diagnostic.group = format!("/store/{area} {}", owner.unwrap_or_default());
    Some(diagnostic)
}

/// Reports a home directory in a grid catalogue: `/alice/cern.ch/user/j/jane`.
fn catalogue_home(subject: &Subject<'_>, owner: &str) -> Diagnostic {
    let (text, site) = (excerpt(subject.usage.text), subject.facts.site);
    let message = format!("`{text}` is {owner}'s directory in {site}; other users cannot write there");
    let help = "build it from the user name at run time, or read it from an argument".to_owned();
    let severity = subject.usage.lower(Severity::Warning, true);
    Diagnostic { group: subject.group(), ..message::diagnostic(&subject.range, severity, message, help) }
}
