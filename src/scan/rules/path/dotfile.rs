//! Shell configuration files of one user.

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::Usage;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;

/// The rule `dotfile`.
pub(super) static RULE: Rule = Rule {
    id: "dotfile",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "script that reads the shell configuration of one user",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds scripts that source `~/.bashrc`, `~/.bash_profile`, `~/.profile`, `~/.zshrc` or a similar file.

## Why it breaks elsewhere

The content of these files differs between users and sites. On workers and in images they are often missing, and many return early in
a non-interactive shell.

## Example

```sh
source ~/.bashrc
conda activate analysis
```

## How to fix

Source the required setup directly: `eval \"$(conda shell.bash hook)\"`, or the setup script of the analysis.

## Limits

Image recipes are skipped, because there the file belongs to the image.
";

/// Names of shell configuration files.
const FILES: &[&str] =
    &[".bashrc", ".bash_profile", ".bash_aliases", ".profile", ".zshrc", ".zprofile", ".cshrc", ".tcshrc", ".login"];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if matches!(input.language, Language::Docker | Language::Apptainer) {
        return;
    }
    let mut seen: Vec<usize> = Vec::new();
    for command in &input.view.facts.commands {
        let [name, file, ..] = command.words.as_slice() else { continue };
        if matches!(name.text.as_str(), "source" | ".") && is_dotfile(&file.text) {
            seen.push(file.range.start);
            diagnostics.push(diagnostic(&file.range, &file.text));
        }
    }
    // Commands in strings: scripts that a program writes.
    let text = input.view.text.as_ref();
    for offset in memchr::memmem::find_iter(text.as_bytes(), b"source ") {
        let start = offset + "source ".len();
        let length =
            text[start..].find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '\\')).unwrap_or(0);
        let range = start..start + length;
        let is_new = !seen.iter().any(|seen| seen.abs_diff(start) < 4);
        if is_new
            && is_dotfile(&text[range.clone()])
            && Usage::find(input, &range).is_some_and(|usage| usage.span.is_some())
        {
            diagnostics.push(diagnostic(&range, &text[range.clone()]));
        }
    }
}

fn is_dotfile(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']);
    let rest = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|home| word.strip_prefix(home));
    rest.is_some_and(|rest| FILES.contains(&rest))
}

fn diagnostic(range: &std::ops::Range<usize>, file: &str) -> Diagnostic {
    let message = format!("`{file}` differs between users and is missing on many workers");
    let help = "source the required setup directly, for example `eval \"$(conda shell.bash hook)\"`".to_owned();
    Diagnostic { group: file.to_owned(), ..message::diagnostic(range, Severity::Warning, message, help) }
}
