//! Credentials that their form reveals: headers of requests, tokens with a fixed prefix, and private keys.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use super::is_placeholder;

/// Ends of the names of headers that contain a credential.
const HEADERS: [&str; 7] =
    ["authorization", "private-token", "job-token", "deploy-token", "auth-token", "api-key", "cookie"];
/// Prefixes of tokens, the minimum number of characters that follow, and those that are not letters or digits.
const TOKENS: [(&str, usize, &[u8]); 16] = [
    ("ghp_", 36, b""),
    ("gho_", 36, b""),
    ("ghu_", 36, b""),
    ("ghs_", 36, b""),
    ("ghr_", 36, b""),
    ("github_pat_", 40, b"_"),
    ("glpat-", 20, b"_-."),
    ("gldt-", 20, b"_-."),
    ("glrt-", 20, b"_-."),
    ("glcbt-", 20, b"_-."),
    ("AKIA", 16, b""),
    ("ASIA", 16, b""),
    ("xoxb-", 20, b"-"),
    ("xoxp-", 20, b"-"),
    ("hf_", 30, b""),
    ("pypi-", 50, b"_-"),
];
/// Start of a JSON Web Token: `{"` in base64.
const JWT: &str = "eyJ";
/// Start and end of the header of a private key (RFC 7468).
const KEY_START: &str = "-----BEGIN ";
const KEY_END: &str = "PRIVATE KEY-----";
/// See [`super::TRIGGERS`].
pub(super) const TRIGGERS: &[&str] = &[
    "authorization",
    "-token",
    "api-key",
    "cookie",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glcbt-",
    "akia",
    "asia",
    "xoxb-",
    "xoxp-",
    "hf_",
    "pypi-",
    "eyj",
    "private key-----",
];
/// Schemes of `Authorization` with one token.
const SCHEMES: [&str; 5] = ["basic", "bearer", "token", "negotiate", "apikey"];
/// Schemes of `Authorization` with several parameters.
const LONG_SCHEMES: [&str; 2] = ["digest", "aws4-hmac-sha256"];
/// Words that follow a scheme in text for readers.
const WORDS: [&str; 6] = ["auth", "authentication", "token", "tokens", "credentials", "scheme"];

static HEADER_ENDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(HEADERS).ok());
static TOKEN_STARTS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TOKENS.iter().map(|(start, _, _)| start)).ok());

/// Returns the ranges of credentials.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for header in HEADER_ENDS.iter().flat_map(|ends| ends.find_iter(text)) {
        // `SO_COOKIE: …` is not a header.
        if !text[..header.start()].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            found.extend(header_value(text, HEADERS[header.pattern().as_usize()], header.end()));
        }
    }
    let bytes = text.as_bytes();
    for token in TOKEN_STARTS.iter().flat_map(|starts| starts.find_iter(text)) {
        let (_, least, others) = TOKENS[token.pattern().as_usize()];
        let rest = &bytes[token.end()..];
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || others.contains(b)).count();
        let is_start = token.start().checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_alphanumeric());
        if is_start && length >= least && rest[..length].iter().any(u8::is_ascii_digit) {
            found.push(token.end()..token.end() + length);
        }
    }
    for start in memmem::find_iter(bytes, JWT) {
        found.extend(web_token(text, start));
    }
    for end in memmem::find_iter(bytes, KEY_END) {
        let is_header = text[..end].rfind(KEY_START).is_some_and(|start| !text[start..end].contains('\n'));
        let body = end + KEY_END.len();
        let rest = &text[body..];
        let length = memmem::find(rest.as_bytes(), b"-----END").unwrap_or(rest.len());
        // Programs that search for keys contain the header without a key.
        let characters = rest[..length].bytes().filter(u8::is_ascii_alphanumeric).take(48).count();
        if is_header && characters >= 48 && rest.starts_with(['\n', '\r', '\\']) {
            found.push(body..body + length);
        }
    }
    found
}

/// Returns the JSON Web Token at `start`: three parts in base64, separated by dots.
fn web_token(text: &str, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_start = start.checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_alphanumeric());
    let length = bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.=".contains(b)).count();
    let token = &text[start..start + length];
    let mut parts = token.split('.');
    let is_token = parts.next()?.len() >= 10 && parts.next()?.len() >= 10;
    (is_start && is_token).then(|| start..start + length)
}

/// Returns the credential in the value of a header, whose name ends at `end`.
fn header_value(text: &str, name: &str, end: usize) -> Option<Range<usize>> {
    let rest = &text[end..];
    let value = rest.trim_start_matches(['"', '\'', '\\', ' ']).strip_prefix([':', '='])?;
    let value = value.trim_start_matches([' ', '\t', '"', '\'', '\\']);
    let value = value.strip_prefix("b'").or_else(|| value.strip_prefix("f\"")).unwrap_or(value);
    let start = text.len() - value.len();
    let line = &value[..value.find(['\n', '\r', '"', '\'', '`', '\\', '<']).unwrap_or(value.len())];
    let line = line.trim_end();
    if name == "cookie" {
        let is_pair =
            line.split_once('=').is_some_and(|(name, value)| !name.contains(' ') && !is_credential_free(value));
        return is_pair.then(|| start..start + line.len());
    }
    let word = |text: &str| text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len());
    let first = &line[..word(line)];
    let scheme = first.to_ascii_lowercase();
    if name == "authorization" && LONG_SCHEMES.contains(&scheme.as_str()) {
        let parameters = line[first.len()..].trim_start();
        // The parameters of `Digest` are in quotation marks.
        let line = value[..value.find(['\n', '\r']).unwrap_or(value.len())].trim_end();
        let range = start + line.len().min(first.len() + 1)..start + line.len();
        return (!is_placeholder(parameters)).then_some(range);
    }
    if name == "authorization" && SCHEMES.contains(&scheme.as_str()) {
        let rest = line[first.len()..].trim_start();
        let token = &rest[..word(rest)];
        let from = start + line.len() - rest.len();
        let is_word = WORDS.contains(&token.to_ascii_lowercase().as_str());
        return (!is_word && !is_credential_free(token)).then(|| from..from + token.len());
    }
    let is_varied = first.bytes().any(|b| b.is_ascii_digit()) && first.len() >= 8;
    (is_varied && !is_credential_free(first)).then(|| start..start + first.len())
}

/// Reports whether a value is a placeholder or an expression of a program.
fn is_credential_free(value: &str) -> bool {
    is_placeholder(value) || value.starts_with(['{', '$', '%', '<', '(', '['])
}
