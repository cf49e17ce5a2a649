//! The names in requirement lines (PEP 508) and in the `requires.txt` of eggs.

use super::marker::Markers;
use crate::model::python::normalize;

/// Returns the normalized name of a required distribution. `None` if the requirement belongs to an extra or to another
/// Python or system.
///
/// Only the name and the marker are parsed: installed metadata may contain version specifiers that PEP 440 forbids.
pub(super) fn name(line: &str, markers: &Markers) -> Option<String> {
    let (requirement, marker) = split(line);
    if marker.is_some_and(|marker| !markers.apply(marker)) {
        return None;
    }
    let end =
        requirement.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(requirement.len());
    let name = &requirement[..end];
    (!name.is_empty()).then(|| normalize(name))
}

/// Returns the names in the `requires.txt` of an egg. A section in brackets is an extra, a marker or both
/// (`[extra:marker]`).
pub(super) fn egg(text: &str, markers: &Markers) -> Vec<String> {
    let mut applies = true;
    let mut out = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            applies = section.strip_prefix(':').is_some_and(|marker| markers.apply(marker));
        } else if applies {
            out.extend(name(line, markers));
        }
    }
    out
}

fn split(line: &str) -> (&str, Option<&str>) {
    // A URL may contain a semicolon, so its marker must follow a space.
    let separator = if line.contains(" @ ") { " ;" } else { ";" };
    line.split_once(separator).map_or((line.trim(), None), |(requirement, marker)| (requirement.trim(), Some(marker)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_of_extras_and_other_systems_are_left_out() {
        let markers = Markers::new("3.11.2");
        let of = |line| name(line, &markers);
        assert_eq!(of("NumPy (>=1.22)"), Some("numpy".to_owned()));
        assert_eq!(of("boost_histogram[x]~=1.4"), Some("boost-histogram".to_owned()));
        assert_eq!(of("pytest ; extra == 'test'"), None);
        assert_eq!(of("colorama; sys_platform == \"win32\""), None);
        assert_eq!(of("tomli>=1; python_version < \"3.11\""), None);
        assert_eq!(
            of("importlib_metadata; python_full_version >= \"3.9.0\" and (os_name == 'posix')"),
            Some("importlib-metadata".to_owned())
        );
        assert_eq!(of("a @ https://host/a;b.whl"), Some("a".to_owned()));
        assert_eq!(of(""), None);
    }

    #[test]
    fn legacy_specifiers_and_invalid_markers_keep_the_name() {
        let markers = Markers::new("3.11.2");
        for line in [
            "pytz (>dev)",
            "pytz >= 2004d",
            "pytz (>=2.*)",
            "pytz ==1.0.*.*",
            "pytz[",
            "pytz; python_version < 3",
            "pytz;",
            "pytz (>=1.0) ; (python_version >= '3.6",
        ] {
            assert_eq!(name(line, &markers).as_deref(), Some("pytz"), "{line}");
        }
    }

    #[test]
    fn sections_of_an_egg_are_extras_or_markers() {
        let text = "numpy>=1\n\n[:python_version < \"3\"]\nenum34\n[:python_version >= \"3\"]\nsix\n[test]\npytest\n[x:os_name == 'posix']\ny\n";
        assert_eq!(egg(text, &Markers::new("3.11.2")), ["numpy", "six"]);
    }
}
