//! Doors of one site.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::personal_store::is_registered;
use super::usage::{Force, Usage};
use crate::facility::door::{Door, Kind};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Form;
use crate::source::lang::span;

/// Doors of one site.
pub(in super::super) static RULE: Rule = Rule {
    id: "xrootd-door",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "data through the door of one site",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs and host names of doors (XRootD, WebDAV, GridFTP, SRM) that serve what one site has. With data that the experiment
has registered, and as the default of an option, it is a warning; with personal, group or unregistered data an error.

## Why it breaks elsewhere

Some doors answer inside their site alone, others only to members of an experiment or to holders of a local account. Data that
isn't registered has no other copy when the site is down, or far away.

## Example

```python
files = [\"root://cmseos.fnal.gov//store/user/jane/ttbar.root\"]
```

## How to fix

Keep logical names (`/store/…`) in the code and choose the door at run time: from an argument, or from the facility. Register
data that others need.

## Limits

A host that no table knows is taken for a door of one site.
";

/// A URL for data, in its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct DataUrl<'a> {
    /// Host and port.
    pub(super) host: &'a str,
    /// Path, without the slashes at its start.
    pub(super) path: &'a str,
}

/// Takes a URL of a protocol for data apart; none for other protocols and for hosts that are not written out.
pub(super) fn data_url(url: &str) -> Option<DataUrl<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let known = ["root", "roots", "xroot", "xroots", "davs", "dav", "gsiftp", "srm", "gsidcap", "dcap"];
    if !known.contains(&scheme) {
        return None;
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.trim_end_matches(['.', ':']);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'@' | b'_');
    let is_plain =
        !host.is_empty() && host.bytes().all(is_host) && !host.starts_with("localhost") && !host.starts_with("127.");
    is_plain.then(|| DataUrl { host, path: path.trim_start_matches('/') })
}

/// A URL of the web that leads to data of a site: its host is a door, and its path one of a door.
fn web_url<'a>(input: &FileInput<'_>, url: &'a str) -> Option<DataUrl<'a>> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let path = path.trim_start_matches('/');
    let is_data = ["store/", "eos/", "pnfs/", "dpm/", "cms/", "atlas/"].iter().any(|root| path.starts_with(root));
    (is_data && input.world.catalogue.is_door(host)).then_some(DataUrl { host, path })
}

impl DataUrl<'_> {
    /// Whether its data is in the catalogue of an experiment.
    pub(super) fn is_registered(&self) -> bool {
        self.path.find("store/").is_some_and(|at| is_registered(&self.path[at..]))
            || self.path.starts_with("atlas/rucio")
    }

    /// The user or group whose data it is.
    pub(super) fn owner(&self) -> Option<&str> {
        let at = ["store/user/", "store/group/", "eos/user/"]
            .iter()
            .find_map(|area| Some(self.path.find(area)? + area.len()))?;
        let mut parts = self.path[at..].split('/').filter(|part| part.chars().count() > 1);
        parts.next().filter(|owner| crate::facility::path::is_name(owner))
    }
}

/// From this many doors on a file of settings is a table of the sites of an experiment, and chooses none of them.
const MANY_DOORS: usize = 12;

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let is_table = is_table(input);
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let Some(text) = input.view.text.get(found.range.clone()) else { continue };
        let (url, is_web) = match (data_url(text), web_url(input, text)) {
            (Some(url), _) => (url, false),
            (None, Some(url)) => (url, true),
            (None, None) => continue,
        };
        let door = input.world.catalogue.door(url.host);
        if door.as_ref().is_some_and(|door| door.kind != Kind::Site) || door.is_none() && !is_public_name(url.host) {
            continue;
        }
        if let Some(usage) = Usage::of(input, &found.range) {
            let mut report = of_url(input, &found.range, &usage, &url, door.as_ref());
            // What a site shows to the web is often there for all.
            if is_web || is_table && url.owner().is_none() {
                report.severity = report.severity.min(Some(Severity::Warning));
            }
            reports.push(report);
        }
    }
    for span in &input.view.spans {
        reports.extend(bare_host(input, span));
    }
}

