//! Doors of one site.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::personal_store::is_registered;
use super::usage::{Effect, Usage};
use crate::facility::door::{Door, Kind};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Form;
use crate::source::lang::span;

/// The rule `xrootd-door`.
pub(super) static RULE: Rule = Rule {
    id: "xrootd-door",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "data accessed through one site's door",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs and host names of doors (XRootD, WebDAV, GridFTP, SRM) that serve the data of one site. The finding is an error if the
data is personal, belongs to a group or is not registered. It is a warning if the experiment has registered the data, or if the
door is an option's default and the data is not personal.

## Why it breaks elsewhere

Some doors can be reached only from inside their site, others only by members of an experiment or with a local account. Unregistered
data has no replica to use if the site is down or far away.

## Example

```python
files = [\"root://cmseos.fnal.gov//store/user/jane/ttbar.root\"]
```

## How to fix

Keep logical names (`/store/…`) in the code and select the door at run time, from an argument or from the facility's
configuration. Register data that others need.

## Limits

A host that is not in the catalogue is assumed to be a door of one site.
";

/// The parts of a data URL.
#[derive(Debug, Clone, Copy)]
pub(super) struct DataUrl<'a> {
    /// Host and port.
    pub(super) host: &'a str,
    /// Path without leading slashes.
    pub(super) path: &'a str,
}

/// Parses a URL of a data protocol; `None` for other protocols and for hosts with placeholders.
pub(super) fn data_url(url: &str) -> Option<DataUrl<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let schemes = ["root", "roots", "xroot", "xroots", "davs", "dav", "gsiftp", "srm", "gsidcap", "dcap"];
    if !schemes.contains(&scheme) {
        return None;
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.trim_end_matches(['.', ':']);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'@' | b'_');
    let is_plain =
        !host.is_empty() && host.bytes().all(is_host) && !host.starts_with("localhost") && !host.starts_with("127.");
    is_plain.then(|| DataUrl { host, path: path.trim_start_matches('/') })
}

/// Parses a web URL to data of a site: the host is a door, and the path is one of a door.
fn web_url<'a>(input: &FileInput<'_>, url: &'a str) -> Option<DataUrl<'a>> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let path = path.trim_start_matches('/');
    let is_data = ["store/", "eos/", "pnfs/", "dpm/", "cms/", "atlas/"].iter().any(|root| path.starts_with(root));
    (is_data && input.context.catalogue.is_door(host)).then_some(DataUrl { host, path })
}

impl DataUrl<'_> {
    /// Reports whether the data is in the catalogue of an experiment.
    pub(super) fn is_registered(&self) -> bool {
        self.path.find("store/").is_some_and(|offset| is_registered(&self.path[offset..]))
            || self.path.starts_with("atlas/rucio")
    }

    /// Returns the user or group that owns the data.
    pub(super) fn owner(&self) -> Option<&str> {
        let offset = ["store/user/", "store/group/", "eos/user/"]
            .iter()
            .find_map(|area| Some(self.path.find(area)? + area.len()))?;
        let mut parts = self.path[offset..].split('/').filter(|part| part.chars().count() > 1);
        parts.next().filter(|owner| crate::facility::path::is_name(owner))
    }
}

/// Minimum number of doors in a settings file that is a table of all sites rather than a choice of one.
const MIN_TABLE_DOORS: usize = 12;

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let is_table = is_table(input);
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let Some(text) = input.view.text.get(found.range.clone()) else { continue };
        let (url, is_web) = match (data_url(text), web_url(input, text)) {
            (Some(url), _) => (url, false),
            (None, Some(url)) => (url, true),
            (None, None) => continue,
        };
        let door = input.context.catalogue.door(url.host);
        if door.as_ref().is_some_and(|door| door.kind != Kind::Site) || door.is_none() && !is_public_name(url.host) {
            continue;
        }
        if let Some(usage) = Usage::find(input, &found.range) {
            let mut diagnostic = url_diagnostic(input, &found.range, &usage, &url, door.as_ref());
            // Data on the web is often public.
            if is_web || is_table && url.owner().is_none() {
                diagnostic.severity = diagnostic.severity.min(Some(Severity::Warning));
            }
            diagnostics.push(diagnostic);
        }
    }
    for span in &input.view.spans {
        diagnostics.extend(bare_host(input, span));
    }
}

