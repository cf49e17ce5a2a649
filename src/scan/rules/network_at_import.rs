//! Modules that use the network when they are imported.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Call;
use crate::source::lang::language::Language;

/// The rule `network-at-import`: downloads at the top level of a module.
pub(super) static RULE: Rule = Rule {
    id: "network-at-import",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "module that uses the network when it is imported",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds downloads, requests and files opened over the network outside functions, in modules that other modules import.

## Why it breaks elsewhere

Worker nodes often have no outbound network. The import then fails or hangs for minutes in every job, and the tests cannot be
collected.

## Example

```python
import requests
GOLDEN = requests.get(\"https://example.org/golden.json\").json()
```

## How to fix

Move the call into a function, cache the file, or commit it.

## Limits

Notebooks, and scripts that no other module imports, are meant to run from top to bottom and are not reported.
";

/// Functions that always use the network.
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
/// Functions that use the network if their argument is a URL.
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

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if input.language != Language::Python || is_script(input) {
        return;
    }
    for call in input.view.facts.calls.iter().filter(|call| call.runs_at_import && uses_network(call)) {
        let message = format!("`{}` uses the network when the module is imported", call.name);
        diagnostics
            .push(Diagnostic::at(&call.range, message).help("move the call into a function, or commit the file"));
    }
}

fn uses_network(call: &Call) -> bool {
    let name = call.name.as_str();
    let first = call.arguments.first().and_then(Option::as_ref);
    let is_url = first.is_some_and(|word| word.text.contains("://") && !word.text.starts_with("file:"));
    ALWAYS.contains(&name) || WITH_URL.contains(&name) && is_url
}

/// Reports whether the file is a script: it has an interpreter line or is not part of a package.
fn is_script(input: &FileInput<'_>) -> bool {
    let is_package =
        input.path.rsplit_once('/').is_some_and(|(dir, _)| input.context.has_file(&format!("{dir}/__init__.py")));
    input.view.facts.shebang.is_some() || !is_package
}
