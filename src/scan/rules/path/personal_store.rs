//! Logical names of data that no catalogue of an experiment has.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Subject, Topic, is_person};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// Logical names of personal data.
pub(in super::super) static RULE: Rule = Rule {
    id: "personal-store",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "data in the personal area of a grid's catalogue",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds logical names below `/store/user`, `/store/group` and the other areas that no experiment's catalogue covers, and homes of
one user in the catalogues of grids: `/alice/cern.ch/user/j/jane`, `/lhcb/user/j/jane`, `/belle/user/jane`.

## Why it breaks elsewhere

Such files lie at one site. Redirectors find them only while that site is up and lets them, nobody copies them elsewhere, and
their owner may delete them.

## Example

```python
files = [redirector + \"/store/user/jane/skims/ttbar.root\"]
```

## How to fix

Say in a configuration file at which site they are, or register the data (Rucio, DBS) so that any site can have a copy.

## Limits

A name that is put together from pieces is seen by its first piece.
";

/// Whether a logical name is covered by the catalogue of the experiment.
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

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for subject in subject::of(input, Topic::Store) {
        reports.extend(report(&subject));
    }
}

fn report(subject: &Subject<'_>) -> Option<Diagnostic> {
    if subject.place.prefix != "/store" {
        return subject.place.owner.map(|owner| of_catalogue(subject, owner));
    }
    let usage = &subject.usage;
    let mut parts = usage.text.split('/').filter(|part| !part.is_empty()).skip(1);
    let area = parts.next().filter(|area| matches!(*area, "user" | "group" | "temp" | "caf" | "cmst3"))?;
    let owner = parts.next().filter(|owner| !owner.contains(['$', '{', '%', '<', '*']));
    // `/store/user/dir` is an example.
    let is_open = owner.is_none_or(|owner| area == "user" && !is_person(owner));
    let severity = if is_open { Severity::Note } else { Severity::Warning };
    let whose = owner.map_or_else(|| "personal".to_owned(), |owner| format!("of {owner}"));
    let message = format!("`{}` is data {whose} that lies at one site", excerpt(usage.text));
    let help = "say in a configuration file at which site it is, or register the data so that any site can have a copy"
        .to_owned();
    let mut report = message::report(&subject.range, usage.lower(severity, owner.is_some()), message, help);
    report.group = format!("/store/{area} {}", owner.unwrap_or_default());
    Some(report)
}

/// A home in the catalogue of a grid: `/alice/cern.ch/user/j/jane`.
fn of_catalogue(subject: &Subject<'_>, owner: &str) -> Diagnostic {
    let (text, site) = (excerpt(subject.usage.text), subject.place.site);
    let message = format!("`{text}` is the directory of {owner} in {site}: nobody else writes there");
    let help = "build it from the name of the caller, or take it from an argument".to_owned();
    let severity = subject.usage.lower(Severity::Warning, true);
    Diagnostic { group: subject.group(), ..message::report(&subject.range, severity, message, help) }
}
