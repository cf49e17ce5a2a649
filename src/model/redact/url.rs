//! Credentials in URLs: user names and passwords, and query parameters.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use super::is_placeholder;
use super::next::Next;

/// Forms of `://`: plain, with slashes escaped as in some JSON, and percent-encoded.
const SEPARATORS: [&str; 3] = ["://", ":\\/\\/", "%3a%2f%2f"];
/// Ends of the names of query parameters whose value is a credential, with the equals sign.
const PARAMETERS: [&str; 14] = [
    "token=",
    "secret=",
    "password=",
    "passwd=",
    "pwd=",
    "signature=",
    "sig=",
    "credential=",
    "authz=",
    "apikey=",
    "api_key=",
    "api-key=",
    "access_key=",
    "accesskeyid=",
];
/// See [`super::TRIGGERS`].
pub(super) const TRIGGERS: &[&str] = &[
    SEPARATORS[0],
    SEPARATORS[1],
    SEPARATORS[2],
    PARAMETERS[0],
    PARAMETERS[1],
    PARAMETERS[2],
    PARAMETERS[3],
    PARAMETERS[4],
    PARAMETERS[5],
    PARAMETERS[6],
    PARAMETERS[7],
    PARAMETERS[8],
    PARAMETERS[9],
    PARAMETERS[10],
    PARAMETERS[11],
    PARAMETERS[12],
    PARAMETERS[13],
    "@",
];

/// Ends of schemes in which a user name without a password is common and not a credential.
const USER_SCHEMES: [&str; 10] = ["ssh", "sftp", "scp", "rsync", "root", "roots", "xroot", "xroots", "git", "gsiftp"];
/// User names without a meaning, which web URLs contain in front of the host.
const COMMON_USERS: [&str; 6] = ["git", "anonymous", "oauth2", "hg", "user", "username"];
/// Schemes whose URL can end in the middle of a password because the text was truncated.
const TRUNCATED_SCHEMES: [&str; 8] = ["http", "https", "dav", "davs", "ftp", "root", "xroot", "ssh"];

/// Parts of the hosts of image registries.
const REGISTRIES: [&str; 8] =
    ["registry", "docker", "gitlab", "harbor", "quay.io", "gcr.io", "azurecr.io", "amazonaws.com"];
/// Minimum length of a token in place of a user name, of a password in a reference without a scheme, and of a signature.
const MIN_TOKEN: usize = 12;
const MIN_PASSWORD: usize = 8;
const MIN_SIGNATURE: usize = 16;
/// Number of bytes of a signature that are examined.
const MAX_SIGNATURE: usize = 64;

static PARAMETER_ENDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(PARAMETERS).ok());

/// Returns the ranges of credentials in URLs.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for separator in &SEPARATORS[..2] {
        for at in memmem::find_iter(text.as_bytes(), separator) {
            found.extend(user_info(text, at, at + separator.len()));
        }
    }
    for separator in [SEPARATORS[2], "%3A%2F%2F"] {
        for at in memmem::find_iter(text.as_bytes(), separator) {
            found.extend(encoded_user_info(text, at + separator.len()));
        }
    }
    found.extend(memchr::memchr_iter(b'@', text.as_bytes()).filter_map(|at| bare_user_info(text, at)));
    let mut value_end = Next::new(text, |c| is_end(c) || matches!(c, '&' | '#' | '\\' | '\'' | ')'));
    for end in PARAMETER_ENDS.iter().flat_map(|ends| ends.find_overlapping_iter(text)) {
        found.extend(parameter(text, end.start(), end.end(), &mut value_end));
    }
    found
}

