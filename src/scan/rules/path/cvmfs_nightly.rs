//! Repositories of CVMFS that change daily.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// Repositories of CVMFS that change daily.
pub(in super::super) static RULE: Rule = Rule {
    id: "cvmfs-nightly",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "software from nightly builds",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds paths into CVMFS repositories of nightly or development builds: `sft-nightlies`, `cms-ib`, `atlas-nightlies`, `lhcbdev`.

## Why it breaks elsewhere

What lies there is replaced after days, so that the analysis can't be run again; and few facilities mount it.

## Example

```sh
source /cvmfs/sft-nightlies.cern.ch/lcg/views/dev4/latest/x86_64-el9-gcc13-opt/setup.sh
```

## How to fix

Use a release: `/cvmfs/sft.cern.ch/lcg/views/LCG_106/…`.

## Limits

None known.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for subject in subject::of(input, Topic::Nightly) {
        let message = format!("`{}` is replaced by later builds after days", excerpt(subject.usage.text));
        let severity = subject.usage.lower(Severity::Warning, false);
        let mut report = message::report(&subject.range, severity, message, "use a release".to_owned());
        report.group = subject.place.prefix.to_owned();
        reports.push(report);
    }
}
