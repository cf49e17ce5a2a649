//! Settings of one user's shell.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;

/// Settings of one user's shell.
pub(in super::super) static RULE: Rule = Rule {
    id: "dotfile",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "a job or script reads the settings of one user's shell",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scripts that source `~/.bashrc`, `~/.bash_profile`, `~/.profile`, `~/.zshrc` or their like.

## Why it breaks elsewhere

What these files hold differs from user to user and from site to site, on workers and in images they are often missing, and
many stop early when the shell is not interactive.

## Example

```sh
source ~/.bashrc
conda activate analysis
```

## How to fix

Source what is needed itself: `eval \"$(conda shell.bash hook)\"`, the setup script of the analysis.

## Limits

Recipes of images are left alone: there the file is the image's own.
";

/// Names of such files.
const FILES: &[&str] =
    &[".bashrc", ".bash_profile", ".bash_aliases", ".profile", ".zshrc", ".zprofile", ".cshrc", ".tcshrc", ".login"];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    if matches!(input.language, Language::Docker | Language::Apptainer) {
        return;
    }
    let mut seen: Vec<usize> = Vec::new();
    for command in &input.view.facts.commands {
        let [name, file, ..] = command.words.as_slice() else { continue };
        if matches!(name.text.as_str(), "source" | ".") && is_dotfile(&file.text) {
            seen.push(file.range.start);
            reports.push(report(&file.range, &file.text));
        }
    }
    // Scripts that a program writes: the words stand in a string.
    let text = input.view.text.as_ref();
    for at in memchr::memmem::find_iter(text.as_bytes(), b"source ") {
        let start = at + "source ".len();
        let length =
            text[start..].find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '\\')).unwrap_or(0);
        let range = start..start + length;
        let is_new = !seen.iter().any(|seen| seen.abs_diff(start) < 4);
        if is_new
            && is_dotfile(&text[range.clone()])
            && Usage::of(input, &range).is_some_and(|usage| usage.span.is_some())
        {
            reports.push(report(&range, &text[range.clone()]));
        }
    }
}

fn is_dotfile(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']);
    let rest = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|home| word.strip_prefix(home));
    rest.is_some_and(|rest| FILES.contains(&rest))
}

fn report(range: &std::ops::Range<usize>, file: &str) -> Diagnostic {
    let message = format!("`{file}` is every user's own, and missing on many workers");
    let help = "source what is needed itself, for example `eval \"$(conda shell.bash hook)\"`".to_owned();
    Diagnostic { group: file.to_owned(), ..message::report(range, Severity::Warning, message, help) }
}