/// Reports whether a character ends every URL.
fn is_end(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`')
}

/// Returns the user name and password of the URL whose separator is at `at` and whose authority starts at `start`.
fn user_info(text: &str, at: usize, start: usize) -> Option<Range<usize>> {
    let scheme = scheme(&text[..at]);
    // In `'https://host'`, the quotation mark is not a part of the URL.
    let is_quoted = text[..at - scheme.len()].ends_with('\'');
    let rest = &text[start..];
    let is_next = |at: usize| SEPARATORS[..2].iter().any(|separator| rest[at..].starts_with(separator));
    let mut ends = rest.char_indices();
    let end = ends.find(|&(at, c)| is_end(c) || (is_quoted && c == '\'') || (c == ':' && is_next(at)));
    let rest = match end {
        // A second URL in the same word, as in `https://a,https://b`.
        Some((next, ':')) => &rest[..next - self::scheme(&rest[..next]).len()],
        Some((end, _)) => &rest[..end],
        None => rest,
    };
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    if let Some(user) = user_end(authority) {
        let user_info = &authority[..user];
        return is_credential(user_info, scheme).then(|| start..start + user);
    }
    let (_, port) = authority.split_once(':').filter(|_| !authority.starts_with('['))?;
    if is_port(port) {
        return None;
    }
    // `name:x/y@host` is not a valid URL: the password contains a slash.
    if authority.len() < rest.len()
        && let Some(user) = first_user_end(rest)
    {
        return Some(start..start + user);
    }
    // The text was truncated in the password.
    let after = &text[start + authority.len()..];
    let authority = authority.trim_end_matches(['.', '…']);
    let is_truncated = after.trim_start_matches(['.', '…']).is_empty() || after.starts_with("\n[... ");
    let is_url = TRUNCATED_SCHEMES.contains(&scheme.rsplit('+').next().unwrap_or(scheme).to_ascii_lowercase().as_str());
    (is_truncated && is_url && !is_port(authority.split_once(':')?.1)).then(|| start..start + authority.len())
}

/// Returns the scheme at the end of a text.
fn scheme(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    // The character before a scheme may have several bytes.
    let start = start.map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
    &text[start..]
}

/// Returns the position of the last `@` of an authority that does not start a digest: `image:tag@sha256:…`.
fn user_end(authority: &str) -> Option<usize> {
    authority.rmatch_indices('@').map(|(at, _)| at).find(|at| !is_digest(&authority[at + 1..]))
}

/// Returns the position of the first `@` that is followed by a host.
fn first_user_end(rest: &str) -> Option<usize> {
    let is_host = |after: &str| after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && !is_digest(after);
    rest.match_indices('@').map(|(at, _)| at).find(|at| is_host(&rest[at + 1..]))
}

fn is_digest(text: &str) -> bool {
    ["sha256:", "sha512:", "sha384:"].iter().any(|algorithm| text.starts_with(algorithm))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
        || text.starts_with(['$', '{', '<', '%', '*', '[', '('])
        || text.to_ascii_lowercase().contains("port")
}

fn is_credential(user_info: &str, scheme: &str) -> bool {
    // `scheme://[user@]host` describes the syntax of a URL.
    if user_info.starts_with('[') {
        return false;
    }
    match user_info.split_once(':') {
        Some((_, password)) => !is_placeholder(password),
        None if is_placeholder(user_info) || COMMON_USERS.contains(&user_info) => false,
        None => {
            let scheme = scheme.rsplit('+').next().unwrap_or(scheme).to_ascii_lowercase();
            // A token in a web URL has digits; `scott` is a name.
            let is_short = user_info.len() < MIN_TOKEN || !user_info.bytes().any(|b| b.is_ascii_digit());
            let is_name = user_info.len() <= 20
                && user_info.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'$'));
            !(is_name && (is_short || USER_SCHEMES.contains(&scheme.as_str())))
        }
    }
}

/// Returns the user name and password of a percent-encoded URL whose authority starts at `start`.
fn encoded_user_info(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let is_slash = |at: usize| rest.get(at..at + 3).is_some_and(|escape| escape.eq_ignore_ascii_case("%2f"));
    let mut ends = rest.char_indices();
    let end = ends.find(|&(at, c)| is_end(c) || matches!(c, '&' | '\'' | '/') || (c == '%' && is_slash(at)));
    let user = rest[..end.map_or(rest.len(), |(end, _)| end)].rfind("%40")?;
    (!is_placeholder(&rest[..user])).then(|| start..start + user)
}

