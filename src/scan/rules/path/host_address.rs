//! Machines by their names and numbers.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::{Force, Usage};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Command, Dialect, Host, Setting};
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};

/// Machines by their names and numbers.
pub(in super::super) static RULE: Rule = Rule {
    id: "host-address",
    severity: Severity::Error,
    confidence: Confidence::Medium,
    summary: "one machine of one site, by name or number",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds addresses of single machines in programs and settings: IPv4 numbers with a port or under a name like `host`, and names of
login, batch and worker nodes of sites that the catalogue knows, in commands like `scp` by their first name too. Finds the web
proxy of one site where a variable like `http_proxy` is set.

## Why it breaks elsewhere

The machine is reached from its own network alone, is replaced after a few years, and is one user's choice of several.

## Example

```python
client = Client(\"tcp://192.0.2.17:8786\")
```

## How to fix

Take the address from an argument or an environment variable.

## Limits

Addresses of services on the web are left alone. A number of four parts without a port and without a telling name may be a
version, and is not reported.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let is_listed = matches!(input.language, Language::Data | Language::Requirements | Language::Docker);
    if is_listed || !input.language.is_code() {
        return;
    }
    for span in &input.view.spans {
        if span.is_active() && span.role != Role::Guard && (7..=200).contains(&span.range.len()) {
            reports.extend(of_span(input, span));
        }
    }
    reports.extend(input.view.facts.commands.iter().filter_map(|command| of_command(input, command)));
    reports.extend(input.view.facts.settings.iter().filter_map(of_proxy));
}

/// `scp x lxplus:y`: a machine by its name alone, which the settings of one user's ssh or its own domain complete.
fn of_command(input: &FileInput<'_>, command: &Command) -> Option<Diagnostic> {
    let name = command.words.first()?.text.as_str();
    let takes_hosts = matches!(name, "scp" | "rsync" | "sftp" | "ssh");
    let mut words = command.words.iter().skip(1).filter(|_| takes_hosts && command.host != Host::Build);
    words.find_map(|word| {
        let host = word.text.rsplit_once('@').map_or(word.text.as_str(), |(_, host)| host);
        let (host, behind) = host.split_once(':').map_or((host, None), |(host, behind)| (host, Some(behind)));
        let is_host = !host.contains('.') && (behind.is_some() || matches!(name, "ssh" | "sftp"));
        let facility = input.world.catalogue.facilities.iter().filter(|_| is_host).find(|facility| {
            let labels = facility.hosts.iter().filter_map(|pattern| pattern.split('.').next());
            labels.filter(|label| label.len() >= SHORTEST_ALIAS).any(|label| is_like(host, label))
        })?;
        let message = format!("`{host}` is a machine of {}, by a name that only its own network knows", facility.id);
        Some(report(&word.range, Severity::Error, message, host.to_owned()))
    })
}

/// Shortest name of a machine that is taken for one without its domain.
const SHORTEST_ALIAS: usize = 6;

/// `export http_proxy=http://proxy.example.org:3128`: the way out of one site's network.
fn of_proxy(setting: &Setting) -> Option<Diagnostic> {
    let is_proxy =
        matches!(setting.key.to_ascii_lowercase().as_str(), "http_proxy" | "https_proxy" | "ftp_proxy" | "all_proxy");
    let value = setting.value.text.trim_matches(['"', '\'']);
    let address = Address::read(value).filter(|_| is_proxy && setting.dialect == Dialect::Variable)?;
    let is_own = matches!(address.host, "localhost" | "127.0.0.1");
    if is_own || !address.host.contains('.') {
        return None;
    }
    let message = format!("`{}` is the way out of one site's network", address.host);
    let help = "let the site set it, or take it from the environment".to_owned();
    let group = address.host.to_owned();
    Some(Diagnostic { group, ..message::report(&setting.range, Severity::Error, message, help) })
}

fn of_span(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let text = input.view.text.get(span.range.clone())?;
    if !text.contains('.') || text.contains([' ', '\n', '\\', '{', '$', '%', '*', '(', ',']) {
        return None;
    }
    let address = Address::read(text)?;
    let usage = Usage::of(input, &span.range)?;
    if usage.force == Force::Guard {
        return None;
    }
    match address.host.parse::<Ipv4Addr>() {
        Ok(number) => of_number(&span.range, &usage, &address, number, span),
        Err(_) => of_name(input, &span.range, &usage, &address),
    }
}

