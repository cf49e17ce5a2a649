//! Grid proxies at fixed paths.

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

/// The rule `proxy-path`.
pub(super) static RULE: Rule = Rule {
    id: "proxy-path",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "grid proxy at a fixed path",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds names of proxy files with a user id (`x509up_u1234`), proxies that are read from `/tmp` by programs that do not read
`X509_USER_PROXY`, and `X509_USER_PROXY` set to a fixed path.

## Why it breaks elsewhere

The user id belongs to one account at one site. `/tmp` is different on every node, and several facilities store proxies elsewhere:
below `/work` or `/depot` at Purdue, in the home directory at BNL and UChicago.

## Example

```python
os.environ[\"X509_USER_PROXY\"] = \"/tmp/x509up_u12345\"
```

## How to fix

Use `X509_USER_PROXY` if it is set, and the output of `voms-proxy-info -path` otherwise.

## Limits

A name that is built from the user id at run time is reported as a note.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let text = input.view.text.as_ref();
    let reads_variable = reads_environment(text);
    let mut seen: Vec<usize> = Vec::new();
    for offset in memmem::find_iter(text.as_bytes(), b"x509up") {
        let start = text[..offset]
            .rfind(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | '(' | ',' | '`' | ':'))
            .map_or(0, |before| before + 1);
        let start = (start..=offset).find(|offset| text.is_char_boundary(*offset)).unwrap_or(offset);
        let end = offset
            + text[offset..]
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ')' | ',' | ';' | '`'))
                .unwrap_or(text.len() - offset);
        let Some(usage) = Usage::find(input, &(offset..end)) else { continue };
        if let Some((severity, message)) = classify(input, &text[start..end], reads_variable) {
            seen.push(input.view.span_at(offset).map_or(start, |span| span.range.start));
            diagnostics.push(diagnostic(&(offset..end), usage.lower(severity, true), message));
        }
    }
    let variables: Vec<usize> = input.view.facts.settings.iter().map(variable_start).collect();
    for subject in subject::with_topic(input, Topic::Proxy) {
        let text = subject.usage.text;
        let is_reported = text.contains("x509up") || variables.contains(&subject.range.start);
        if !is_reported && severity_of_location(input, text) == Severity::Error {
            let message = format!("proxy `{text}` is in the directory of one user or one site");
            diagnostics.push(diagnostic(&subject.range, subject.usage.lower(Severity::Error, true), message));
        }
    }
    for setting in &input.view.facts.settings {
        let is_fixed = setting.value.text.starts_with('/') && !setting.value.text.contains(['$', '{', '%', '<', '`']);
        let is_proxy = setting.dialect == Dialect::Variable && setting.key == "X509_USER_PROXY";
        if !is_proxy || !is_fixed || seen.contains(&setting.value.range.start) {
            continue;
        }
        if Usage::find(input, &setting.value.range).is_some() {
            let message = format!("X509_USER_PROXY is set to the fixed path `{}`", setting.value.text);
            diagnostics.push(diagnostic(
                &setting.value.range,
                severity_of_location(input, &setting.value.text),
                message,
            ));
        }
    }
}

/// Returns the start of the value of `X509_USER_PROXY`, or `usize::MAX` for another setting.
fn variable_start(setting: &Setting) -> usize {
    let is_proxy = setting.dialect == Dialect::Variable && setting.key == "X509_USER_PROXY";
    if is_proxy { setting.value.range.start } else { usize::MAX }
}

/// Reports whether a program reads `X509_USER_PROXY`.
fn reads_environment(text: &str) -> bool {
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

fn classify(input: &FileInput<'_>, path: &str, reads_variable: bool) -> Option<(Severity, String)> {
    let after_prefix = path.split_once("x509up").map_or("", |(_, after_prefix)| after_prefix);
    let number: String = after_prefix.trim_start_matches(['_', 'u']).chars().take_while(char::is_ascii_digit).collect();
    if number.len() > 1 {
        return Some((Severity::Error, format!("`x509up_u{number}` is the proxy of one account at one site")));
    }
    if path.starts_with('/') && severity_of_location(input, path) == Severity::Error {
        return Some((Severity::Error, format!("proxy `{path}` is in the directory of one user")));
    }
    if path.starts_with("/tmp/") {
        let message = "a proxy in /tmp exists on one node only".to_owned();
        return Some((if reads_variable { Severity::Note } else { Severity::Warning }, message));
    }
    (!reads_variable)
        .then(|| (Severity::Note, "the name of the proxy is built without reading X509_USER_PROXY".to_owned()))
}

/// Returns an error for a path of one user or site, otherwise a warning.
fn severity_of_location(input: &FileInput<'_>, path: &str) -> Severity {
    let facts = input.context.catalogue.path_facts(path);
    let is_fixed = facts.is_some_and(|facts| facts.kind == PathKind::Site || facts.owner.is_some_and(is_person));
    if is_fixed { Severity::Error } else { Severity::Warning }
}

fn diagnostic(range: &Range<usize>, severity: Severity, message: String) -> Diagnostic {
    let help = "use X509_USER_PROXY if it is set, otherwise the output of `voms-proxy-info -path`".to_owned();
    Diagnostic { group: "proxy".to_owned(), ..message::diagnostic(range, severity, message, help) }
}
