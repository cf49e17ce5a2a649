//! Setup scripts that are sourced under `set -u`.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Command, Word};

/// The rule `nounset-setup`: `set -u`, then `source /cvmfs/…/setup.sh`.
pub(super) static RULE: Rule = Rule {
    id: "nounset-setup",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "setup script sourced under `set -u`, which can end the shell",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scripts that run `set -u` (or `set -euo pipefail`) and then source a setup script of an experiment, an LCG view, ROOT, Geant4
or conda.

## Why it breaks elsewhere

These scripts read variables that may be unset: `LD_LIBRARY_PATH`, `PYTHONPATH`, `PS1`. They are set on the author's machine. In a
clean container or batch job they are not, and the shell exits with `unbound variable`.

## Example

```sh
set -euo pipefail
source /cvmfs/sft.cern.ch/lcg/views/LCG_107/x86_64-el9-gcc13-opt/setup.sh
```

## How to fix

```sh
set +u
source …/setup.sh
set -u
```

## Limits

Only scripts with well-known names or paths are reported.
";

/// Parts of paths of setup scripts that read unset variables.
const SETUP_SCRIPTS: &[&str] = &[
    "/cvmfs/",
    "thisroot.",
    "geant4.",
    "activate",
    "atlasLocalSetup",
    "cmsset_default",
    "setup.sh",
    "LbEnv",
    "setupATLAS",
    "conda.sh",
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut strict = false;
    for command in &input.view.facts.commands {
        let Some(name) = command.words.first() else { continue };
        match name.text.as_str() {
            "set" => strict = nounset_option(&command.words).unwrap_or(strict),
            "source" | "." if strict => diagnostics.extend(diagnostic(command)),
            _ => {}
        }
    }
}

/// Returns the state of `nounset` after a `set` command; `None` if the command does not change it.
fn nounset_option(words: &[Word]) -> Option<bool> {
    let mut strict = None;
    let mut options = words.iter().skip(1).map(|word| word.text.as_str()).peekable();
    while let Some(option) = options.next() {
        let long = option.ends_with('o') && options.peek() == Some(&"nounset");
        let short = option.len() > 1 && option.contains('u');
        if long || short {
            strict = match option.as_bytes().first() {
                Some(b'-') => Some(true),
                Some(b'+') => Some(false),
                _ => strict,
            };
        }
    }
    strict
}

fn diagnostic(command: &Command) -> Option<Diagnostic> {
    let script = command.words.get(1)?;
    SETUP_SCRIPTS.iter().find(|part| script.text.contains(*part))?;
    let message = format!("`{}` is sourced under `set -u` but reads variables that may be unset", script.text);
    Some(Diagnostic::at(&script.range, message).help("run `set +u` before and `set -u` after it"))
}

#[cfg(test)]
mod tests {
    use super::{Word, nounset_option};

    fn set(text: &str) -> Option<bool> {
        let words = text.split(' ').map(|word| Word { text: word.to_owned(), range: 0..0 }).collect::<Vec<_>>();
        nounset_option(&words)
    }

    #[test]
    fn nounset_option_accepts_all_forms() {
        assert_eq!(set("set -u"), Some(true));
        assert_eq!(set("set -euo pipefail"), Some(true));
        assert_eq!(set("set -o nounset"), Some(true));
        assert_eq!(set("set +u"), Some(false));
        assert_eq!(set("set -e"), None);
    }
}
