//! Redirectors and public doors.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use super::xrootd_door::data_url;
use crate::facility::door::Kind;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::matcher::Form;

/// Redirectors and public doors.
pub(in super::super) static RULE: Rule = Rule {
    id: "xrootd-redirector",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "data through a redirector or a public door",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs of redirectors (`cms-xrd-global.cern.ch`, `xrootd-cms.infn.it`, `cmsxrootd.fnal.gov`) and of public doors
(`eospublic.cern.ch`). It is a note that tells what the analysis needs; personal and group data through a redirector is a
warning.

## Why it breaks elsewhere

A redirector works everywhere for holders of a grid proxy, from machines that reach the wide network. Public doors need the
network alone. Both are slow from far away, and workers without a way out don't reach them.

## Example

```python
uproot.open(\"root://cms-xrd-global.cern.ch//store/mc/…\")
```

## How to fix

Nothing has to change. Facilities with a cache want another prefix: take it from an argument or the environment.

## Limits

Whether the proxy is there is for the run to find out.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let Some(url) = input.view.text.get(found.range.clone()).and_then(data_url) else { continue };
        let Some(door) = input.world.catalogue.door(url.host).filter(|door| door.kind != Kind::Site) else { continue };
        let Some(usage) = Usage::of(input, &found.range) else { continue };
        let owner = url.owner().filter(|_| door.kind == Kind::Redirector);
        let (severity, message) = match (door.kind, owner) {
            (Kind::Public, _) => {
                (Severity::Note, format!("`{}` serves {} to anybody: needs the wide network", url.host, door.site))
            }
            (_, Some(owner)) => {
                let message = format!("data of {owner} through the redirector `{}`: it lies at one site", url.host);
                (Severity::Warning, message)
            }
            _ => (
                Severity::Note,
                format!("`{}` is a redirector ({}): needs a grid proxy and the wide network", url.host, door.site),
            ),
        };
        let help = "take the prefix from an argument, so that facilities with a cache can name theirs".to_owned();
        let mut report = message::report(&found.range, usage.lower(severity, owner.is_some()), message, help);
        report.group = format!("{} {}", url.host, owner.unwrap_or_default());
        reports.push(report);
    }
}
