//! Compiler flags for one kind of processor.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;

/// The rule `machine-flags`: `-march=native`, `-msse`, `-mavx2`.
pub(super) static RULE: Rule = Rule {
    id: "machine-flags",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "compiler flag for one CPU type",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds `-march=`, `-mtune=native`, `-mcpu=`, `-msse…`, `-mavx…` and `-m32` in build files and scripts.

## Why it breaks elsewhere

With `-march=native`, a library that was built on the login node fails with `Illegal instruction` on an older worker node. x86 flags
are errors on ARM machines, which several facilities and many laptops have.

## Example

```make
CXXFLAGS = -O2 -march=native
```

## How to fix

Remove the flag, or use the highest level that all facilities support, such as `-march=x86-64-v2`. Set it only if the architecture
of the build is x86-64.

## Limits

Flags from another tool's configuration (`root-config --cflags`) are not found.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !matches!(
        input.language,
        Language::Make | Language::Cmake | Language::Shell | Language::Docker | Language::Apptainer | Language::Python
    ) {
        return;
    }
    let facts = &input.view.facts;
    let values = facts.settings.iter().map(|setting| &setting.value).filter(|_| input.language != Language::Python);
    let words = facts.commands.iter().flat_map(|command| command.words.iter().skip(1));
    for word in values.chain(words) {
        if let Some(flag) = word.text.split([' ', '\t', '"', '\'']).find(|flag| is_flag(flag)) {
            let message = format!("`{flag}` builds for one kind of processor only");
            let help = "remove it, or use the highest level that every facility supports";
            diagnostics.push(Diagnostic::at(&word.range, message).help(help).group(flag));
        }
    }
}

fn is_flag(flag: &str) -> bool {
    let level = flag.strip_prefix("-march=").or_else(|| flag.strip_prefix("-mcpu="));
    match level {
        // Levels that every machine of the architecture supports.
        Some(level) => !matches!(level, "x86-64" | "x86-64-v2" | "armv8-a" | ""),
        None => {
            flag == "-m32"
                || flag == "-mtune=native"
                || ["-msse", "-mavx", "-mfma", "-mbmi"].iter().any(|begin| flag.starts_with(begin))
        }
    }
}
