//! Corrections from directories that are updated in place.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `unversioned-corrections`: `jsonpog-integration` or `cms-griddata` without a version.
pub(super) static RULE: Rule = Rule {
    id: "unversioned-corrections",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "corrections from a directory that is updated in place",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scale factors and corrections that are read from `jsonpog-integration` on `/cvmfs`, or from `/cvmfs/cms-griddata.cern.ch` without
a version or with `latest`.

## Why it breaks elsewhere

The directories are updated in place. Two runs of the same commit can give different yields if they are a week apart, or if the
caches of the facilities differ. Files are sometimes moved, too.

## Example

```python
evaluator = CorrectionSet.from_file(\"/cvmfs/cms.cern.ch/rsync/cms-nanoAOD/jsonpog-integration/POG/JME/2022_Summer22/jet_jerc.json.gz\")
```

## How to fix

Copy the required files into the repository or a versioned artifact, or use a dated directory of `cms-griddata`.

## Limits

The rule does not check whether a copy in the repository is up to date.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let view = input.view;
    for span in view.spans.iter().filter(|span| span.is_active()) {
        let text = &view.text[span.range.clone()];
        if let Some(folder) = folder(text) {
            let message = format!("files in `{folder}` are updated in place");
            let help = "commit a copy of the required files, or use a dated directory";
            diagnostics.push(Diagnostic::at(&span.range, message).help(help).group(folder));
        }
    }
}

/// Returns the part of a path whose files are updated in place.
fn folder(text: &str) -> Option<&'static str> {
    let absolute = text.contains("/cvmfs/") || text.contains("/eos/") || text.contains("/afs/");
    if text.contains("jsonpog-integration") && absolute {
        return Some("jsonpog-integration");
    }
    let is_latest = text.split('/').any(|part| part == "latest");
    (is_latest && (text.contains("cms-griddata") || text.contains("-POG"))).then_some("latest")
}
