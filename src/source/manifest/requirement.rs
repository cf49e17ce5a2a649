//! One requirement as pip writes it (PEP 508), and what versions of it are allowed.

use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::MarkerTree;

use crate::model::python::normalize;
use crate::model::text::{excerpt, first_line};
use crate::source::git::repository::without_credentials;

/// Longest marker that is parsed, in bytes.
const LONGEST_MARKER: usize = 8 << 10;
/// Most opening brackets of one.
const DEEPEST_MARKER: usize = 100;

/// The parts of a requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) constraint: String,
    pub(super) source: Option<String>,
    pub(super) marker: Option<String>,
}

/// The name as PEP 503 normalises it, without blanks around it.
pub fn normalized(name: &str) -> String {
    normalize(name.trim())
}

/// Reads `name[extra] >=1,<2 ; marker` and `name @ URL ; marker`.
pub(super) fn parts(text: &str) -> Result<Parts, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(format!("`{}` is no requirement", excerpt(text)));
    }
    let rest = without_extras(rest.trim_start()).ok_or_else(|| format!("the extras of `{name}` don't end"))?;
    let (constraint, marker, source) = if let Some(url) = rest.strip_prefix('@') {
        // The semicolon before a marker stands behind a blank: a URL can hold one (PEP 508, "Environment Markers").
        let (url, marker) = url.split_once(" ;").map_or((url, None), |(url, marker)| (url, Some(marker)));
        (String::new(), marker, Some(without_credentials(url.trim())))
    } else {
        let (constraint, marker) = rest.split_once(';').map_or((rest, None), |(left, right)| (left, Some(right)));
        let constraint = constraint.trim();
        let constraint = constraint.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(constraint);
        (constraint.trim().to_owned(), marker, None)
    };
    if let Err(error) = VersionSpecifiers::from_str(&constraint) {
        return Err(format!(
            "`{}` of {name} is no version constraint: {}",
            excerpt(&constraint),
            first_line(&error.to_string()).trim_end_matches(':')
        ));
    }
    let marker = marker.map(str::trim).filter(|marker| !marker.is_empty());
    if let Some(marker) = marker {
        self::marker(marker).ok_or_else(|| format!("the marker of {name} can't be read: `{}`", excerpt(marker)))?;
    }
    Ok(Parts { name: normalized(name), constraint, source, marker: marker.map(str::to_owned) })
}

/// A marker (PEP 508) as a tree. None for what is no marker, and for one that is longer or nests deeper than any that people
/// or tools write: the parser calls itself for each bracket.
pub fn marker(text: &str) -> Option<MarkerTree> {
    let is_sane = text.len() <= LONGEST_MARKER && text.bytes().filter(|byte| *byte == b'(').count() <= DEEPEST_MARKER;
    is_sane.then(|| MarkerTree::from_str(text).ok())?
}

fn without_extras(rest: &str) -> Option<&str> {
    match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map(|(_, rest)| rest.trim_start()),
        None => Some(rest),
    }
}

/// Whether a constraint (PEP 440) allows one version alone: `==1.2`, not `==1.*`.
pub(super) fn is_exact(constraint: &str) -> bool {
    let Ok(specifiers) = VersionSpecifiers::from_str(constraint) else { return false };
    specifiers.iter().any(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual))
}

/// Poetry's constraint as one of PEP 440: `^1.2` is `>=1.2,<2.0`, `~1.2` is `>=1.2,<1.3`, `1.2` is `==1.2`
/// (python-poetry.org, "Dependency specification"). One that has alternatives (`||`) stays as it is.
pub(super) fn of_poetry(constraint: &str) -> String {
    if constraint.contains('|') {
        return constraint.trim().to_owned();
    }
    let parts = constraint.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "*");
    parts.map(of_poetry_part).collect::<Vec<_>>().join(",")
}

fn of_poetry_part(part: &str) -> String {
    if let Some(version) = part.strip_prefix('^') {
        return span(version, |release| release.iter().position(|number| *number != 0).unwrap_or(release.len() - 1));
    }
    if let Some(version) = part.strip_prefix('~').filter(|rest| !rest.starts_with('=')) {
        return span(version, |release| usize::from(release.len() > 1));
    }
    match part.strip_prefix('=').filter(|rest| !rest.starts_with('=')) {
        Some(version) => format!("=={}", version.trim()),
        None if part.starts_with(|c: char| c.is_ascii_digit()) => format!("=={part}"),
        None => part.to_owned(),
    }
}

/// From a version to the next one of which the number at a place is one higher.
fn span(version: &str, place: impl Fn(&[u64]) -> usize) -> String {
    let version = version.trim();
    let Ok(parsed) = Version::from_str(version) else { return version.to_owned() };
    let release = parsed.release();
    let place = place(release).min(release.len() - 1);
    let upper: Vec<String> = release
        .iter()
        .enumerate()
        .take(place + 1)
        .map(|(at, number)| (if at == place { number.saturating_add(1) } else { *number }).to_string())
        .collect();
    format!(">={version},<{}", upper.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Parts, is_exact, marker, normalized, of_poetry, parts};

    #[test]
    fn requirements_come_apart() {
        let read = |text: &str| parts(text).map(|parts| (parts.name, parts.constraint, parts.marker)).expect("parts");
        assert_eq!(read("Uproot"), ("uproot".into(), String::new(), None));
        assert_eq!(read("ruamel.yaml[jinja2] >= 0.17, <1"), ("ruamel-yaml".into(), ">= 0.17, <1".into(), None));
        let (name, constraint, marker) = read("x(>=1.0);python_version<'3.9'");
        assert_eq!(
            (name.as_str(), constraint.as_str(), marker.as_deref()),
            ("x", ">=1.0", Some("python_version<'3.9'"))
        );
        let url = "a @ git+https://me:secret@host/x.git@main ; os_name=='posix'";
        let Parts { source, marker, .. } = parts(url).expect("parts");
        assert_eq!(source.as_deref(), Some("git+https://host/x.git@main"));
        assert!(marker.is_some());
        for wrong in ["", "-x", "a =1", "a[b", "a ; b", "a == "] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn markers_may_nest_but_not_for_ever() {
        let nested = |depth: usize| format!("{}os_name=='posix'{}", "(".repeat(depth), ")".repeat(depth));
        assert!(marker(&nested(20)).is_some());
        assert!(marker(&nested(100_000)).is_none() && parts(&format!("x ; {}", nested(100_000))).is_err());
        assert!(marker(&"(".repeat(3000)).is_none());
    }

    #[test]
    fn names_are_one_whatever_their_spelling() {
        assert_eq!(normalized("A.b_-C"), "a-b-c");
    }

    #[test]
    fn one_version_alone_is_exact() {
        for (constraint, exact) in [("==1", true), ("===1", true), ("==1.*", false), (">=1", false), ("", false)] {
            assert_eq!(is_exact(constraint), exact, "{constraint}");
        }
    }

    #[test]
    fn carets_and_tildes_of_poetry_are_ranges() {
        for (poetry, plain) in [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0", ">=0,<1"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1", ">=1,<2"),
            ("~=1.2", "~=1.2"),
            ("1.2", "==1.2"),
            ("*", ""),
            (">=3.8, <3.12", ">=3.8,<3.12"),
        ] {
            assert_eq!(of_poetry(poetry), plain, "{poetry}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), odd in "[a\\[\\]()@;=<>^~*,. 0-9|-]{0,40}") {
            let _ = (parts(&text), parts(&odd), of_poetry(&text), of_poetry(&odd), is_exact(&odd));
        }
    }
}
