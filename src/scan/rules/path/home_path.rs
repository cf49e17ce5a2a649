//! Directories of one user.

use std::cell::LazyCell;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::site_path::{has_host_test, to_url};
use super::subject::{self, Subject, Topic, is_person};
use crate::facility::path::PathKind;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::matcher::Form;

use super::usage::Usage;

/// Directories of one user.
pub(in super::super) static RULE: Rule = Rule {
    id: "home-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a path into the directory of one user",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths with a user's name in them: homes (`/home/jane`, `/Users/jane`, `/afs/cern.ch/user/j/jane`, `~jane`) and
personal areas of storage (`/eos/user/j/jane`, `/uscms_data/d3/jane`, `/data/dust/user/jane`). A home that is put together
from the caller's name (`/home/$USER`) is a warning: homes have other paths elsewhere.

## Why it breaks elsewhere

Nobody else has this directory, and at another facility its owner doesn't either.

## Example

```python
with open(\"/home/submit/jane/analysis/config.json\") as file:
    ...
```

## How to fix

Find files of the repository beside the program (`pathlib.Path(__file__).parent`). Take every other place from an argument, a
configuration file or an environment variable such as `HOME`.

## Limits

A name that could be that of a shared directory is not taken for a user's.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let is_branch = LazyCell::new(|| has_host_test(input));
    for subject in subject::of(input, Topic::Home) {
        if let Some(mut severity) = severity(&subject) {
            if *is_branch {
                severity = severity.min(Severity::Warning);
            }
            reports.push(report(input, &subject, severity));
        }
    }
    for found in input.matches.iter().filter(|found| found.form == Form::Home) {
        reports.extend(Usage::of(input, &found.range).and_then(|usage| shell_home(&usage, &found.range)));
    }
}

fn severity(subject: &Subject<'_>) -> Option<Severity> {
    let usage = &subject.usage;
    let is_personal = subject.place.owner.is_some_and(is_person);
    if is_personal {
        return Some(usage.lower(Severity::Error, subject.place.kind != PathKind::Shared));
    }
    // `/home/$USER`: homes are elsewhere at other places; `/home/user/x` is an example.
    let behind = usage.text.trim_end_matches('/').len() > subject.place.prefix.len();
    (usage.is_templated() || behind).then(|| usage.lower(Severity::Warning, false))
}

fn report(input: &FileInput<'_>, subject: &Subject<'_>, severity: Severity) -> Diagnostic {
    let (place, text) = (&subject.place, subject.usage.text);
    let owner = place.owner.filter(|owner| is_person(owner));
    let whose = owner.map_or_else(|| "a home".to_owned(), |owner| format!("the directory of {owner}"));
    let message = match place.kind {
        PathKind::Home => format!("`{}` is {whose} on one machine", excerpt(text)),
        _ => format!("`{}` is {whose}; `{}` {}", excerpt(text), place.prefix, message::existence(input.world, place)),
    };
    let help = match (place.kind, owner) {
        (PathKind::Home, None) => "use $HOME or the working directory".to_owned(),
        _ => message::help(place, text),
    };
    let mut report = message::report(&subject.range, severity, message, help);
    report.reach = message::reach(input.world, place);
    report.group = subject.group();
    report.edit = to_url(&subject.usage, subject);
    report
}

/// `~jane/x`, and directories below `~` that one site links there.
fn shell_home(usage: &Usage<'_>, range: &std::ops::Range<usize>) -> Option<Diagnostic> {
    let (name, rest) = usage.text.strip_prefix('~')?.split_once('/')?;
    if !name.is_empty() {
        let message = format!("`~{name}` is the home of {name} on one machine");
        let help = "take the directory from an argument or an environment variable".to_owned();
        let severity = usage.lower(Severity::Error, true);
        return is_person(name)
            .then(|| Diagnostic { group: format!("~{name}"), ..message::report(range, severity, message, help) });
    }
    let first = rest.split('/').next().unwrap_or_default();
    let what = match first {
        "nobackup" => "a link that the LPC at Fermilab puts into homes",
        "cernbox" | "eos" => "a link that one has made at CERN",
        _ => return None,
    };
    let message = format!("`~/{first}` is {what}");
    let help = "take the directory from an argument or an environment variable".to_owned();
    let report = message::report(range, usage.lower(Severity::Warning, false), message, help);
    Some(Diagnostic { group: format!("~/{first}"), ..report })
}
