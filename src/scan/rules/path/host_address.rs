//! Names and addresses of single machines.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::super::context::FileInput;
use super::super::{Check, Diagnostic, Rule};
use super::message;
use super::usage::{Effect, Usage};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Command, Dialect, Host, Setting};
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};

/// The rule `host-address`.
pub(super) static RULE: Rule = Rule {
    id: "host-address",
    severity: Severity::Error,
    confidence: Confidence::Medium,
    summary: "name or IP address of one machine",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds addresses of single machines in programs and settings: IPv4 addresses with a port or in a variable named like `host`, and
names of login, batch and worker nodes of known sites. Also finds host names without a domain in commands like `scp`, and the web
proxy of one site in variables like `http_proxy`.

## Why it breaks elsewhere

The machine can be reached only from its own network and is replaced after a few years.

## Example

```python
client = Client(\"tcp://192.0.2.17:8786\")
```

## How to fix

Read the address from an argument or an environment variable.

## Limits

Public web services are skipped. Four numbers without a port and without a descriptive name may be a version and are not reported.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let is_listed = matches!(input.language, Language::Data | Language::Requirements | Language::Docker);
    if is_listed || !input.language.is_code() {
        return;
    }
    for span in &input.view.spans {
        if span.is_active() && span.role != Role::Guard && (7..=200).contains(&span.range.len()) {
            diagnostics.extend(span_address(input, span));
        }
    }
    diagnostics.extend(input.view.facts.commands.iter().filter_map(|command| command_host(input, command)));
    diagnostics.extend(input.view.facts.settings.iter().filter_map(proxy_setting));
}

/// Reports `scp x lxplus:y`: a host name without a domain, which only its network or one user's ssh configuration resolves.
fn command_host(input: &FileInput<'_>, command: &Command) -> Option<Diagnostic> {
    let name = command.words.first()?.text.as_str();
    let takes_hosts = matches!(name, "scp" | "rsync" | "sftp" | "ssh");
    let mut words = command.words.iter().skip(1).filter(|_| takes_hosts && command.host != Host::Build);
    words.find_map(|word| {
        let host = word.text.rsplit_once('@').map_or(word.text.as_str(), |(_, host)| host);
        let (host, after_colon) =
            host.split_once(':').map_or((host, None), |(host, after_colon)| (host, Some(after_colon)));
        let is_host = !host.contains('.') && (after_colon.is_some() || matches!(name, "ssh" | "sftp"));
        let facility = input.context.catalogue.facilities.iter().filter(|_| is_host).find(|facility| {
            let labels = facility.hosts.iter().filter_map(|pattern| pattern.split('.').next());
            labels.filter(|label| label.len() >= MIN_ALIAS).any(|label| matches_pattern(host, label))
        })?;
        let message =
            format!("`{host}` is a machine of {} without its domain; other networks cannot resolve it", facility.id);
        Some(diagnostic(&word.range, Severity::Error, message, host.to_owned()))
    })
}

/// Minimum length of a host name without its domain.
const MIN_ALIAS: usize = 6;

/// Reports `export http_proxy=http://proxy.example.org:3128`, the web proxy of one site.
fn proxy_setting(setting: &Setting) -> Option<Diagnostic> {
    let is_proxy =
        matches!(setting.key.to_ascii_lowercase().as_str(), "http_proxy" | "https_proxy" | "ftp_proxy" | "all_proxy");
    let value = setting.value.text.trim_matches(['"', '\'']);
    let address = Address::read(value).filter(|_| is_proxy && setting.dialect == Dialect::Variable)?;
    let is_loopback = matches!(address.host, "localhost" | "127.0.0.1");
    if is_loopback || !address.host.contains('.') {
        return None;
    }
    let message = format!("`{}` is the web proxy of one site", address.host);
    let help = "let the site set it, or read it from the environment".to_owned();
    let group = address.host.to_owned();
    Some(Diagnostic { group, ..message::diagnostic(&setting.range, Severity::Error, message, help) })
}

fn span_address(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let text = input.view.text.get(span.range.clone())?;
    if !text.contains('.') || text.contains([' ', '\n', '\\', '{', '$', '%', '*', '(', ',']) {
        return None;
    }
    let address = Address::read(text)?;
    let usage = Usage::find(input, &span.range)?;
    if usage.effect == Effect::Guard {
        return None;
    }
    match address.host.parse::<Ipv4Addr>() {
        Ok(number) => ip_address(&span.range, &usage, &address, number, span),
        Err(_) => host_name(input, &span.range, &usage, &address),
    }
}

