//! Files of the repository, by an absolute path.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Edit, Rule};
use super::message;
use super::subject::{self, Subject, Topic};
use super::usage::Force;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// Files of the repository, by an absolute path.
pub(in super::super) static RULE: Rule = Rule {
    id: "own-file-by-absolute-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a file of the repository, named by an absolute path",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths whose end is the path of a file in the repository: the author's own checkout.

## Why it breaks elsewhere

Everybody else has the repository somewhere else.

## Example

```python
open(\"/home/jane/my-analysis/config/selection.json\")   # config/selection.json is in the repository
```

## How to fix

Find the file from where the program stands (`pathlib.Path(__file__).parent / \"config/selection.json\"`). Where a program at the
top of the repository is meant to be started there, the relative path does.

## Limits

At least two components must agree, so that a file called `config.json` elsewhere is not taken for the repository's own.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for subject in subject::of(input, Topic::Own) {
        let Some(own) = subject.own else { continue };
        let severity = subject.usage.lower(Severity::Error, true);
        let message = format!("`{}` is `{own}` of this repository, in one checkout of it", excerpt(subject.usage.text));
        let help = format!("find `{own}` from where the program stands, for example from __file__");
        let mut report = message::report(&subject.range, severity, message, help);
        report.reach = message::reach(input.world, &subject.place);
        report.group = format!("own {own}");
        report.edit = edit(input, &subject, own);
        reports.push(report);
    }
}

/// The relative path, for programs that are started at the top of the repository because they lie there.
fn edit(input: &FileInput<'_>, subject: &Subject<'_>, own: &str) -> Option<Edit> {
    let is_whole = subject.usage.span.is_some_and(|span| span.range == subject.range);
    let is_at_top = !input.path.contains('/');
    (is_whole && is_at_top && subject.usage.force == Force::Done).then(|| Edit {
        range: subject.range.clone(),
        replacement: own.to_owned(),
        title: "name it relative to the top of the repository".to_owned(),
    })
}
