//! Finds absolute paths and URLs in bytes, at several gigabytes per second.
//!
//! One pass over the `/` characters: the bytes around each decide in a few instructions whether it starts a URL or a path
//! whose first component is a known root. No regular expressions are used.

use std::collections::HashSet;
use std::ops::Range;

use memchr::memchr2_iter;

/// Maximum length in bytes of a path or URL. Longer ones are truncated.
const MAX_LEN: usize = 4096;
/// Maximum length in bytes of the scheme of a URL.
const MAX_SCHEME_LEN: usize = 16;

/// A path or a URL in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Range in the text.
    pub range: Range<usize>,
    /// Form of the match.
    pub form: Form,
}

/// The form of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// An absolute path, including placeholders (`{user}`, `$USER`, `%s`): `/eos/user/j/jane`.
    Path,
    /// A URL with scheme, host and path.
    Url,
    /// A path in a home directory: `~/x`, `~jane/x`.
    Home,
}

/// Finds URLs and paths below known roots.
#[derive(Debug)]
pub struct Matcher {
    roots: HashSet<Vec<u8>>,
    /// Prefixes of roots: `scratch` for `scratch365`.
    stems: Vec<Vec<u8>>,
    /// Whether any root starts with these two bytes. Rejects nearly all other paths.
    begins: Vec<bool>,
}

impl Matcher {
    /// Creates a matcher for paths with these first components. A root that ends with `*` is a prefix.
    pub fn new<'a>(roots: impl IntoIterator<Item = &'a str>) -> Self {
        let mut matcher = Self { roots: HashSet::new(), stems: Vec::new(), begins: vec![false; 1 << 16] };
        for root in roots {
            let stem = root.strip_suffix('*');
            let bytes = stem.unwrap_or(root).as_bytes();
            let Some(first) = bytes.first() else { continue };
            match bytes.get(1) {
                Some(second) => matcher.begins[pair(*first, *second)] = true,
                // Any byte may follow a root of one letter.
                None => (0..=255).for_each(|second| matcher.begins[pair(*first, second)] = true),
            }
            if stem.is_some() {
                matcher.stems.push(bytes.to_vec());
            } else {
                matcher.roots.insert(bytes.to_vec());
            }
        }
        matcher
    }

    /// Calls `found` for every path and URL, in order and without overlap.
    pub fn each(&self, text: &[u8], mut found: impl FnMut(Match)) {
        let mut done = 0;
        for at in memchr2_iter(b'/', b'~', text) {
            if at < done {
                continue;
            }
            let Some(found_match) = self.match_at(text, at, done) else { continue };
            done = found_match.range.end;
            found(found_match);
        }
    }

    /// Returns every path and URL in order.
    pub fn all(&self, text: &[u8]) -> Vec<Match> {
        let mut matches = Vec::new();
        self.each(text, |found| matches.push(found));
        matches
    }

    /// Returns the match around the `/` or `~` at `at` that starts at `from` or later.
    fn match_at(&self, text: &[u8], at: usize, from: usize) -> Option<Match> {
        let before = at.checked_sub(1).filter(|before| *before >= from).map(|before| text[before]);
        if text[at] == b'~' {
            let free = before.is_none_or(|byte| !is_part(byte) && !matches!(byte, b'/' | b'~' | b')' | b']' | b'}'));
            let name = text[at + 1..].iter().take(64).take_while(|byte| is_name(**byte)).count();
            let is_home = free && text.get(at + 1 + name) == Some(&b'/') && text.get(at + 1) != Some(&b'.');
            return is_home.then(|| Match { range: at..end(text, at, false), form: Form::Home });
        }
        if before == Some(b':') && text.get(at + 1) == Some(&b'/') {
            let start = scheme(text, at - 1, from)?;
            // `file:///eos/x` is the local path `/eos/x`.
            let is_file = text[start..at].eq_ignore_ascii_case(b"file:") && text.get(at + 2) == Some(&b'/');
            if let Some(path) = is_file.then(|| self.path(text, at + 2)).flatten() {
                return Some(path);
            }
            return Some(Match { range: start..end(text, start, true), form: Form::Url });
        }
        let (first, second) = (*text.get(at + 1)?, text.get(at + 2).copied().unwrap_or_default());
        if !self.begins[pair(first, second)]
            || before.is_some_and(continues) && !is_behind_option(&text[from..at]) && !is_doubled(&text[from..at])
        {
            return None;
        }
        self.path(text, at)
    }

    /// Returns the path that starts with the `/` at `at` if its first component is a root.
    fn path(&self, text: &[u8], at: usize) -> Option<Match> {
        let rest = &text[at + 1..];
        let root = &rest[..rest.iter().take(64).take_while(|byte| is_name(**byte)).count()];
        let is_root = self.roots.contains(root) || self.stems.iter().any(|stem| root.starts_with(stem));
        is_root.then(|| Match { range: at..end(text, at, false), form: Form::Path })
    }
}

