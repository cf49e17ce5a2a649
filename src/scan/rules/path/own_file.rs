//! Files of the repository that are referenced by an absolute path.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Edit, Rule};
use super::message;
use super::subject::{self, Subject, Topic};
use super::usage::Effect;
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;

/// The rule `own-file-by-absolute-path`.
pub(super) static RULE: Rule = Rule {
    id: "own-file-by-absolute-path",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "repository file referenced by its absolute path",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds absolute paths that end with the path of a file in the repository: they point into the author's checkout.

## Why it breaks elsewhere

Other users have the repository in a different directory.

## Example

```python
open(\"/home/jane/my-analysis/config/selection.json\")   # config/selection.json is in the repository
```

## How to fix

Locate the file relative to the program (`pathlib.Path(__file__).parent / \"config/selection.json\"`). For a program that is
started in the repository root, the relative path is enough.

## Limits

At least two components must match, so that an unrelated `config.json` is not treated as a file of the repository.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for subject in subject::with_topic(input, Topic::Own) {
        let Some(own) = subject.own else { continue };
        let severity = subject.usage.lower(Severity::Error, true);
        let message =
            format!("`{}` is the file `{own}` in one checkout of this repository", excerpt(subject.usage.text));
        let help = format!("locate `{own}` relative to the program, for example with __file__");
        let mut diagnostic = message::diagnostic(&subject.range, severity, message, help);
        diagnostic.reach = message::reach(input.context, &subject.facts);
        diagnostic.group = format!("own {own}");
        diagnostic.edit = edit(input, &subject, own);
        diagnostics.push(diagnostic);
    }
}

/// Returns the edit to a relative path, for programs in the top directory, which are started there.
fn edit(input: &FileInput<'_>, subject: &Subject<'_>, own: &str) -> Option<Edit> {
    let is_whole = subject.usage.span.is_some_and(|span| span.range == subject.range);
    let is_at_top = !input.path.contains('/');
    (is_whole && is_at_top && subject.usage.effect == Effect::Direct).then(|| Edit {
        range: subject.range.clone(),
        replacement: own.to_owned(),
        title: "use the path relative to the repository root".to_owned(),
    })
}
