//! Grid proxies in fixed places.

use std::ops::Range;

use memchr::memmem;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::subject::{self, Topic, is_person};
use super::usage::Usage;
use crate::facility::path::PathKind;
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Dialect, Setting};

/// Grid proxies in fixed places.
pub(in super::super) static RULE: Rule = Rule {
    id: "proxy-path",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "a grid proxy in a fixed place",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds names of proxy files with a user's number in them (`x509up_u1234`), proxies read from `/tmp` by programs that never look
at `X509_USER_PROXY`, and `X509_USER_PROXY` set to a fixed path.

## Why it breaks elsewhere

The number belongs to one account at one site. `/tmp` is another one on every node, and several facilities keep proxies
elsewhere: below `/work` or `/depot` at Purdue, in the home at BNL and UChicago.

## Example

```python
os.environ[\"X509_USER_PROXY\"] = \"/tmp/x509up_u12345\"
```

## How to fix

Use `X509_USER_PROXY` when it is set, and ask `voms-proxy-info -path` when it isn't.

## Limits

A name that is put together from the caller's number is a note.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let text = input.view.text.as_ref();
    let asks = asks_environment(text);
    let mut seen: Vec<usize> = Vec::new();
    for at in memmem::find_iter(text.as_bytes(), b"x509up") {
        let start = text[..at]
            .rfind(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | '(' | ',' | '`' | ':'))
            .map_or(0, |before| before + 1);
        let start = (start..=at).find(|at| text.is_char_boundary(*at)).unwrap_or(at);
        let end = at
            + text[at..]
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | ',' | ';' | '`'))
                .unwrap_or(text.len() - at);
        let Some(usage) = Usage::of(input, &(at..end)) else { continue };
        if let Some((severity, message)) = judge(input, &text[start..end], asks) {
            seen.push(input.view.span_at(at).map_or(start, |span| span.range.start));
            reports.push(report(&(at..end), usage.lower(severity, true), message));
        }
    }
    let variables: Vec<usize> = input.view.facts.settings.iter().map(start_of_variable).collect();
    for subject in subject::of(input, Topic::Proxy) {
        let text = subject.usage.text;
        let is_told = text.contains("x509up") || variables.contains(&subject.range.start);
        if !is_told && personal(input, text) == Severity::Error {
            let message = format!("the proxy `{text}` lies in the directory of one user or one site");
            reports.push(report(&subject.range, subject.usage.lower(Severity::Error, true), message));
        }
    }
    for setting in &input.view.facts.settings {
        let is_fixed = setting.value.text.starts_with('/') && !setting.value.text.contains(['$', '{', '%', '<', '`']);
        let is_proxy = setting.dialect == Dialect::Variable && setting.key == "X509_USER_PROXY";
        if !is_proxy || !is_fixed || seen.contains(&setting.value.range.start) {
            continue;
        }
        if Usage::of(input, &setting.value.range).is_some() {
            let message = format!("X509_USER_PROXY is set to the fixed path `{}`", setting.value.text);
            reports.push(report(&setting.value.range, personal(input, &setting.value.text), message));
        }
    }
}

/// Where the value of a setting begins that names the proxy of a program; a place no text has for the others.
fn start_of_variable(setting: &Setting) -> usize {
    let is_proxy = setting.dialect == Dialect::Variable && setting.key == "X509_USER_PROXY";
    if is_proxy { setting.value.range.start } else { usize::MAX }
}

/// Whether a program looks at the variable that names the proxy.
fn asks_environment(text: &str) -> bool {
    let reads = [
        "environ.get(\"X509_USER_PROXY",
        "environ.get('X509_USER_PROXY",
        "getenv(\"X509_USER_PROXY",
        "getenv('X509_USER_PROXY",
        "environ[\"X509_USER_PROXY\"]",
        "environ['X509_USER_PROXY']",
        "$X509_USER_PROXY",
        "${X509_USER_PROXY",
        "voms-proxy-info -path",
        "voms-proxy-info --path",
        "voms-proxy-info\", \"-path",
    ];
    reads.iter().any(|read| memmem::find(text.as_bytes(), read.as_bytes()).is_some())
}

fn judge(input: &FileInput<'_>, path: &str, asks: bool) -> Option<(Severity, String)> {
    let behind = path.split_once("x509up").map_or("", |(_, behind)| behind);
    let number: String = behind.trim_start_matches(['_', 'u']).chars().take_while(char::is_ascii_digit).collect();
    if number.len() > 1 {
        return Some((Severity::Error, format!("`x509up_u{number}` is the proxy of one account at one site")));
    }
    if path.starts_with('/') && personal(input, path) == Severity::Error {
        return Some((Severity::Error, format!("the proxy `{path}` lies in the directory of one user")));
    }
    if path.starts_with("/tmp/") {
        let message = "a proxy in /tmp is found on one node alone".to_owned();
        return Some((if asks { Severity::Note } else { Severity::Warning }, message));
    }
    (!asks).then(|| (Severity::Note, "the name of the proxy is put together without asking X509_USER_PROXY".to_owned()))
}

/// An error for a path of one user or one site, else a warning.
fn personal(input: &FileInput<'_>, path: &str) -> Severity {
    let place = input.world.catalogue.place(path);
    let is_fixed = place.is_some_and(|place| place.kind == PathKind::Site || place.owner.is_some_and(is_person));
    if is_fixed { Severity::Error } else { Severity::Warning }
}

fn report(range: &Range<usize>, severity: Severity, message: String) -> Diagnostic {
    let help = "use X509_USER_PROXY when it is set, else ask `voms-proxy-info -path`".to_owned();
    Diagnostic { group: "proxy".to_owned(), ..message::report(range, severity, message, help) }
}
