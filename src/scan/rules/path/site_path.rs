//! Storage of one site, by its absolute path.

use std::cell::LazyCell;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Edit, Rule};
use super::subject::{self, Subject, Topic};
use super::usage::{Force, Usage};
use super::{message, unlisted};
use crate::facility::path::PathKind;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::language::Language;

/// Storage of one site.
pub(in super::super) static RULE: Rule = Rule {
    id: "site-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "an absolute path into the storage of one site",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths into storage that one site mounts: `/depot/cms`, `/eos/cms`, `/ceph/submit`, `/pnfs/…`. The catalogue of
facilities says where each resolves; `carnet facilities show ID` lists the mounts of one. A path that a program only tests
for, or that is a default of an option, is a warning. A root that many sites use for different things (`/data`, `/scratch`)
is a warning too, and so is a path below a root that no catalogue knows, where a call, a command, the name of a variable or the
ending of a file says that a file system is meant.

## Why it breaks elsewhere

The directory is not mounted at other facilities, or not in their jobs.

## Example

```python
files = glob.glob(\"/depot/cms/group/ntuples/*.root\")
```

## How to fix

Take the directory from an argument, a configuration file or an environment variable. Name data by logical names and let the
facility choose the door, or use a URL that works from everywhere.

## Limits

A path that a program puts together from pieces is seen by its first piece. Mounts of facilities that are marked as
unconfirmed are not vouched for.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let is_branch = LazyCell::new(|| has_host_test(input));
    for subject in subject::of(input, Topic::Site) {
        let mut severity = severity(input, &subject);
        if *is_branch {
            severity = severity.min(Severity::Warning);
        }
        let message = format!("`{}` {}", excerpt(subject.usage.text), message::existence(input.world, &subject.place));
        let mut report =
            message::report(&subject.range, severity, message, message::help(&subject.place, subject.usage.text));
        report.reach = message::reach(input.world, &subject.place);
        report.group = subject.group();
        report.edit = to_url(&subject.usage, &subject);
        reports.push(report);
    }
    unlisted::check(input, reports);
}

fn severity(input: &FileInput<'_>, subject: &Subject<'_>) -> Severity {
    let depth = subject.usage.text.trim_matches('/').matches('/').count();
    let base = match subject.place.kind {
        PathKind::Public => Severity::Warning,
        PathKind::Shared if depth == 0 || input.language == Language::Data => Severity::Note,
        PathKind::Shared => Severity::Warning,
        _ => Severity::Error,
    };
    if subject.usage.force == Force::Guard && base == Severity::Warning {
        return Severity::Note;
    }
    subject.usage.lower(base, false)
}

/// Whether a file asks where it runs and names storage of several sites: each is then one branch.
pub(super) fn has_host_test(input: &FileInput<'_>) -> bool {
    let text = input.view.text.as_bytes();
    let asks =
        ["gethostname", "getfqdn", "platform.node", "$HOSTNAME", "os.uname", "hostname -", "$(hostname", "`hostname"];
    if !asks.iter().any(|ask| memchr::memmem::find(text, ask.as_bytes()).is_some()) {
        return false;
    }
    let mut sites =
        subject::of(input, Topic::Site).chain(subject::of(input, Topic::Home)).map(|subject| subject.place.site);
    sites.next().is_some_and(|first| sites.any(|site| site != first))
}

/// Calls whose first argument may be a URL as well as a path.
const READERS: &[&str] = &["Open", "open", "iterate", "dask", "lazy", "concatenate", "AddFile", "Add", "from_root"];

/// The edit that makes a path of an EOS a URL, where URLs are taken.
pub(super) fn to_url(usage: &Usage<'_>, subject: &Subject<'_>) -> Option<Edit> {
    let call = usage.span?.call.as_deref()?;
    let takes_urls =
        ["TFile", "uproot", "TChain", "chain", "Chain", "NanoEventsFactory"].iter().any(|word| call.contains(word));
    let replacement = subject.place.replacement.filter(|replacement| replacement.ends_with(subject.place.prefix))?;
    if !takes_urls || !READERS.contains(&usage.call()) || !usage.is_first || usage.force != Force::Done {
        return None;
    }
    let start = subject.range.start;
    let end = start + subject.place.prefix.len();
    usage.text.starts_with(subject.place.prefix).then(|| Edit {
        range: start..end,
        replacement: replacement.to_owned(),
        title: format!("read it through the door of {}", subject.place.site),
    })
}
