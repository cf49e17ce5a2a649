//! Committed proxies, keys and tokens.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `committed-credential`: private keys, grid proxies, access tokens.
pub(super) static RULE: Rule = Rule {
    id: "committed-credential",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "committed private key, grid proxy or access token",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds private keys in PEM format, grid proxies (a certificate with its key), and tokens of GitHub, GitLab, AWS and Slack by their
fixed prefixes. The finding names the kind of credential and its location. The value is never printed.

## Why it breaks elsewhere

A proxy is valid for a few days and for one user: a job that uses it fails for everyone else, and for its owner after it expires.
Everyone who can read the repository also has the credential.

## Example

A file `x509up_u12345` next to the scripts.

## How to fix

Revoke the credential, remove it from the history, and let each job use its own: `x509userproxy`, `BEARER_TOKEN_FILE`.

## Limits

Encrypted keys and passwords without a fixed format are not found. Keys in tests and examples are reported as well.
";

/// The start of every header.
const HEADER_START: &[u8] = b"-----BEGIN ";
/// Headers of private keys (RFC 7468, RFC 1421, OpenSSH).
const KEYS: &[&str] = &[
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN DSA PRIVATE KEY-----",
];

/// Prefixes of tokens, the minimum number of characters that follow, and the kind of token.
const TOKENS: &[(&str, usize, &str)] = &[
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("github_pat_", 40, "a GitHub token"),
    ("glpat-", 20, "a GitLab token"),
    ("AKIA", 16, "an AWS access key"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let bytes = input.view.text.as_bytes();
    for offset in memmem::find_iter(bytes, HEADER_START) {
        let Some(header) = KEYS.iter().find(|header| bytes[offset..].starts_with(header.as_bytes())) else { continue };
        // Code that searches for keys contains the header without a key.
        let body = bytes[offset + header.len()..].iter().take(200).filter(|byte| byte.is_ascii_alphanumeric()).count();
        let ends_line = matches!(bytes.get(offset + header.len()), Some(b'\n' | b'\r' | b'\\'));
        if body > 100 && ends_line {
            let is_proxy = memmem::find(bytes, b"-----BEGIN CERTIFICATE-----").is_some();
            let what = if is_proxy { "a grid proxy with its private key" } else { "a private key" };
            diagnostics.push(diagnostic(offset..offset + header.len(), what));
        }
    }
    // Tokens are searched only in programs and settings, because data files can be large.
    if !input.language.is_code() {
        return;
    }
    for (range, what) in tokens(bytes) {
        diagnostics.push(diagnostic(range.start..range.start + 4, what));
    }
}

/// Searcher for all prefixes of tokens.
static TOKEN_PREFIXES: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(TOKENS.iter().map(|(begin, _, _)| begin)).ok());

/// Returns the tokens of a text with their kind.
fn tokens(bytes: &[u8]) -> Vec<(Range<usize>, &'static str)> {
    let mut tokens = Vec::new();
    for found in TOKEN_PREFIXES.iter().flat_map(|prefixes| prefixes.find_iter(bytes)) {
        let (_, length, what) = TOKENS[found.pattern().as_usize()];
        let before = found.start().checked_sub(1).map(|before| bytes[before]);
        let rest = &bytes[found.end()..];
        let token = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let varied = rest.iter().take(length).any(u8::is_ascii_digit);
        if token >= length && varied && before.is_none_or(|byte| !byte.is_ascii_alphanumeric()) {
            tokens.push((found.start()..found.end() + token, what));
        }
    }
    tokens
}

/// Replaces tokens, and user names and passwords in URLs, by `…`. Fingerprints depend on the result, so it never changes.
/// [`crate::model::redact`] removes credentials from texts that are shown to users.
pub fn masked(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut secrets: Vec<Range<usize>> =
        tokens(bytes).into_iter().map(|(range, _)| range.start + 4..range.end).collect();
    for offset in memmem::find_iter(bytes, b"://") {
        let start = offset + 3;
        let rest = &text[start..];
        let end = rest.find(['/', ' ', '"', '\'', '?', '#', '<', '>', '`']).unwrap_or(rest.len());
        if let Some(user) = rest[..end].rfind('@').filter(|user| *user > 0 && rest[..*user].contains(':')) {
            secrets.push(start..start + user);
        }
    }
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|range| range.start);
    let (mut shown, mut done) = (String::with_capacity(text.len()), 0);
    for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
        if secret.start >= done {
            shown.push_str(&text[done..secret.start]);
            shown.push('…');
        }
        done = done.max(secret.end);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

fn diagnostic(range: Range<usize>, what: &str) -> Diagnostic {
    Diagnostic::at(&range, format!("{what} is committed to the repository"))
        .help("revoke it, and remove it from the history")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn masked_text_contains_no_secret() {
        let token = format!("ghp_{}", "a1".repeat(18));
        assert_eq!(masked(&format!("x = '{token}'")), "x = 'ghp_…'");
        assert_eq!(masked("git clone https://jane:s3cret@host/x.git"), "git clone https://…@host/x.git");
        assert_eq!(masked("ssh://git@host/x {a@b}"), "ssh://git@host/x {a@b}");
        assert_eq!(masked("plain é"), "plain é");
    }
}
