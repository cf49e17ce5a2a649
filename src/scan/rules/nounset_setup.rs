//! Set-up scripts that are read under `set -u`.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Command, Word};

/// `set -u`, then `source /cvmfs/…/setup.sh`.
pub(super) static RULE: Rule = Rule {
    id: "nounset-setup",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "a set-up script is sourced under `set -u`, which ends the shell",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scripts that say `set -u` (or `set -euo pipefail`) and then source a set-up script of an experiment, an LCG view, ROOT, Geant4 or
conda.

## Why it breaks elsewhere

These scripts read variables that may not be set: `LD_LIBRARY_PATH`, `PYTHONPATH`, `PS1`. On the machine of the author they are; in a
clean container or batch job they aren't, and the shell ends with `unbound variable`.

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

Only scripts with names or places that are known for it are reported.
";

/// Parts of paths of scripts that read unset variables.
const KNOWN: &[&str] = &[
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

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let mut strict = false;
    for command in &input.view.facts.commands {
        let Some(name) = command.words.first() else { continue };
        match name.text.as_str() {
            "set" => strict = switched(&command.words).unwrap_or(strict),
            "source" | "." if strict => reports.extend(report(command)),
            _ => {}
        }
    }
}

/// What a `set` command makes of the option.
fn switched(words: &[Word]) -> Option<bool> {
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

fn report(command: &Command) -> Option<Diagnostic> {
    let script = command.words.get(1)?;
    KNOWN.iter().find(|part| script.text.contains(*part))?;
    let message = format!("`{}` is sourced under `set -u` and reads variables that may not be set", script.text);
    Some(Diagnostic::at(&script.range, message).help("put `set +u` before it and `set -u` behind it"))
}

#[cfg(test)]
mod tests {
    use super::{Word, switched};

    fn set(text: &str) -> Option<bool> {
        let words = text.split(' ').map(|word| Word { text: word.to_owned(), range: 0..0 }).collect::<Vec<_>>();
        switched(&words)
    }

    #[test]
    fn every_way_to_say_it_is_known() {
        assert_eq!(set("set -u"), Some(true));
        assert_eq!(set("set -euo pipefail"), Some(true));
        assert_eq!(set("set -o nounset"), Some(true));
        assert_eq!(set("set +u"), Some(false));
        assert_eq!(set("set -e"), None);
    }
}
