//! Proxies, keys and tokens that were committed.

use memchr::memmem;

use super::input::FileInput;
use super::{Check, Report, Rule};
use crate::model::finding::{Confidence, Severity};

/// Private keys, grid proxies, access tokens.
pub(super) static RULE: Rule = Rule {
    id: "committed-credential",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a private key, a grid proxy or an access token is in the repository",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds private keys in PEM, grid proxies (a certificate with its key), and tokens of GitHub, GitLab, AWS and Slack by their fixed
beginnings. The finding says what kind it is and where; its value is never printed.

## Why it breaks elsewhere

A proxy is valid for days and for one person: a job that uses it works for her until Thursday. And whoever reads the repository has it.

## Example

A file `x509up_u12345` beside the scripts.

## How to fix

Revoke it, remove it from the history, and let jobs bring their own: `x509userproxy`, `BEARER_TOKEN_FILE`.

## Limits

Encrypted keys and passwords without a fixed form are not found. Keys in tests and examples are reported as well.
";

/// Headers of private keys (RFC 7468, RFC 1421, OpenSSH).
const KEYS: &[&str] = &[
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN DSA PRIVATE KEY-----",
];

/// Beginnings of tokens, the number of characters that follow at least, and what they are.
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

fn check(input: &FileInput<'_>, reports: &mut Vec<Report>) {
    let bytes = input.view.text.as_bytes();
    for header in KEYS {
        for at in memmem::find_iter(bytes, header.as_bytes()) {
            // A header alone, in code that looks for one, holds no key.
            let body = bytes[at + header.len()..].iter().take(200).filter(|byte| byte.is_ascii_alphanumeric()).count();
            let ends_line = matches!(bytes.get(at + header.len()), Some(b'\n' | b'\r' | b'\\'));
            if body > 100 && ends_line {
                let is_proxy = memmem::find(bytes, b"-----BEGIN CERTIFICATE-----").is_some();
                let what = if is_proxy { "a grid proxy, with its private key," } else { "a private key" };
                reports.push(report(at..at + header.len(), what));
            }
        }
    }
    for (begin, length, what) in TOKENS {
        for at in memmem::find_iter(bytes, begin.as_bytes()) {
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let token = bytes[at + begin.len()..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            let varied = bytes[at + begin.len()..].iter().take(*length).any(u8::is_ascii_digit);
            if token >= *length && varied && before.is_none_or(|byte| !byte.is_ascii_alphanumeric()) {
                reports.push(report(at..at + begin.len(), what));
            }
        }
    }
}

fn report(range: std::ops::Range<usize>, what: &str) -> Report {
    Report::at(&range, format!("{what} is in the repository")).help("revoke it, and remove it from the history too")
}
