//! The order of Debian versions (`deb-version(7)`, Debian Policy §5.6.12).
//!
//! The existing crate depends on a regular expression engine, a date library and big integers.

use std::cmp::Ordering;

/// Compares two versions. Any text is valid, as in dpkg.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let ((epoch_a, upstream_a, revision_a), (epoch_b, upstream_b, revision_b)) = (split(a), split(b));
    number(epoch_a.as_bytes(), epoch_b.as_bytes())
        .then_with(|| part(upstream_a.as_bytes(), upstream_b.as_bytes()))
        .then_with(|| part(revision_a.as_bytes(), revision_b.as_bytes()))
}

/// Splits a version into epoch, upstream version and revision; missing parts are empty, which is equal to 0.
fn split(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Compares runs of non-digits and runs of digits alternately.
fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = a.split_at(a.iter().position(u8::is_ascii_digit).unwrap_or(a.len()));
        let (text_b, rest_b) = b.split_at(b.iter().position(u8::is_ascii_digit).unwrap_or(b.len()));
        let (number_a, rest_a) = digits(rest_a);
        let (number_b, rest_b) = digits(rest_b);
        let order = text(text_a, text_b).then_with(|| number(number_a, number_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Compares letters before other characters, and `~` before everything, including the end of the text.
fn text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |c: Option<&u8>| match c {
        Some(b'~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
        Some(c) => i32::from(*c) + 256,
    };
    let longest = a.len().max(b.len());
    (0..longest).map(|i| weight(a.get(i)).cmp(&weight(b.get(i)))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Compares numbers of any length; an empty number is 0.
fn number(a: &[u8], b: &[u8]) -> Ordering {
    let trim = |digits: &[u8]| digits.iter().copied().skip_while(|&digit| digit == b'0').collect::<Vec<u8>>();
    let (a, b) = (trim(a), trim(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering::{Equal, Greater, Less};

    #[test]
    fn order_matches_debian() {
        for (a, b, expected) in [
            ("1.0-1", "1.0-1", Equal),
            ("1.0", "1.0-0", Equal),
            ("0:1.0-1", "1.0-1", Equal),
            ("1:0.4", "10.3", Greater),
            ("1.2.4", "1.2.12", Less),
            ("1.0~rc1-1", "1.0-1", Less),
            ("1.0~~", "1.0~~a", Less),
            ("1.0~~a", "1.0~", Less),
            ("1.0", "1.0a", Less),
            ("1.0a", "1.0+dfsg", Less),
            ("2.36-9+deb12u4", "2.36-9+deb12u10", Less),
            ("1.0-1+b1", "1.0-1", Greater),
            ("1.0-1~bpo12+1", "1.0-1", Less),
            ("1.18.36", "1.19.5", Less),
            ("00001", "1", Equal),
            ("99999999999999999999999999999", "100000000000000000000000000000", Less),
        ] {
            assert_eq!(compare(a, b), expected, "{a} against {b}");
            assert_eq!(compare(b, a), expected.reverse(), "{b} against {a}");
        }
    }
}
