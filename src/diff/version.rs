//! The order of versions in different formats.

use std::cmp::Ordering;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::dpkg;

/// The format of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Python: PEP 440.
    Pep440,
    /// Debian: `deb-version(7)`.
    Dpkg,
    /// rpm: `[epoch:]version[-release]`.
    Rpm,
    /// Numbers separated by dots or slashes, optionally after words: `6.30/04`, `glibc 2.36`.
    Dotted,
    /// Not a version but a list with elements separated by NUL, which may be reordered.
    List,
    /// Without an order, or with an unsupported one (apk, conda).
    None,
}

impl Grammar {
    /// Compares two versions. `None` if one of them does not have this format.
    pub(super) fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            Self::Pep440 => Some(Version::from_str(a).ok()?.cmp(&Version::from_str(b).ok()?)),
            Self::Dpkg => Some(dpkg::compare(a, b)),
            Self::Rpm => Some(rpm_version::rpm_evr_compare(a, b)),
            Self::Dotted => {
                let (word_a, number_a) = dotted(a)?;
                let (word_b, number_b) = dotted(b)?;
                (word_a == word_b).then(|| padded_cmp(&number_a, &number_b))
            }
            Self::List | Self::None => None,
        }
    }

    /// Reports whether two different texts are lists of the same elements.
    pub(super) fn is_reordered(self, a: &str, b: &str) -> bool {
        let elements = |list: &str| {
            let mut sorted: Vec<String> = list.split('\0').map(str::to_owned).collect();
            sorted.sort();
            sorted
        };
        self == Self::List && elements(a) == elements(b)
    }
}

/// Returns the first component in which two versions differ: 0 for the major component, at most 3. Symmetric.
pub(super) fn distance(a: &str, b: &str) -> u8 {
    let numbers = |text: &str| -> Vec<String> {
        let text = text.rsplit_once(':').map_or(text, |(_, rest)| rest);
        text.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty())
            .take(4)
            .map(str::to_owned)
            .collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    let longest = a.len().max(b.len());
    (0..longest.min(3)).find(|&i| a.get(i) != b.get(i)).map_or(3, |i| u8::try_from(i).unwrap_or(3))
}

/// Splits a text into words and the numbers after them.
fn dotted(text: &str) -> Option<(&str, Vec<u64>)> {
    let (words, version) = text.rsplit_once(' ').unwrap_or(("", text));
    let numbers = version.split(['.', '/']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    Some((words, numbers))
}

/// Compares lexicographically; missing components are 0.
fn padded_cmp(a: &[u64], b: &[u64]) -> Ordering {
    let longest = a.len().max(b.len());
    let at = |list: &[u64], i: usize| list.get(i).copied().unwrap_or(0);
    (0..longest).map(|i| at(a, i).cmp(&at(b, i))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::{Grammar, distance};
    use std::cmp::Ordering::{Equal, Greater, Less};

    #[test]
    fn python_versions_follow_pep_440() {
        let order = |a, b| Grammar::Pep440.compare(a, b);
        assert_eq!(order("2.0.0rc1", "2.0"), Some(Less));
        assert_eq!(order("1.26", "1.26.0"), Some(Equal));
        assert_eq!(order("2.1+cu118", "2.1"), Some(Greater));
        assert_eq!(order("1!1.0", "2024.1"), Some(Greater));
        assert_eq!(order("not a version", "1"), None);
    }

    #[test]
    fn dotted_numbers_are_compared_only_after_equal_words() {
        let order = |a, b| Grammar::Dotted.compare(a, b);
        assert_eq!(order("6.30/04", "6.30.2"), Some(Greater));
        assert_eq!(order("glibc 2.9", "glibc 2.36"), Some(Less));
        assert_eq!(order("glibc 2.36", "musl 1.2"), None);
        assert_eq!(order("3.11", "3.11.0"), Some(Equal));
        assert_eq!(order("12.2.0-14", "12.2.0"), None);
    }

    #[test]
    fn rpm_versions_follow_rpm() {
        // From the rpm documentation and `rpmvercmp.at`.
        let order = |a, b| Grammar::Rpm.compare(a, b);
        for (a, b, expected) in [
            ("1.0", "1.0", Equal),
            ("1.0", "2.0", Less),
            ("2.0.1a", "2.0.1", Greater),
            ("5.5p1", "5.5p10", Less),
            ("10xyz", "10.1xyz", Less),
            ("xyz10", "xyz10.1", Less),
            ("xyz.4", "8", Less),
            ("6.0.rc1", "6.0", Greater),
            ("10.0001", "10.1", Equal),
            ("1.0~rc1", "1.0", Less),
            ("1.0~rc1~git123", "1.0~rc1", Less),
            ("1.0^", "1.0", Greater),
            ("1.0^git1", "1.01", Less),
            ("1.0^git1~pre", "1.0^git1", Less),
            ("1:1.0-1", "2.0-9", Greater),
        ] {
            assert_eq!(order(a, b), Some(expected), "{a} against {b}");
            assert_eq!(order(b, a), Some(expected.reverse()), "{b} against {a}");
        }
    }

    #[test]
    fn major_version_differs_more_than_patch() {
        assert_eq!(distance("1.26.4", "2.1.0"), 0);
        assert_eq!(distance("2.0.1", "2.1.0"), 1);
        assert_eq!(distance("2:2.0.1-3", "2.0.2-1"), 2);
        assert_eq!(distance("2.0.1-3", "2.0.1-4"), 3);
    }
}
