//! A single requirement (PEP 508), and the versions that it allows.

use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use pep508_rs::MarkerTree;

use crate::model::python::normalize;
use crate::model::text::{excerpt, first_line};
use crate::source::git::repository::without_credentials;

/// Maximum length of a parsed marker in bytes.
const MAX_MARKER_LEN: usize = 8 << 10;
/// Maximum number of opening parentheses in a marker.
const MAX_MARKER_DEPTH: usize = 100;

/// The parts of a requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) constraint: String,
    pub(super) source: Option<String>,
    pub(super) marker: Option<String>,
}

/// An error from parsing a requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequirementError {
    /// The text does not start with a package name.
    #[error("invalid requirement `{0}`")]
    Name(String),
    /// The list of extras is not closed.
    #[error("unclosed extras of `{0}`")]
    Extras(String),
    /// The version constraint is invalid.
    #[error("invalid version constraint `{constraint}` of {name}: {reason}")]
    Constraint { name: String, constraint: String, reason: String },
    /// The marker is invalid.
    #[error("invalid marker `{marker}` of {name}")]
    Marker { name: String, marker: String },
}

/// Returns the name as PEP 503 normalizes it, without surrounding white space.
pub fn normalized(name: &str) -> String {
    normalize(name.trim())
}

/// Parses `name[extra] >=1,<2 ; marker` and `name @ URL ; marker`.
pub(super) fn parts(text: &str) -> Result<Parts, RequirementError> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(RequirementError::Name(excerpt(text)));
    }
    let rest = without_extras(rest.trim_start()).ok_or_else(|| RequirementError::Extras(name.to_owned()))?;
    let (constraint, marker, source) = if let Some(url) = rest.strip_prefix('@') {
        // The semicolon before a marker follows a space, because a URL may contain one (PEP 508, "Environment Markers").
        let (url, marker) = url.split_once(" ;").map_or((url, None), |(url, marker)| (url, Some(marker)));
        (String::new(), marker, Some(without_credentials(url.trim())))
    } else {
        let (constraint, marker) = rest.split_once(';').map_or((rest, None), |(left, right)| (left, Some(right)));
        let constraint = constraint.trim();
        let constraint = constraint.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(constraint);
        (constraint.trim().to_owned(), marker, None)
    };
    if let Err(error) = VersionSpecifiers::from_str(&constraint) {
        let (name, constraint) = (name.to_owned(), excerpt(&constraint));
        return Err(RequirementError::Constraint {
            name,
            constraint,
            reason: first_line(&error.to_string()).trim_end_matches(':').to_owned(),
        });
    }
    let marker = marker.map(str::trim).filter(|marker| !marker.is_empty());
    if let Some(marker) = marker.filter(|marker| self::marker(marker).is_none()) {
        return Err(RequirementError::Marker { name: name.to_owned(), marker: excerpt(marker) });
    }
    Ok(Parts { name: normalized(name), constraint, source, marker: marker.map(str::to_owned) })
}

/// Parses a PEP 508 marker.
///
/// `None` if the marker is invalid, or too long or too deeply nested for the recursive parser. Also if it is not ASCII, because
/// the parser panics after some of these errors.
pub fn marker(text: &str) -> Option<MarkerTree> {
    let is_sane = text.is_ascii()
        && text.len() <= MAX_MARKER_LEN
        && text.bytes().filter(|byte| *byte == b'(').count() <= MAX_MARKER_DEPTH;
    is_sane.then(|| MarkerTree::from_str(text).ok())?
}

fn without_extras(rest: &str) -> Option<&str> {
    match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map(|(_, rest)| rest.trim_start()),
        None => Some(rest),
    }
}

/// Reports whether a PEP 440 constraint allows only one version: `==1.2`, not `==1.*`.
pub(super) fn is_exact(constraint: &str) -> bool {
    let Ok(specifiers) = VersionSpecifiers::from_str(constraint) else { return false };
    specifiers.iter().any(|specifier| matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual))
}

