//! CVMFS repositories that change daily.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// The rule `cvmfs-nightly`.
pub(super) static RULE: Rule = Rule {
    id: "cvmfs-nightly",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "path to software from nightly builds",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds paths into CVMFS repositories of nightly or development builds: `sft-nightlies`, `cms-ib`, `atlas-nightlies`, `lhcbdev`.

## Why it breaks elsewhere

These builds are replaced after a few days, so the analysis cannot be run again later. Few facilities mount the repositories.

## Example

```sh
source /cvmfs/sft-nightlies.cern.ch/lcg/views/dev4/latest/x86_64-el9-gcc13-opt/setup.sh
```

## How to fix

Use a release: `/cvmfs/sft.cern.ch/lcg/views/LCG_106/…`.

## Limits

None known.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for subject in subject::with_topic(input, Topic::Nightly) {
        let message = format!("nightly build `{}` is deleted after a few days", excerpt(subject.usage.text));
        let severity = subject.usage.lower(Severity::Warning, false);
        let mut diagnostic = message::diagnostic(&subject.range, severity, message, "use a release".to_owned());
        diagnostic.group = subject.facts.prefix.to_owned();
        diagnostics.push(diagnostic);
    }
}
