//! Escaping of untrusted text in HTML and SVG: the escaper of every template, links, and JSON in a page.

use std::fmt::{self, Write as _};

use askama::filters::Escaper;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::model::text::clean;

/// Maximum number of bytes of a name in its anchor.
const MAX_ANCHOR: usize = 1000;

/// Removes control characters from every expression of a template and escapes it.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Inert;

impl Escaper for Inert {
    fn write_escaped_str<W: fmt::Write>(&self, mut out: W, text: &str) -> fmt::Result {
        let text = clean(text);
        let mut rest = text.as_ref();
        while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
            out.write_str(&rest[..at])?;
            out.write_str(match rest.as_bytes()[at] {
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'&' => "&amp;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        out.write_str(rest)
    }
}

/// Returns an `id` that is also a valid URL fragment, such as `cell=desy-naf`, because browsers compare both before decoding.
/// Other characters are percent-encoded.
pub(super) fn anchor(kind: &str, name: &str) -> String {
    let mut out = format!("{kind}=");
    for byte in clean(name).bytes().take(MAX_ANCHOR) {
        if byte.is_ascii_alphanumeric() || b"-._~/:@[]()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Returns the URL if a page may link to it: `https` with plain characters only.
pub(super) fn link(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:@%+,=?&#".contains(&b);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (rest.bytes().all(plain) && host.contains('.') && !host.contains('@') && url.len() <= 500).then_some(url)
}

/// Returns the source expression of an inline script or style for a Content-Security-Policy.
pub(super) fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// Returns a value as JSON for a `script` element: without `<`, it contains neither `</script>` nor `<!--`.
///
/// # Errors
/// If the value cannot be serialized.
pub(super) fn json<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?;
    Ok(if text.contains('<') { text.replace('<', "\\u003c") } else { text })
}

#[cfg(test)]
mod tests {
    use askama::filters::Escaper as _;

    use super::{Inert, anchor, json, link, source_hash};

    #[test]
    fn markup_and_control_characters_are_escaped() {
        let mut out = String::new();
        Inert.write_escaped_str(&mut out, "a<b>&\"'\x1b[31m\u{202e}\0é").expect("a string takes everything");
        assert_eq!(out, "a&lt;b&gt;&amp;&quot;&#39;&lt;U+202E&gt;\u{2400}é");
    }

    #[test]
    fn anchors_encode_any_name() {
        assert_eq!(anchor("cell", "unl/worker[1]"), "cell=unl/worker[1]");
        assert_eq!(anchor("cell", "a b\"><%"), "cell=a%20b%22%3E%3C%25");
    }

    #[test]
    fn link_accepts_only_plain_https() {
        assert!(link("https://github.com/a/b.git").is_some());
        for url in [
            "http://example.org/",
            "javascript:alert(1)",
            "https://",
            "https://user@example.org/",
            "https://example.org/\"onclick=\"x",
            "https://example.org/a b",
            "HTTPS://example.org",
        ] {
            assert_eq!(link(url), None, "{url}");
        }
    }

    #[test]
    fn json_contains_no_tag() {
        let text = json(&"</script><!--").expect("JSON");
        assert_eq!(text, r#""\u003c/script>\u003c!--""#);
    }

    #[test]
    fn source_hash_matches_the_specification() {
        // content-security-policy.com, "CSP Hash Example".
        assert_eq!(source_hash("doSomething();"), "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='");
    }
}