fn is_table(input: &FileInput<'_>) -> bool {
    if !matches!(input.language, Language::Json | Language::Yaml | Language::Data) {
        return false;
    }
    let urls = input.matches.iter().filter(|found| found.form == Form::Url);
    let hosts = urls.filter_map(|found| Some(data_url(input.view.text.get(found.range.clone())?)?.host));
    hosts.collect::<BTreeSet<_>>().len() >= MIN_TABLE_DOORS
}

/// Reports whether an unknown host has the form of a public domain name and is not an example.
fn is_public_name(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    let Some((rest, top)) = name.rsplit_once('.') else { return false };
    let is_top = (2..=6).contains(&top.len()) && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_file =
        matches!(top, "root" | "py" | "parq" | "h5" | "json" | "txt" | "local" | "test" | "example" | "invalid");
    let is_example = rest.contains("example")
        || rest.split('.').any(|label| matches!(label, "my" | "host" | "server" | "some" | "your"));
    is_top && !is_file && !is_example && !rest.is_empty()
}

fn url_diagnostic(
    input: &FileInput<'_>,
    range: &Range<usize>,
    usage: &Usage<'_>,
    url: &DataUrl<'_>,
    door: Option<&Door<'_>>,
) -> Diagnostic {
    let owner = url.owner();
    let base = if url.is_registered() { Severity::Warning } else { Severity::Error };
    let mut severity = usage.lower(base, owner.is_some());
    if usage.effect == Effect::Default && severity == Severity::Note {
        severity = Severity::Warning;
    }
    let data = match (owner, url.is_registered()) {
        (Some(owner), _) => format!(", used for {owner}'s data"),
        (None, true) => ", used for data that is also available through redirectors".to_owned(),
        (None, false) => String::new(),
    };
    let help = if url.is_registered() {
        "keep the logical name and select the door at run time, for example a redirector of the experiment"
    } else {
        "read the door from an argument or the facility's configuration, and register data that others need"
    };
    let mut diagnostic =
        message::diagnostic(range, severity, format!("{}{data}", describe(url.host, door)), help.to_owned());
    diagnostic.reach = message::reach_of_door(input.context, door);
    diagnostic.group = format!("{} {}", url.host, owner.unwrap_or(if url.is_registered() { "registered" } else { "" }));
    diagnostic
}

fn describe(host: &str, door: Option<&Door<'_>>) -> String {
    let retired = door.and_then(|door| door.retired).map(|day| format!(", shut down on {day}")).unwrap_or_default();
    let note = door.and_then(|door| door.note).map(|note| format!(" ({note})")).unwrap_or_default();
    match door {
        Some(door) => format!("`{host}` is an XRootD door at {}{note}{retired}", door.site),
        None => format!("`{host}` is an XRootD door at one site"),
    }
}

/// Reports whether the variable or function of a value shows that it is used as a door.
fn is_named_as_door(usage: &Usage<'_>) -> bool {
    let names = format!("{} {}", usage.name(), usage.call()).to_ascii_lowercase();
    let words = [
        "host",
        "door",
        "redirector",
        "server",
        "xrd",
        "xrootd",
        "prefix",
        "endpoint",
        "url",
        "eos",
        "site",
        "popen",
        "run",
    ];
    words.iter().any(|word| names.contains(word))
}

/// Reports a value that is only the host name of a door.
fn bare_host(input: &FileInput<'_>, span: &span::Span) -> Option<Diagnostic> {
    let length = span.range.len();
    if !span.is_active() || !(6..=80).contains(&length) {
        return None;
    }
    let text = input.view.text.get(span.range.clone())?;
    let host = text.trim_end_matches('/');
    if !host.contains('.') || host.contains(['/', ' ', '\n']) || !input.context.catalogue.is_door(host) {
        return None;
    }
    let door = input.context.catalogue.door(host).filter(|door| door.kind == Kind::Site)?;
    let usage = Usage::find(input, &span.range)?;
    let help = "read the door from an argument or the facility's configuration".to_owned();
    let severity = match usage.effect {
        // `if "cmseos.fnal.gov" in path` only tests for the door.
        Effect::Guard if !matches!(usage.call(), "replace" | "sub") => Severity::Note,
        _ if span.kind == span::Kind::Text && !is_named_as_door(&usage) => {
            usage.lower(Severity::Warning, false).max(Severity::Warning)
        }
        _ => usage.lower(Severity::Error, false),
    };
    let mut diagnostic = message::diagnostic(&span.range, severity, describe(host, Some(&door)), help);
    diagnostic.reach = message::reach_of_door(input.context, Some(&door));
    diagnostic.group = host.to_owned();
    Some(diagnostic)
}
