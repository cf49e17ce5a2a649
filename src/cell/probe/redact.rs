//! Removes credentials from the values of a snapshot.

/// Removes possible secrets from the URLs in a text: user and password, the query, and `/t/TOKEN/` of conda.
pub(super) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')).unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        // A second URL in one word (`a://x:b://y`) is handled in the next iteration.
        let (url, again) = url.find("://").map_or((url, ""), |next| url.split_at(scheme_start(url, next)));
        out.push_str(&clean(url));
        rest = &text[text.len() - again.len() - tail.len()..];
    }
    out.push_str(rest);
    out
}

/// Removes user, password, query and token from a URL without scheme.
fn clean(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let authority_end = url.find('/').unwrap_or(url.len());
    let (authority, path) = url.split_at(authority_end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let mut out = host.to_owned();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        // The token of a conda channel follows `/t/`.
        if part == "t" && parts.peek().is_some_and(|token| token.len() >= 8 && token.contains('-')) {
            parts.next();
            continue;
        }
        out.push('/');
        out.push_str(part);
    }
    out
}

fn scheme_start(text: &str, at: usize) -> usize {
    let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let other = text[..at].char_indices().rfind(|(_, c)| !scheme(*c));
    other.map_or(0, |(before, c)| before + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::redact;

    #[test]
    fn credentials_and_queries_are_removed() {
        assert_eq!(redact("https://user:pw@host/x?token=1#y"), "https://host/x");
        assert_eq!(redact("a=git+ssh://git@github.com/o/r.git b"), "a=git+ssh://github.com/o/r.git b");
        assert_eq!(redact("https://host/t/ab-12345678-90/conda-forge"), "https://host/conda-forge");
        assert_eq!(redact("/usr/bin:/bin"), "/usr/bin:/bin");
        assert_eq!(redact("https://u:p@h/a:https://v:q@i/b"), "https://h/a:https://i/b");
        // A second URL after a multi-byte character.
        assert_eq!(redact("https://u:p@h/t\u{fffd}://h/x"), "https://h/t\u{fffd}://h/x");
    }

    proptest! {
        #[test]
        fn password_is_always_removed(before in "[a-z:/ ]{0,12}", user in "[a-z]{1,8}", after in "[a-z:/ ]{0,12}") {
            let text = format!("{before}https://{user}:SECRET@host{after}");
            prop_assert!(!redact(&text).contains("SECRET"));
        }

        #[test]
        fn any_text_does_not_panic(text in any::<String>()) {
            redact(&text);
        }
    }
}