/// `[scheme://][user@]host[:port][/…]`
#[derive(Debug, Clone, Copy)]
struct Address<'a> {
    scheme: Option<&'a str>,
    user: Option<&'a str>,
    host: &'a str,
    /// What stands behind a colon.
    behind: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        // A path in front means that this is no address.
        let authority = rest.split('/').next().filter(|first| !first.is_empty())?;
        let has_path = rest.len() > authority.len();
        let (user, authority) = authority.split_once('@').map_or((None, authority), |(user, rest)| (Some(user), rest));
        let (host, behind) = authority.split_once(':').map_or((authority, None), |(host, behind)| (host, Some(behind)));
        let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        // `eos.pt/x` is a path; only a URL or `user@host:path` goes on behind the host.
        let is_address = scheme.is_some() || !has_path || behind.is_some();
        (is_host && is_address).then_some(Self { scheme, user, host, behind })
    }

    fn has_port(&self) -> bool {
        self.behind.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

fn of_number(
    range: &Range<usize>,
    usage: &Usage<'_>,
    address: &Address<'_>,
    number: Ipv4Addr,
    span: &Span,
) -> Option<Diagnostic> {
    let is_nobody = number.is_loopback()
        || number.is_unspecified()
        || number.is_broadcast()
        || number.is_documentation()
        || number.is_multicast();
    let public_resolver = matches!(number.octets(), [8, 8, 8, 8] | [8, 8, 4, 4] | [1, 1, 1, 1]);
    let is_told = is_told(usage);
    let is_shell = span.kind == Kind::Word && address.user.is_some();
    if is_nobody || public_resolver || !(address.has_port() || address.scheme.is_some() || is_told || is_shell) {
        return None;
    }
    let message = format!("`{number}` is one machine's address");
    Some(report(range, usage.lower(Severity::Error, false), message, number.to_string()))
}

/// Whether what an address is assigned to, or given to, says that it is one.
fn is_told(usage: &Usage<'_>) -> bool {
    let telling = format!("{} {}", usage.name(), usage.call()).to_ascii_lowercase();
    let words =
        ["host", "addr", "server", "scheduler", "client", "connect", "proxy", "_ip", "ip_", "url", "endpoint", "node"];
    words.iter().any(|word| telling.contains(word)) || usage.name().eq_ignore_ascii_case("ip")
}

/// First labels of services that the whole world uses.
const SERVICES: &[&str] = &[
    "www",
    "twiki",
    "gitlab",
    "indico",
    "cds",
    "root",
    "registry",
    "gitlab-registry",
    "hub",
    "docs",
    "opendata",
    "rucio",
    "cms-rucio",
    "cmsweb",
    "voms",
    "voms2",
    "lcg-voms",
    "lcg-voms2",
    "myproxy",
    "lxplus-doc",
    "cern",
    "auth",
    "sso",
    "login",
    "oauth",
    "cms",
    "atlas",
    "lhcb",
    "home",
    "github",
    "git",
    "mattermost",
    "cernbox",
    "zenodo",
    "repository",
    "linuxsoft",
    "vocms",
    "frontier",
    "conddb",
    "dbs",
    "das",
    "pypi",
    "doc",
    "wiki",
    "confluence",
    "jira",
    "hn",
    "mail",
    "smtp",
    "geddes-registry",
];

fn of_name(
    input: &FileInput<'_>,
    range: &Range<usize>,
    usage: &Usage<'_>,
    address: &Address<'_>,
) -> Option<Diagnostic> {
    let catalogue = input.world.catalogue;
    let host = address.host.trim_end_matches('.');
    let first = host.split('.').next()?;
    // A cluster is reached through its gateway from inside of its site, whatever the scheme.
    let is_gateway = ["gateway", "sched"].iter().any(|word| usage.name().to_ascii_lowercase().contains(word));
    let is_web = !is_gateway
        && matches!(
            address.scheme,
            Some("http" | "https" | "git" | "ftp" | "docker" | "oras" | "mailto" | "ws" | "wss")
        );
    let is_data =
        address.scheme.is_some_and(|scheme| super::xrootd_door::data_url(&format!("{scheme}://x.y/")).is_some());
    if is_web
        || is_data
        || host.matches('.').count() < 2
        || SERVICES.contains(&first)
        || first.contains("registry")
        || catalogue.is_door(host)
    {
        return None;
    }
    // `jane@mail.example.org` is somebody's address, `jane@node.example.org:dir` a directory.
    if address.user.is_some()
        && address.behind.is_none()
        && address.scheme.is_none()
        && usage.span.is_none_or(|span| span.kind != Kind::Word)
    {
        return None;
    }
    let door = catalogue.domain(host)?;
    let is_listed =
        catalogue.facilities.iter().any(|facility| facility.hosts.iter().any(|pattern| is_like(host, pattern)));
    let is_node = is_listed || first.bytes().any(|byte| byte.is_ascii_digit());
    let name = usage.name().to_ascii_lowercase();
    let is_named = ["host", "server"].iter().any(|word| name.contains(word));
    let is_used = address.has_port() || address.scheme.is_some() || address.behind.is_some() || is_node || is_named;
    if !is_used {
        return None;
    }
    let is_certain =
        is_node && (address.has_port() || address.scheme.is_some() || address.user.is_some() || is_told(usage));
    let severity = if is_certain { Severity::Error } else { Severity::Warning };
    let message = format!("`{host}` is a machine of {}", door.site);
    let mut report = report(range, usage.lower(severity, false), message, host.to_owned());
    report.reach = message::reach_of_door(input.world, Some(&door));
    Some(report)
}

/// Whether a name fits a pattern with at most one `*`.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
        None => name == pattern,
    }
}

fn report(range: &Range<usize>, severity: Severity, message: String, group: String) -> Diagnostic {
    let help = "take the address from an argument or an environment variable".to_owned();
    Diagnostic { group, ..message::report(range, severity, message, help) }
}