fn pair(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// Reports whether a byte can be part of a name in a path.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Reports whether a byte can be the end of a word that a `/` continues.
fn is_part(byte: u8) -> bool {
    is_name(byte) || byte >= 0x80
}

/// Reports whether a `/` after this byte continues a path: `a/b`, `$X/b`, `{x}/b`, `//`, `*/`.
fn continues(byte: u8) -> bool {
    is_part(byte) || matches!(byte, b'/' | b'}' | b')' | b']' | b'*' | b'~' | b'%' | b'?' | b'\\' | b'$')
}

/// Reports whether a text ends with `${X:-` or an option such as `-I` or `-L`, which a path can follow directly.
fn is_behind_option(text: &[u8]) -> bool {
    match text {
        [.., b':' | b'=', b'-'] | [b'-', b'A'..=b'Z'] => true,
        [.., before, b'-', b'A'..=b'Z'] => before.is_ascii_whitespace() || matches!(before, b'"' | b'\''),
        _ => false,
    }
}

/// Reports whether a text ends with the first of two slashes that start a path for an XRootD door: `="//eos/…"`. Elsewhere,
/// two slashes start a comment.
fn is_doubled(text: &[u8]) -> bool {
    matches!(text, [.., b'=' | b'"' | b'\'', b'/'])
}

/// Returns the start of the scheme before the `:` at `colon`.
fn scheme(text: &[u8], colon: usize, from: usize) -> Option<usize> {
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = text[from..colon].iter().rev().take(MAX_SCHEME_LEN + 1).take_while(|byte| is_scheme(byte)).count();
    let start = colon - length;
    (2..=MAX_SCHEME_LEN).contains(&length).then_some(start).filter(|start| text[*start].is_ascii_alphabetic())
}

/// Returns the end of the path or URL at `start`: before whitespace, a quote, or an unmatched closing bracket.
fn end(text: &[u8], start: usize, is_url: bool) -> usize {
    let mut depth = 0_usize;
    let mut end = start;
    for (n, byte) in text[start..].iter().take(MAX_LEN).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            _ if depth > 0 && !matches!(byte, b'\n' | b'"' | b'\'') => {}
            b',' | b';' | b'|' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'`' | b'"' | b'\'' | b'\\' | b'^' => break,
            b':' if !is_url => break,
            byte if byte.is_ascii_whitespace() || byte.is_ascii_control() => break,
            _ => {}
        }
        end = start + n + 1;
    }
    // Punctuation at the end belongs to the sentence.
    while end > start + 1 && matches!(text[end - 1], b'.' | b':' | b'!' | b'?' | b'&' | b'#') {
        end -= 1;
    }
    // The end is on a character boundary.
    while end < text.len() && text[end] & 0xC0 == 0x80 {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Form, Matcher};

    fn found(text: &str) -> Vec<(Form, String)> {
        let matcher = Matcher::new(["eos", "home", "data", "scratch*", "store", "tmp", "afs"]);
        let texts = matcher.all(text.as_bytes()).into_iter();
        texts.map(|found| (found.form, text[found.range].to_owned())).collect()
    }

    fn paths(text: &str) -> Vec<String> {
        found(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn path_starts_after_a_delimiter() {
        assert_eq!(paths("open('/eos/user/j/jane/x.root')"), ["/eos/user/j/jane/x.root"]);
        assert_eq!(paths("a=/home/jane, b:/data/x;c"), ["/home/jane", "/data/x"]);
        assert_eq!(paths("/eos/a:/home/b"), ["/eos/a", "/home/b"]);
        assert_eq!(paths("/scratch365/jane /scratch"), ["/scratch365/jane", "/scratch"]);
        assert_eq!(paths("gcc -I/afs/x -L/eos/y a-L/eos/z"), ["/afs/x", "/eos/y"]);
        assert!(paths("x/eos/a $X/eos/a {x}/eos/a //data15 */home ../home/x").is_empty());
        assert_eq!(paths("X=//eos/user/x '//store/user/y' //data15 x//eos/z"), ["/eos/user/x", "/store/user/y"]);
        assert!(paths("/usr/bin/env /database/x").is_empty());
    }

    #[test]
    fn path_includes_placeholders() {
        assert_eq!(paths("f'/home/{os.environ[\"USER\"]}/x'"), ["/home/{os.environ["]);
        assert_eq!(paths("/home/$USER/x /data/%s/y ${A:-/eos/user}"), ["/home/$USER/x", "/data/%s/y", "/eos/user"]);
        assert_eq!(paths("/store/{a,b}/c."), ["/store/{a,b}/c"]);
    }

    #[test]
    fn url_is_one_match() {
        let url = "root://cmseos.fnal.gov:1094//store/user/jane/x.root";
        assert_eq!(found(&format!("\"{url}\",")), [(Form::Url, url.to_owned())]);
        assert_eq!(paths("see https://example.org/eos/x."), ["https://example.org/eos/x"]);
        assert_eq!(paths("file:///eos/x file:///etc/x file://eos/x"), ["/eos/x", "file:///etc/x", "file://eos/x"]);
        assert_eq!(paths("x://"), Vec::<String>::new());
    }

    #[test]
    fn home_directories_are_found() {
        assert_eq!(
            found("~/public_html/x ~jane/y"),
            [(Form::Home, "~/public_html/x".to_owned()), (Form::Home, "~jane/y".to_owned())]
        );
        assert!(found("a~/b C::~C() ~x https://x.org/~jane/y").iter().all(|(form, _)| *form != Form::Home));
    }

    proptest! {
        #[test]
        fn matches_of_any_bytes_are_in_order(bytes in any::<Vec<u8>>(), text in "[/~a-z:.{} \"é]{0,60}") {
            let matcher = Matcher::new(["a", "ab*", "eos"]);
            for text in [bytes.as_slice(), text.as_bytes()] {
                let mut last = 0;
                for found in matcher.all(text) {
                    assert!(found.range.start >= last && found.range.end > found.range.start && found.range.end <= text.len());
                    last = found.range.end;
                }
            }
        }

        #[test]
        fn matches_end_on_character_boundaries(text in "[/~a-z:.{}é\u{1F600} ]{0,60}") {
            for found in Matcher::new(["a", "é"]).all(text.as_bytes()) {
                assert!(text.is_char_boundary(found.range.start) && text.is_char_boundary(found.range.end), "{found:?}");
            }
        }
    }
}
