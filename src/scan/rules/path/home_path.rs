//! Directories of one user.

use std::cell::LazyCell;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::site_path::{tests_hostname, to_url};
use super::subject::{self, Subject, Topic, is_person};
use crate::facility::path::PathKind;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::matcher::Form;

use super::usage::Usage;

/// The rule `home-path`.
pub(super) static RULE: Rule = Rule {
    id: "home-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "path into the directory of one user",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths that contain a user name: home directories (`/home/jane`, `/Users/jane`, `/afs/cern.ch/user/j/jane`, `~jane`)
and personal storage (`/eos/user/j/jane`, `/uscms_data/d3/jane`, `/data/dust/user/jane`). A home directory that is built from the
user's name at run time (`/home/$USER`) is reported as a warning, because home directories have different paths elsewhere.

## Why it breaks elsewhere

Other users do not have this directory, and neither does its owner at another facility.

## Example

```python
with open(\"/home/submit/jane/analysis/config.json\") as file:
    ...
```

## How to fix

Locate files of the repository relative to the program (`pathlib.Path(__file__).parent`). Read other paths from an argument, a
configuration file or an environment variable such as `HOME`.

## Limits

A name that may be that of a shared directory is not treated as a user name.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let is_branch = LazyCell::new(|| tests_hostname(input));
    for subject in subject::with_topic(input, Topic::Home) {
        if let Some(mut severity) = severity(&subject) {
            if *is_branch {
                severity = severity.min(Severity::Warning);
            }
            diagnostics.push(diagnostic(input, &subject, severity));
        }
    }
    for found in input.matches.iter().filter(|found| found.form == Form::Home) {
        diagnostics.extend(Usage::find(input, &found.range).and_then(|usage| shell_home(&usage, &found.range)));
    }
}

fn severity(subject: &Subject<'_>) -> Option<Severity> {
    let usage = &subject.usage;
    let is_personal = subject.facts.owner.is_some_and(is_person);
    if is_personal {
        return Some(usage.lower(Severity::Error, subject.facts.kind != PathKind::Shared));
    }
    // `/home/$USER` has another path at other sites; `/home/user/x` is an example.
    let behind = usage.text.trim_end_matches('/').len() > subject.facts.prefix.len();
    (usage.is_templated() || behind).then(|| usage.lower(Severity::Warning, false))
}

fn diagnostic(input: &FileInput<'_>, subject: &Subject<'_>, severity: Severity) -> Diagnostic {
    let (facts, text) = (&subject.facts, subject.usage.text);
    let owner = facts.owner.filter(|owner| is_person(owner));
    let whose = owner.map_or_else(|| "a home directory".to_owned(), |owner| format!("{owner}'s directory"));
    let is_whole = owner.is_some_and(|owner| text.trim_end_matches('/').ends_with(&format!("/{owner}")));
    let verb = if is_whole { "is" } else { "is in" };
    let message = match facts.kind {
        PathKind::Home => format!("`{}` {verb} {whose} on one machine", excerpt(text)),
        _ => {
            let existence = message::existence(input.context, facts);
            format!("`{}` {verb} {whose}; `{}` {existence}", excerpt(text), facts.prefix)
        }
    };
    let help = match (facts.kind, owner) {
        (PathKind::Home, None) => "use $HOME or the working directory".to_owned(),
        _ => message::help(facts, text),
    };
    let mut diagnostic = message::diagnostic(&subject.range, severity, message, help);
    diagnostic.reach = message::reach(input.context, facts);
    diagnostic.group = subject.group();
    diagnostic.edit = to_url(&subject.usage, subject);
    diagnostic
}

/// Reports `~jane/x`, and directories in `~` that one site links there.
fn shell_home(usage: &Usage<'_>, range: &std::ops::Range<usize>) -> Option<Diagnostic> {
    let (name, rest) = usage.text.strip_prefix('~')?.split_once('/')?;
    if !name.is_empty() {
        let message = format!("`~{name}` is {name}'s home directory on one machine");
        let help = "read the directory from an argument or an environment variable".to_owned();
        let severity = usage.lower(Severity::Error, true);
        return is_person(name)
            .then(|| Diagnostic { group: format!("~{name}"), ..message::diagnostic(range, severity, message, help) });
    }
    let first = rest.split('/').next().unwrap_or_default();
    let what = match first {
        "nobackup" => "a link in home directories at the Fermilab LPC only",
        "cernbox" | "eos" => "a link that users create at CERN",
        _ => return None,
    };
    let message = format!("`~/{first}` is {what}");
    let help = "read the directory from an argument or an environment variable".to_owned();
    let diagnostic = message::diagnostic(range, usage.lower(Severity::Warning, false), message, help);
    Some(Diagnostic { group: format!("~/{first}"), ..diagnostic })
}
