//! Corrections from a folder whose content changes.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// `jsonpog-integration`, `cms-griddata` and the like by `latest`, `master` or no version.
pub(super) static RULE: Rule = Rule {
    id: "unversioned-corrections",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "corrections are taken from a folder whose content changes",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scale factors and corrections that are read from `jsonpog-integration` on `/cvmfs` or from `/cvmfs/cms-griddata.cern.ch` without
a version or by `latest`.

## Why it breaks elsewhere

The folders are updated in place. Two facilities that run a week apart, or whose caches differ, give different yields without a line of
difference in the repository; files also move.

## Example

```python
evaluator = CorrectionSet.from_file(\"/cvmfs/cms.cern.ch/rsync/cms-nanoAOD/jsonpog-integration/POG/JME/2022_Summer22/jet_jerc.json.gz\")
```

## How to fix

Copy the files that are used into the repository or an artifact with a version, or name a dated folder of `cms-griddata`.

## Limits

Whether a copy in the repository is up to date is not asked.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let view = input.view;
    for span in view.spans.iter().filter(|span| span.is_active()) {
        let text = &view.text[span.range.clone()];
        if let Some(folder) = folder(text) {
            let message = format!("`{folder}` changes under the same name");
            let help = "copy what is used, with a version, or name a dated folder";
            reports.push(Diagnostic::at(&span.range, message).help(help).group(folder));
        }
    }
}

/// The moving folder that a path leads through.
fn folder(text: &str) -> Option<&'static str> {
    let absolute = text.contains("/cvmfs/") || text.contains("/eos/") || text.contains("/afs/");
    if text.contains("jsonpog-integration") && absolute {
        return Some("jsonpog-integration");
    }
    let is_latest = text.split('/').any(|part| part == "latest");
    (is_latest && (text.contains("cms-griddata") || text.contains("-POG"))).then_some("latest")
}