/// `[scheme://][user@]host[:port][/…]`
#[derive(Debug, Clone, Copy)]
struct Address<'a> {
    scheme: Option<&'a str>,
    user: Option<&'a str>,
    host: &'a str,
    /// The part after the colon: a port or a path.
    after_colon: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        // A text that starts with a path is not an address.
        let authority = rest.split('/').next().filter(|first| !first.is_empty())?;
        let has_path = rest.len() > authority.len();
        let (user, authority) = authority.split_once('@').map_or((None, authority), |(user, rest)| (Some(user), rest));
        let (host, after_colon) =
            authority.split_once(':').map_or((authority, None), |(host, after_colon)| (host, Some(after_colon)));
        let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        // `eos.pt/x` is a path. Only a URL or `user@host:path` continues after the host.
        let is_address = scheme.is_some() || !has_path || after_colon.is_some();
        (is_host && is_address).then_some(Self { scheme, user, host, after_colon })
    }

    fn has_port(&self) -> bool {
        self.after_colon.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

fn ip_address(
    range: &Range<usize>,
    usage: &Usage<'_>,
    address: &Address<'_>,
    number: Ipv4Addr,
    span: &Span,
) -> Option<Diagnostic> {
    let is_reserved = number.is_loopback()
        || number.is_unspecified()
        || number.is_broadcast()
        || number.is_documentation()
        || number.is_multicast();
    let public_resolver = matches!(number.octets(), [8, 8, 8, 8] | [8, 8, 4, 4] | [1, 1, 1, 1]);
    let is_named_as_address = is_named_as_address(usage);
    let is_shell = span.kind == Kind::Word && address.user.is_some();
    if is_reserved
        || public_resolver
        || !(address.has_port() || address.scheme.is_some() || is_named_as_address || is_shell)
    {
        return None;
    }
    let message = format!("`{number}` is the address of one machine");
    Some(diagnostic(range, usage.lower(Severity::Error, false), message, number.to_string()))
}

/// Reports whether the variable or function of a value shows that it is an address.
fn is_named_as_address(usage: &Usage<'_>) -> bool {
    let names = format!("{} {}", usage.name(), usage.call()).to_ascii_lowercase();
    let words =
        ["host", "addr", "server", "scheduler", "client", "connect", "proxy", "_ip", "ip_", "url", "endpoint", "node"];
    words.iter().any(|word| names.contains(word)) || usage.name().eq_ignore_ascii_case("ip")
}

/// First labels of public services.
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

fn host_name(
    input: &FileInput<'_>,
    range: &Range<usize>,
    usage: &Usage<'_>,
    address: &Address<'_>,
) -> Option<Diagnostic> {
    let catalogue = input.context.catalogue;
    let host = address.host.trim_end_matches('.');
    let first = host.split('.').next()?;
    // A gateway can be reached from inside its site only, with any scheme.
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
    // `jane@mail.example.org` is a mail address, `jane@node.example.org:dir` a directory.
    if address.user.is_some()
        && address.after_colon.is_none()
        && address.scheme.is_none()
        && usage.span.is_none_or(|span| span.kind != Kind::Word)
    {
        return None;
    }
    let door = catalogue.domain(host)?;
    let is_listed =
        catalogue.facilities.iter().any(|facility| facility.hosts.iter().any(|pattern| matches_pattern(host, pattern)));
    let is_node = is_listed || first.bytes().any(|byte| byte.is_ascii_digit());
    let name = usage.name().to_ascii_lowercase();
    let is_named = ["host", "server"].iter().any(|word| name.contains(word));
    let is_used =
        address.has_port() || address.scheme.is_some() || address.after_colon.is_some() || is_node || is_named;
    if !is_used {
        return None;
    }
    let is_certain = is_node
        && (address.has_port() || address.scheme.is_some() || address.user.is_some() || is_named_as_address(usage));
    let severity = if is_certain { Severity::Error } else { Severity::Warning };
    let message = format!("`{host}` is a machine of {}", door.site);
    let mut diagnostic = diagnostic(range, usage.lower(severity, false), message, host.to_owned());
    diagnostic.reach = message::reach_of_door(input.context, Some(&door));
    Some(diagnostic)
}

/// Reports whether a name matches a pattern with at most one `*`.
fn matches_pattern(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
        None => name == pattern,
    }
}

fn diagnostic(range: &Range<usize>, severity: Severity, message: String, group: String) -> Diagnostic {
    let help = "read the address from an argument or an environment variable".to_owned();
    Diagnostic { group, ..message::diagnostic(range, severity, message, help) }
}
