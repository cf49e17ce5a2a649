//! Storage of one site, by its absolute path.

use std::cell::LazyCell;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Edit, Rule};
use super::subject::{self, Subject, Topic};
use super::usage::{Effect, Usage};
use super::{message, unlisted};
use crate::facility::path::PathKind;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;

/// The rule `site-path`.
pub(super) static RULE: Rule = Rule {
    id: "site-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "absolute path into the storage of one site",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths into storage that one site mounts: `/depot/cms`, `/eos/cms`, `/ceph/submit`, `/pnfs/…`. The catalogue of
facilities lists where each path exists; `carnet facilities show ID` prints the mounts of one facility.

A path whose existence the program only checks, or that is an option's default, is reported as a warning. So is a path below a
root that many sites use for different purposes (`/data`, `/scratch`). A path below a root that is not in the catalogue is also
reported as a warning, if a call, a command, the name of a variable or a file extension shows that a file system path is meant.

## Why it breaks elsewhere

The directory is not mounted at other facilities, or not in their jobs.

## Example

```python
files = glob.glob(\"/depot/cms/group/ntuples/*.root\")
```

## How to fix

Read the directory from an argument, a configuration file or an environment variable. Reference data by logical names and let the
facility select the door, or use a URL that works everywhere.

## Limits

A path that is built from several parts is recognized by its first part only. Mounts of facilities that are marked as unconfirmed may
be wrong.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let is_branch = LazyCell::new(|| tests_hostname(input));
    for subject in subject::with_topic(input, Topic::Site) {
        let mut severity = severity(input, &subject);
        if *is_branch {
            severity = severity.min(Severity::Warning);
        }
        let message =
            format!("`{}` {}", excerpt(subject.usage.text), message::existence(input.context, &subject.facts));
        let mut diagnostic =
            message::diagnostic(&subject.range, severity, message, message::help(&subject.facts, subject.usage.text));
        diagnostic.reach = message::reach(input.context, &subject.facts);
        diagnostic.group = subject.group();
        diagnostic.edit = to_url(&subject.usage, &subject);
        diagnostics.push(diagnostic);
    }
    unlisted::check(input, diagnostics);
}

fn severity(input: &FileInput<'_>, subject: &Subject<'_>) -> Severity {
    let depth = subject.usage.text.trim_matches('/').matches('/').count();
    let base = match subject.facts.kind {
        PathKind::Public => Severity::Warning,
        PathKind::Shared if depth == 0 || input.language == Language::Data => Severity::Note,
        PathKind::Shared => Severity::Warning,
        _ => Severity::Error,
    };
    if subject.usage.effect == Effect::Guard && base == Severity::Warning {
        return Severity::Note;
    }
    subject.usage.lower(base, false)
}

/// Reports whether a file tests the host name and names storage of several sites, so that each path is in one branch.
pub(super) fn tests_hostname(input: &FileInput<'_>) -> bool {
    let text = input.view.text.as_bytes();
    let asks =
        ["gethostname", "getfqdn", "platform.node", "$HOSTNAME", "os.uname", "hostname -", "$(hostname", "`hostname"];
    if !asks.iter().any(|ask| memchr::memmem::find(text, ask.as_bytes()).is_some()) {
        return false;
    }
    let mut sites = subject::with_topic(input, Topic::Site)
        .chain(subject::with_topic(input, Topic::Home))
        .map(|subject| subject.facts.site);
    sites.next().is_some_and(|first| sites.any(|site| site != first))
}

/// Calls that accept a URL or a path as their first argument.
const READERS: &[&str] = &["Open", "open", "iterate", "dask", "lazy", "concatenate", "AddFile", "Add", "from_root"];

/// Returns the edit from an EOS path to a URL, for calls that accept URLs.
pub(super) fn to_url(usage: &Usage<'_>, subject: &Subject<'_>) -> Option<Edit> {
    let call = usage.span?.call.as_deref()?;
    let takes_urls =
        ["TFile", "uproot", "TChain", "chain", "Chain", "NanoEventsFactory"].iter().any(|word| call.contains(word));
    let replacement = subject.facts.replacement.filter(|replacement| replacement.ends_with(subject.facts.prefix))?;
    if !takes_urls || !READERS.contains(&usage.call()) || !usage.is_first || usage.effect != Effect::Direct {
        return None;
    }
    let start = subject.range.start;
    let end = start + subject.facts.prefix.len();
    usage.text.starts_with(subject.facts.prefix).then(|| Edit {
        range: start..end,
        replacement: replacement.to_owned(),
        title: format!("use the door of {}", subject.facts.site),
    })
}
