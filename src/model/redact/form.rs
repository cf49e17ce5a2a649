//! Credentials that their form reveals: headers of requests, tokens with a fixed prefix, and private keys.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use super::is_placeholder;
use super::next::Next;

/// Ends of the names of headers that contain a credential.
const HEADERS: [&str; 7] =
    ["authorization", "private-token", "job-token", "deploy-token", "auth-token", "api-key", "cookie"];
/// Prefixes of tokens, the minimum number of characters that follow, and those that are not letters or digits.
const TOKENS: [(&str, usize, &[u8]); 19] = [
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
    ("dckr_pat_", 20, b"_-"),
    ("glsa_", 32, b"_"),
    ("sk-proj-", 32, b"_-"),
];
/// Start of a JSON Web Token: `{"` in base64.
const JWT: &str = "eyJ";
/// Start and end of the header of a private key (RFC 7468).
const KEY_START: &str = "-----BEGIN ";
const KEY_END: &str = "PRIVATE KEY-----";
/// Maximum length of the kind of a private key, and of the name of a cookie, in bytes.
const MAX_LABEL: usize = 64;
const MAX_COOKIE_NAME: usize = 256;
/// Ends of the names of fields with a password.
const FIELDS: [&str; 3] = ["password", "passwd", "passphrase"];
/// Minimum length of the value of such a field in bytes.
const MIN_PASSWORD: usize = 6;
/// Options of `curl` with a user name and password.
const USER_OPTIONS: [&str; 3] = [" -u ", " --user ", " --user="];
/// Maximum distance of `curl` and such an option in bytes.
const MAX_COMMAND: usize = 512;
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
    "dckr_pat_",
    "glsa_",
    "sk-proj-",
    "eyj",
    "private key-----",
    FIELDS[0],
    FIELDS[1],
    FIELDS[2],
    USER_OPTIONS[0],
    USER_OPTIONS[1],
    USER_OPTIONS[2],
];
/// Schemes of `Authorization` with one token.
const SCHEMES: [&str; 5] = ["basic", "bearer", "token", "negotiate", "apikey"];
/// Schemes of `Authorization` with several parameters.
const LONG_SCHEMES: [&str; 2] = ["digest", "aws4-hmac-sha256"];
/// Words that follow a scheme in text for readers.
const WORDS: [&str; 6] = ["auth", "authentication", "token", "tokens", "credentials", "scheme"];

static HEADER_ENDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(HEADERS).ok());
static FIELD_ENDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(FIELDS).ok());
static TOKEN_STARTS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TOKENS.iter().map(|(start, _, _)| start)).ok());

/// Returns the ranges of credentials.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = headers(text);
    found.extend(tokens(text));
    found.extend(web_tokens(text));
    found.extend(private_keys(text));
    found.extend(passwords(text));
    found.extend(curl_users(text));
    found
}

fn headers(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut value_end = Next::new(text, |c| matches!(c, '\n' | '\r' | '"' | '\'' | '`' | '\\' | '<'));
    let mut line_end = Next::new(text, |c| matches!(c, '\n' | '\r'));
    let mut word_end = Next::new(text, |c| c.is_whitespace() || c == ',');
    let mut digit = Next::new(text, |c| c.is_ascii_digit());
    for header in HEADER_ENDS.iter().flat_map(|ends| ends.find_iter(text)) {
        // `SO_COOKIE: …` is not a header.
        if text[..header.start()].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let name = HEADERS[header.pattern().as_usize()];
        let Some(start) = value_start(text, header.end(), name) else { continue };
        let end = value_end.trimmed(start);
        if name == "cookie" {
            let reach = text.floor_char_boundary(end.min(start + MAX_COOKIE_NAME));
            let equals = text[start..reach].find('=').map(|at| start + at);
            let is_pair =
                equals.is_some_and(|at| !text[start..at].contains(' ') && !is_credential_free(&text[at + 1..end]));
            found.extend(is_pair.then_some(start..end));
            continue;
        }
        let first_end = word_end.at(start).min(end);
        let first = &text[start..first_end];
        let is_one_of = |names: &[&str], word: &str| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        if name == "authorization" && is_one_of(&LONG_SCHEMES, first) {
            let parameters = text[first_end..end].trim_start();
            // The parameters of `Digest` are in quotation marks.
            let end = line_end.trimmed(start);
            found.extend((!is_placeholder(parameters)).then(|| end.min(first_end + 1)..end));
        } else if name == "authorization" && is_one_of(&SCHEMES, first) {
            let start = end - text[first_end..end].trim_start().len();
            let token = &text[start..word_end.at(start).min(end)];
            let is_token = !is_one_of(&WORDS, token) && !is_credential_free(token);
            found.extend(is_token.then(|| start..start + token.len()));
        } else {
            // `documentation1` is a word.
            let is_word = || first.len() > 8 && first[..first.len() - 1].bytes().all(|b| b.is_ascii_alphabetic());
            let first_digit = digit.at(start);
            let is_varied = first.len() >= 8 && first_digit < first_end && !(first_digit + 1 == first_end && is_word());
            found.extend((is_varied && !is_credential_free(first)).then_some(start..first_end));
        }
    }
    found
}

