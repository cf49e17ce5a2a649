//! Repositories of CVMFS.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Subject, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// Repositories of CVMFS.
pub(in super::super) static RULE: Rule = Rule {
    id: "cvmfs-path",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "software or data from CVMFS",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds paths below `/cvmfs`. A repository that facilities mount widely is a note; one that is mounted at few of them, or is not
at some, and `latest` in it, is a warning.

## Why it breaks elsewhere

Laptops, Binder and most CI runners have no CVMFS; facilities mount only the repositories that they list.

## Example

```sh
source /cvmfs/cms.cern.ch/cmsset_default.sh
```

## How to fix

Say in the README which repositories are needed. Name images by their reference in a registry, which works with and without
CVMFS. Take corrections from a copy of a fixed date.

## Limits

Only one facility publishes the list of what it mounts; for the others it is derived from what people use there.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for subject in subject::of(input, Topic::Software) {
        let message = format!("`{}` {}", excerpt(subject.usage.text), message::existence(input.world, &subject.place));
        let help = match subject.place.prefix {
            "/cvmfs/unpacked.cern.ch" => "name the image by its reference in a registry where the engine can pull",
            _ => {
                "say in the README which CVMFS repositories are needed; machines without CVMFS need a copy or an image"
            }
        };
        let severity = subject.usage.lower(severity(&subject), false);
        let mut report = message::report(&subject.range, severity, message, help.to_owned());
        report.reach = message::reach(input.world, &subject.place);
        report.group = subject.place.prefix.to_owned();
        reports.push(report);
    }
}

fn severity(subject: &Subject<'_>) -> Severity {
    let place = &subject.place;
    let is_moving = subject.usage.text.split('/').any(|part| part == "latest");
    let is_partial = place.is_narrow || place.prefix == "/cvmfs/unpacked.cern.ch";
    // A repository that the table doesn't know: a site's own, most often.
    let is_unknown =
        place.prefix == "/cvmfs" && subject.usage.text.trim_matches('/').contains('/') && !subject.usage.is_templated();
    if is_moving || is_partial || is_unknown { Severity::Warning } else { Severity::Note }
}
