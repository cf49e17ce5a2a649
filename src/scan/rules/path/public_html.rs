//! Web directories in home directories.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::matcher::Form;

/// The rule `public-html`.
pub(super) static RULE: Rule = Rule {
    id: "public-html",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "output in a web directory of the home directory",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds `~/public_html` and `~/www`.

## Why it breaks elsewhere

Only some sites serve web pages from home directories. Elsewhere the directory does not exist, and writing into it fails.
Moreover, many Python and ROOT functions do not expand `~`.

## Example

```python
canvas.SaveAs(\"~/public_html/plots/mass.png\")
```

## How to fix

Read the output directory from an argument. Use a directory next to the program as the default.

## Limits

Only these two names are found.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for found in input.matches.iter().filter(|found| found.form == Form::Home) {
        let Some(usage) = Usage::find(input, &found.range) else { continue };
        let first = usage.text.trim_start_matches("~/").split('/').next().unwrap_or_default();
        if !usage.text.starts_with("~/") || !matches!(first, "public_html" | "www") {
            continue;
        }
        let message = format!("`~/{first}` exists only at sites that serve web pages from home directories");
        let help =
            "read the output directory from an argument; use a directory next to the program as the default".to_owned();
        let mut diagnostic = message::diagnostic(&found.range, usage.lower(Severity::Warning, false), message, help);
        diagnostic.group = format!("~/{first}");
        diagnostics.push(diagnostic);
    }
}