/// Returns the start of the value of a header, whose name ends at `end`.
fn value_start(text: &str, end: usize, name: &str) -> Option<usize> {
    let value = text[end..].trim_start_matches(['"', '\'', '\\', ' ']);
    // `cookie=0x12` is an assignment of a program.
    let value = value.strip_prefix(':').or_else(|| value.strip_prefix('=').filter(|_| name != "cookie"))?;
    let value = value.trim_start_matches([' ', '\t', '"', '\'', '\\']);
    let value = value.strip_prefix("b'").or_else(|| value.strip_prefix("f\"")).unwrap_or(value);
    Some(text.len() - value.len())
}

/// Reports whether no letter or digit is in front of a position.
fn is_word_start(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
}

fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut ends = TOKENS.map(|(_, _, others)| {
        Next::new(text, move |c| !(c.is_ascii_alphanumeric() || others.contains(&u8::try_from(c).unwrap_or(0))))
    });
    let mut digit = Next::new(text, |c| c.is_ascii_digit());
    for token in TOKEN_STARTS.iter().flat_map(|starts| starts.find_iter(text)) {
        let kind = token.pattern().as_usize();
        let (_, least, _) = TOKENS[kind];
        let (start, end) = (token.end(), ends[kind].at(token.end()));
        if is_word_start(text, token.start()) && end - start >= least && digit.at(start) < end {
            found.push(start..end);
        }
    }
    found
}

/// Returns the JSON Web Tokens: three parts in base64, separated by dots.
fn web_tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut end = Next::new(text, |c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '=')));
    let mut dot = Next::new(text, |c| c == '.');
    for start in memmem::find_iter(text.as_bytes(), JWT).filter(|start| is_word_start(text, *start)) {
        let end = end.at(start);
        let first = dot.at(start);
        if first >= end || first - start < 10 {
            continue;
        }
        let second = dot.at(first + 1).min(end);
        if second - first > 10 {
            found.push(start..end);
        }
    }
    found
}

fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut done = 0;
    for end in memmem::find_iter(text.as_bytes(), KEY_END) {
        let body = end + KEY_END.len();
        let label = &text[text.ceil_char_boundary(end.saturating_sub(KEY_START.len() + MAX_LABEL))..end];
        let is_header = label.rfind(KEY_START).is_some_and(|start| !label[start..].contains('\n'));
        let rest = &text[body..];
        if end < done || !is_header || !rest.starts_with(['\n', '\r', '\\']) {
            continue;
        }
        done = body + memmem::find(rest.as_bytes(), b"-----END").unwrap_or(rest.len());
        // Programs that search for keys contain the header without a key.
        let characters = text[body..done].bytes().filter(u8::is_ascii_alphanumeric).take(48).count();
        if characters >= 48 {
            found.push(body..done);
        }
    }
    found
}

/// Returns the values with a digit in `"password": "…"` and `password=…`. Those without are often words and names of variables.
fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut double = Next::new(text, |c| matches!(c, '"' | '\\' | '\n' | '\r'));
    let mut single = Next::new(text, |c| matches!(c, '\'' | '\\' | '\n' | '\r'));
    let mut word = Next::new(text, |c| c.is_whitespace() || "\"'`\\,;&()[]{}<>".contains(c));
    let mut digit = Next::new(text, |c| c.is_ascii_digit());
    for field in FIELD_ENDS.iter().flat_map(|ends| ends.find_iter(text)) {
        let rest = text[field.end()..].trim_start_matches(['\\', '"', '\'']);
        let Some(after) = rest.trim_start_matches(' ').strip_prefix([':', '=']) else { continue };
        let value = after.trim_start_matches(' ').trim_start_matches('\\');
        let (start, end) = if let Some(value) = value.strip_prefix('"') {
            let start = text.len() - value.len();
            (start, double.at(start))
        } else if let Some(value) = value.strip_prefix('\'') {
            let start = text.len() - value.len();
            (start, single.at(start))
        } else if rest.starts_with('=') && after.len() == value.len() {
            let start = text.len() - value.len();
            (start, word.at(start))
        } else {
            continue;
        };
        // `password=function1(…)`
        let is_expression = text[end..].starts_with(['(', '[']);
        let is_password = end - start >= MIN_PASSWORD && digit.at(start) < end && !is_expression;
        found.extend((is_password && !is_credential_free(&text[start..end])).then_some(start..end));
    }
    found
}

/// Returns the passwords in `curl -u user:password`.
fn curl_users(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for option in USER_OPTIONS {
        let mut value_end = Next::new(text, |c| c.is_whitespace() || matches!(c, '"' | '\''));
        for at in memmem::find_iter(text.as_bytes(), option) {
            let before = &text[text.ceil_char_boundary(at.saturating_sub(MAX_COMMAND))..at];
            let command = before.rsplit('\n').next().unwrap_or(before);
            if memmem::find(command.as_bytes(), b"curl").is_none() {
                continue;
            }
            let start = text.len() - text[at + option.len()..].trim_start_matches(['"', '\'']).len();
            let end = value_end.at(start);
            let Some((_, password)) = text[start..end].split_once(':') else { continue };
            found.extend((!is_credential_free(password)).then(|| end - password.len()..end));
        }
    }
    found
}

/// Reports whether a value is a placeholder or an expression of a program.
fn is_credential_free(value: &str) -> bool {
    is_placeholder(value) || value.starts_with(['{', '$', '%', '<', '(', '['])
}
