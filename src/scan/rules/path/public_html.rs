//! Web directories in homes.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::matcher::Form;

/// Web directories in homes.
pub(in super::super) static RULE: Rule = Rule {
    id: "public-html",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "output into a web directory of the home",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds `~/public_html` and `~/www`.

## Why it breaks elsewhere

Only some sites serve web pages from homes; elsewhere the directory isn't there, and writing into it fails. Python and ROOT
don't expand `~` in every call either.

## Example

```python
canvas.SaveAs(\"~/public_html/plots/mass.png\")
```

## How to fix

Take the output directory from an argument, with a directory beside the program as default.

## Limits

Only these names.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for found in input.matches.iter().filter(|found| found.form == Form::Home) {
        let Some(usage) = Usage::of(input, &found.range) else { continue };
        let first = usage.text.trim_start_matches("~/").split('/').next().unwrap_or_default();
        if !usage.text.starts_with("~/") || !matches!(first, "public_html" | "www") {
            continue;
        }
        let message = format!("`~/{first}` exists where a site serves web pages from homes");
        let help =
            "take the output directory from an argument, with a directory beside the program as default".to_owned();
        let mut report = message::report(&found.range, usage.lower(Severity::Warning, false), message, help);
        report.group = format!("~/{first}");
        reports.push(report);
    }
}
