//! Redirectors and public doors.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use super::xrootd_door::data_url;
use crate::facility::door::Kind;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::matcher::Form;

/// The rule `xrootd-redirector`.
pub(super) static RULE: Rule = Rule {
    id: "xrootd-redirector",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "data accessed through a redirector or a public door",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs of redirectors (`cms-xrd-global.cern.ch`, `xrootd-cms.infn.it`, `cmsxrootd.fnal.gov`) and of public doors
(`eospublic.cern.ch`). The finding is a note that documents a requirement of the analysis. Personal and group data accessed
through a redirector is reported as a warning.

## Why it breaks elsewhere

A redirector works everywhere with a grid proxy and outbound network access. Public doors only require network access. Both are slow
over long distances, and workers without outbound network cannot reach them.

## Example

```python
uproot.open(\"root://cms-xrd-global.cern.ch//store/mc/…\")
```

## How to fix

No change is required. Facilities with a cache need a different prefix: read it from an argument or the environment.

## Limits

The rule does not check whether a proxy is available.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let Some(url) = input.view.text.get(found.range.clone()).and_then(data_url) else { continue };
        let Some(door) = input.context.catalogue.door(url.host).filter(|door| door.kind != Kind::Site) else {
            continue;
        };
        let Some(usage) = Usage::find(input, &found.range) else { continue };
        let owner = url.owner().filter(|_| door.kind == Kind::Redirector);
        let (severity, message) = match (door.kind, owner) {
            (Kind::Public, _) => {
                (Severity::Note, format!("`{}` serves {} publicly; requires outbound network", url.host, door.site))
            }
            (_, Some(owner)) => {
                let message =
                    format!("{owner}'s data, accessed through redirector `{}`, is stored at only one site", url.host);
                (Severity::Warning, message)
            }
            _ => (
                Severity::Note,
                format!("`{}` is a redirector ({}); requires a grid proxy and outbound network", url.host, door.site),
            ),
        };
        let help = "read the prefix from an argument, so that facilities with a cache can set their own".to_owned();
        let mut diagnostic = message::diagnostic(&found.range, usage.lower(severity, owner.is_some()), message, help);
        diagnostic.group = format!("{} {}", url.host, owner.unwrap_or_default());
        diagnostics.push(diagnostic);
    }
}