fn is_table(input: &FileInput<'_>) -> bool {
    if !matches!(input.language, Language::Json | Language::Yaml | Language::Data) {
        return false;
    }
    let urls = input.matches.iter().filter(|found| found.form == Form::Url);
    let hosts = urls.filter_map(|found| Some(data_url(input.view.text.get(found.range.clone())?)?.host));
    hosts.collect::<BTreeSet<_>>().len() >= MANY_DOORS
}

/// Whether a host that no table knows has the form of a name on the internet, and isn't an example's.
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

fn of_url(
    input: &FileInput<'_>,
    range: &Range<usize>,
    usage: &Usage<'_>,
    url: &DataUrl<'_>,
    door: Option<&Door<'_>>,
) -> Diagnostic {
    let owner = url.owner();
    let base = if url.is_registered() { Severity::Warning } else { Severity::Error };
    let mut severity = usage.lower(base, owner.is_some());
    if usage.force == Force::Default && severity == Severity::Note {
        severity = Severity::Warning;
    }
    let data = match (owner, url.is_registered()) {
        (Some(owner), _) => format!(", with data of {owner}"),
        (None, true) => ", with data that redirectors find as well".to_owned(),
        (None, false) => String::new(),
    };
    let help = if url.is_registered() {
        "keep the logical name and choose the door at run time, for example a redirector of the experiment"
    } else {
        "take the door from an argument or the facility, and register data that others need"
    };
    let mut report = message::report(range, severity, format!("{}{data}", sentence(url.host, door)), help.to_owned());
    report.reach = message::reach_of_door(input.world, door);
    report.group = format!("{} {}", url.host, owner.unwrap_or(if url.is_registered() { "registered" } else { "" }));
    report
}

fn sentence(host: &str, door: Option<&Door<'_>>) -> String {
    let retired = door.and_then(|door| door.retired).map(|day| format!(", closed on {day}")).unwrap_or_default();
    let note = door.and_then(|door| door.note).map(|note| format!(" ({note})")).unwrap_or_default();
    match door {
        Some(door) => format!("`{host}` is a door of {}{note}{retired}", door.site),
        None => format!("`{host}` is a door of one site"),
    }
}

/// Whether what a name is assigned to, or given to, says that it is used as a door.
fn is_told(usage: &Usage<'_>) -> bool {
    let telling = format!("{} {}", usage.name(), usage.call()).to_ascii_lowercase();
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
    words.iter().any(|word| telling.contains(word))
}

/// A value that is the name of a door and nothing else.
fn bare_host(input: &FileInput<'_>, span: &span::Span) -> Option<Diagnostic> {
    let length = span.range.len();
    if !span.is_active() || !(6..=80).contains(&length) {
        return None;
    }
    let text = input.view.text.get(span.range.clone())?;
    let host = text.trim_end_matches('/');
    if !host.contains('.') || host.contains(['/', ' ', '\n']) || !input.world.catalogue.is_door(host) {
        return None;
    }
    let door = input.world.catalogue.door(host).filter(|door| door.kind == Kind::Site)?;
    let usage = Usage::of(input, &span.range)?;
    let help = "take the door from an argument or the facility".to_owned();
    let severity = match usage.force {
        // `if "cmseos.fnal.gov" in path`: asks, and goes another way elsewhere.
        Force::Guard if !matches!(usage.call(), "replace" | "sub") => Severity::Note,
        _ if span.kind == span::Kind::Text && !is_told(&usage) => {
            usage.lower(Severity::Warning, false).max(Severity::Warning)
        }
        _ => usage.lower(Severity::Error, false),
    };
    let mut report = message::report(&span.range, severity, sentence(host, Some(&door)), help);
    report.reach = message::reach_of_door(input.world, Some(&door));
    report.group = host.to_owned();
    Some(report)
}