/// Returns the user name and password in front of an `@` in a reference without a scheme: `user:password@host/path`.
///
/// Tools drop the scheme of a reference to an image in their messages.
fn bare_user_info(text: &str, at: usize) -> Option<Range<usize>> {
    let host = host_with_path(&text[at + 1..])?;
    let before = &text[..at];
    let start =
        before.rfind(|c: char| is_end(c) || matches!(c, '/' | '\'' | '(' | '[' | '{' | '=' | ',' | ';' | '\\' | '@'));
    let start = start.map_or(0, |start| start + before[start..].chars().next().map_or(1, char::len_utf8));
    let user_info = &before[start..];
    // A part of a path: `root://host//store/a:b@c/file`.
    if before[..start].ends_with('/') {
        return None;
    }
    // The output was truncated in the password.
    if before[..start].ends_with(" left out ...]\n") && !user_info.is_empty() {
        return Some(start..at);
    }
    let is_daemon = user_info.starts_with("docker-daemon:");
    let skipped = if is_daemon { "docker-daemon:".len() } else { 0 };
    let (user, password) = user_info[skipped..].split_once(':')?;
    let is_user_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '%' | '+' | '$');
    let is_user = !user.is_empty() && user != "mailto" && user.chars().all(is_user_char);
    // `sample:nominal@v2.1/histogram` is not a reference to an image.
    let is_image = is_daemon || (is_registry(host) && is_password(password));
    (is_image && is_user && !is_placeholder(password)).then(|| start + skipped..at)
}

/// Returns the host and the port at the start of a text if a slash follows.
fn host_with_path(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let host = &text[..text.len() - rest.len()];
    let path = rest.strip_prefix(':').map_or(rest, |port| port.trim_start_matches(|c: char| c.is_ascii_digit()));
    // A version, as in `npm:name@1.2/file`, is not a host.
    let is_host = host.starts_with(|c: char| c.is_ascii_alphabetic()) || host.parse::<Ipv4Addr>().is_ok();
    (path.starts_with('/') && is_host && !is_digest(text)).then(|| &text[..text.len() - path.len()])
}

/// Reports whether a host is an image registry: it has a port, or a known name.
fn is_registry(host: &str) -> bool {
    let has_port = host.split_once(':').is_some_and(|(name, _)| name.contains('.'));
    let host = host.to_ascii_lowercase();
    has_port || REGISTRIES.iter().any(|name| host.contains(name))
}

/// Reports whether a text is long enough for a password, and is not a version or a number.
fn is_password(text: &str) -> bool {
    text.len() >= MIN_PASSWORD && !text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Reports whether a value is a signature in base64 or in hexadecimal digits.
fn is_signature(value: &str) -> bool {
    let has_digit = value.bytes().take(MAX_SIGNATURE).any(|b| b.is_ascii_digit());
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/-_=%".contains(&b);
    value.len() >= MIN_SIGNATURE && has_digit && value.bytes().take(MAX_SIGNATURE).all(is_base64)
}

/// Returns the value of the query parameter whose name ends with the text from `from`; the value starts at `start`.
fn parameter(
    text: &str,
    from: usize,
    start: usize,
    value_end: &mut Next<'_, impl Fn(char) -> bool>,
) -> Option<Range<usize>> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']');
    let before = text[..from].trim_end_matches(is_name);
    let name = &text[before.len()..from];
    let is_separated = before.ends_with(['?', '&', '#'])
        || ["&amp;", "&#38;"].iter().any(|entity| before.ends_with(entity))
        || (before.ends_with('\\') && name.starts_with("u0026"))
        || (before.ends_with('%') && (name.starts_with("26") || name.starts_with("3F") || name.starts_with("3f")));
    // `pwd` and `sig` are the ends of other words as well.
    let is_whole = text[from..start].len() > 4 || name.is_empty() || name.ends_with(['_', '-', '.']);
    let end = value_end.at(start);
    // The first parameter of a form.
    let is_first = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
    let is_form =
        is_first && text[end..].starts_with('&') && text[end + 1..].starts_with(|c: char| c.is_ascii_alphabetic());
    if !(is_separated || is_form) || !is_whole {
        return None;
    }
    let value = &text[start..end];
    let is_ordinary = match text[from..start].to_ascii_lowercase().as_str() {
        // The working directory.
        "pwd=" => value.starts_with('/') || value.get(..3).is_some_and(|escape| escape.eq_ignore_ascii_case("%2f")),
        // The signal of an analysis.
        "sig=" => !is_signature(value),
        _ => false,
    };
    (!is_ordinary && !is_placeholder(value)).then_some(start..end)
}
