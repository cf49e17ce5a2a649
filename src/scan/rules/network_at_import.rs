//! Modules that use the network when they are imported.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Call;
use crate::source::lang::language::Language;

/// Downloads at the top of a module.
pub(super) static RULE: Rule = Rule {
    id: "network-at-import",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "a module uses the network when it is imported",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds downloads, requests and files opened over the network outside of functions, in modules that others import.

## Why it breaks elsewhere

Worker nodes often have no way out. There the import itself fails or waits for minutes, in every job, and the tests can't be collected.

## Example

```python
import requests
GOLDEN = requests.get(\"https://example.org/golden.json\").json()
```

## How to fix

Put it into a function, cache the file, or keep it in the repository.

## Limits

Notebooks and scripts that nobody imports are meant to run from the top, so they are not reported.
";

/// Functions that use the network whatever they are given.
const ALWAYS: &[&str] = &[
    "requests.get",
    "requests.post",
    "urllib.request.urlopen",
    "urllib.request.urlretrieve",
    "urllib.urlretrieve",
    "urllib2.urlopen",
    "wget.download",
    "httpx.get",
    "pooch.retrieve",
    "gdown.download",
    "urlopen",
    "urlretrieve",
];
/// Functions that use it when they are given a URL.
const WITH_URL: &[&str] = &[
    "uproot.open",
    "TFile.Open",
    "ROOT.TFile.Open",
    "pd.read_csv",
    "pandas.read_csv",
    "pd.read_json",
    "fsspec.open",
    "NanoEventsFactory.from_root",
];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    if input.language != Language::Python || is_script(input) {
        return;
    }
    for call in input.view.facts.calls.iter().filter(|call| call.at_import && uses_network(call)) {
        let message = format!("`{}` uses the network when this module is imported", call.name);
        reports.push(
            Diagnostic::at(&call.range, message).help("put it into a function, or keep the file in the repository"),
        );
    }
}

fn uses_network(call: &Call) -> bool {
    let name = call.name.as_str();
    let first = call.arguments.first().and_then(Option::as_ref);
    let is_url = first.is_some_and(|word| word.text.contains("://") && !word.text.starts_with("file:"));
    ALWAYS.contains(&name) || WITH_URL.contains(&name) && is_url
}

/// Whether nobody imports the file: it has an interpreter line or no module beside it imports anything of its name.
fn is_script(input: &FileInput<'_>) -> bool {
    let is_package =
        input.path.rsplit_once('/').is_some_and(|(dir, _)| input.world.has_file(&format!("{dir}/__init__.py")));
    input.view.facts.shebang.is_some() || !is_package
}