/// Converts a Poetry constraint to PEP 440: `^1.2` is `>=1.2,<2.0`, `~1.2` is `>=1.2,<1.3`, `1.2` is `==1.2`
/// (python-poetry.org, "Dependency specification"). A constraint with alternatives (`||`) is returned unchanged.
pub(super) fn from_poetry(constraint: &str) -> String {
    if constraint.contains('|') {
        return constraint.trim().to_owned();
    }
    let parts = constraint.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "*");
    parts.map(from_poetry_part).collect::<Vec<_>>().join(",")
}

fn from_poetry_part(part: &str) -> String {
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

/// Returns the range from a version up to the next version that differs in the release number at `position`.
fn span(version: &str, position: impl Fn(&[u64]) -> usize) -> String {
    let version = version.trim();
    let Ok(parsed) = Version::from_str(version) else { return version.to_owned() };
    let release = parsed.release();
    let position = position(release).min(release.len() - 1);
    let upper: Vec<String> = release
        .iter()
        .enumerate()
        .take(position + 1)
        .map(|(index, number)| (if index == position { number.saturating_add(1) } else { *number }).to_string())
        .collect();
    format!(">={version},<{}", upper.join("."))
}

/// Returns the package name that a repository address, a URL or a path implies: its `#egg=`, or its last part.
pub(super) fn name_from_source(source: &str) -> String {
    if let Some((_, egg)) = source.split_once("egg=") {
        let end = egg.find(['&', '[', ' ']).unwrap_or(egg.len());
        return egg[..end].to_owned();
    }
    let bare = without_credentials(source);
    let bare = bare.trim_end_matches('/');
    let last = bare.rsplit('/').next().unwrap_or_default();
    let last = last.split('@').next().unwrap_or_default();
    let stem = [".git", ".zip", ".tar.gz", ".whl"].iter().find_map(|end| last.strip_suffix(end)).unwrap_or(last);
    if matches!(stem, "master" | "main") {
        // `https://host/owner/name/archive/master.zip`
        let mut parts = bare.rsplit('/').skip(1);
        let archive = parts.find(|part| !matches!(*part, "archive" | "heads" | "refs"));
        return archive.unwrap_or(stem).to_owned();
    }
    if last.ends_with(".whl") { stem.split('-').next().unwrap_or(stem).to_owned() } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Parts, from_poetry, is_exact, marker, normalized, parts};

    #[test]
    fn marker_with_text_after_it_is_invalid() {
        assert_eq!(marker("extra == \"x\"\n[\u{fffd}\u{fffd}\u{fffd}: a (>=0 b"), None);
    }

    #[test]
    fn requirement_is_split_into_parts() {
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
    fn deeply_nested_marker_is_rejected() {
        let nested = |depth: usize| format!("{}os_name=='posix'{}", "(".repeat(depth), ")".repeat(depth));
        assert!(marker(&nested(20)).is_some());
        assert!(marker(&nested(100_000)).is_none() && parts(&format!("x ; {}", nested(100_000))).is_err());
        assert!(marker(&"(".repeat(3000)).is_none());
    }

    #[test]
    fn names_are_normalized() {
        assert_eq!(normalized("A.b_-C"), "a-b-c");
    }

    #[test]
    fn only_equality_is_exact() {
        for (constraint, exact) in [("==1", true), ("===1", true), ("==1.*", false), (">=1", false), ("", false)] {
            assert_eq!(is_exact(constraint), exact, "{constraint}");
        }
    }

    #[test]
    fn carets_and_tildes_from_poetry_are_ranges() {
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
            assert_eq!(from_poetry(poetry), plain, "{poetry}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_rejected(text in any::<String>(), odd in "[a\\[\\]()@;=<>^~*,. 0-9|-]{0,40}") {
            let _ = (parts(&text), parts(&odd), from_poetry(&text), from_poetry(&odd), is_exact(&odd));
        }
    }
}
