//! CVMFS repositories.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Subject, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// The rule `cvmfs-path`.
pub(super) static RULE: Rule = Rule {
    id: "cvmfs-path",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "path to software or data on CVMFS",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds paths below `/cvmfs`. A path in a widely mounted repository is reported as a note. A path in a repository that only some
facilities mount, or that contains `latest`, is reported as a warning.

## Why it breaks elsewhere

CVMFS is not available on laptops, on Binder and on most CI runners. Facilities mount only selected repositories.

## Example

```sh
source /cvmfs/cms.cern.ch/cmsset_default.sh
```

## How to fix

List the required repositories in the README. Reference images by their name in a registry, which works with and without CVMFS.
Copy corrections from a dated directory.

## Limits

Only one facility publishes the list of repositories that it mounts. For the others, the list is derived from common use.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for subject in subject::with_topic(input, Topic::Software) {
        let message =
            format!("`{}` {}", excerpt(subject.usage.text), message::existence(input.context, &subject.facts));
        let help = match subject.facts.prefix {
            "/cvmfs/unpacked.cern.ch" => "reference the image by its name in a registry",
            _ => "list the required CVMFS repositories in the README; machines without CVMFS need a copy or an image",
        };
        let severity = subject.usage.lower(severity(&subject), false);
        let mut diagnostic = message::diagnostic(&subject.range, severity, message, help.to_owned());
        diagnostic.reach = message::reach(input.context, &subject.facts);
        diagnostic.group = subject.facts.prefix.to_owned();
        diagnostics.push(diagnostic);
    }
}

fn severity(subject: &Subject<'_>) -> Severity {
    let facts = &subject.facts;
    let is_moving = subject.usage.text.split('/').any(|part| part == "latest");
    let is_partial = facts.is_narrow || facts.prefix == "/cvmfs/unpacked.cern.ch";
    // A repository that is not in the catalogue usually belongs to one site.
    let is_unknown =
        facts.prefix == "/cvmfs" && subject.usage.text.trim_matches('/').contains('/') && !subject.usage.is_templated();
    if is_moving || is_partial || is_unknown { Severity::Warning } else { Severity::Note }
}
