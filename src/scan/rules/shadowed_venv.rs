//! Virtual environments that are hidden by the PYTHONPATH of a release.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Command;

/// The rule `shadowed-venv`: `source /cvmfs/sft.cern.ch/…/setup.sh`, then `python -m venv`.
pub(super) static RULE: Rule = Rule {
    id: "shadowed-venv",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "virtual environment that the PYTHONPATH of a release hides",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scripts that set up an LCG view, CMSSW or an ATLAS release and then create a virtual environment without
`--system-site-packages` and without clearing `PYTHONPATH`.

## Why it breaks elsewhere

These releases add their packages to `PYTHONPATH`, which Python searches before the virtual environment. Packages installed in the
environment are hidden by those of the release, and their versions depend on the release that the site mounts.

## Example

```sh
source /cvmfs/sft.cern.ch/lcg/views/LCG_105/x86_64-el9-gcc13-opt/setup.sh
python3 -m venv env
```

## How to fix

If the environment contains all packages, run `unset PYTHONPATH` after activating it. Otherwise create it with
`python3 -m venv --system-site-packages` and put its `site-packages` first on `PYTHONPATH`.

## Limits

Releases that another file sets up are not found.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    let clears = facts.settings.iter().any(|setting| setting.key == "PYTHONPATH")
        || facts
            .commands
            .iter()
            .any(|command| is(command, "unset") && command.words.iter().any(|word| word.text == "PYTHONPATH"));
    if clears {
        return;
    }
    let mut release = None;
    for command in &facts.commands {
        release = release_of(command).or(release);
        let Some(name) = release.filter(|_| makes_venv(command)) else { continue };
        let message = format!("the PYTHONPATH of {name} hides packages of this virtual environment");
        diagnostics.push(
            Diagnostic::at(&command.range, message)
                .help("unset PYTHONPATH, or create the environment with --system-site-packages"),
        );
    }
}

fn is(command: &Command, name: &str) -> bool {
    command.words.first().is_some_and(|word| word.text == name)
}

fn release_of(command: &Command) -> Option<&'static str> {
    let texts: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    let (first, rest) = texts.split_first()?;
    let sources = matches!(*first, "source" | ".");
    if sources && rest.iter().any(|path| path.starts_with("/cvmfs/sft")) {
        return Some("the LCG release");
    }
    let is_scram = matches!(*first, "scram" | "scramv1") && rest.first() == Some(&"runtime");
    let is_eval = *first == "eval" && rest.iter().any(|word| word.contains("scram"));
    if *first == "cmsenv" || is_scram || is_eval {
        return Some("CMSSW");
    }
    (matches!(*first, "asetup" | "lsetup")).then_some("the ATLAS release")
}

fn makes_venv(command: &Command) -> bool {
    let texts: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    let is_venv = texts.first().is_some_and(|name| *name == "virtualenv" || name.ends_with("/virtualenv"))
        || texts.windows(2).any(|pair| pair[0] == "-m" && matches!(pair[1], "venv" | "virtualenv"));
    is_venv && !texts.contains(&"--system-site-packages")
}
