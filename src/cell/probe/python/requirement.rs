//! Names in requirement lines (PEP 508) and in `requires.txt` of eggs.

use super::marker;
use crate::model::python::normalize;

/// The normalised name that a requirement asks for; none when it is for an extra, or for another Python or system.
pub(super) fn name(line: &str, version: &str) -> Option<String> {
    let (requirement, condition) = split(line);
    if condition.is_some_and(|condition| !marker::holds(condition, version)) {
        return None;
    }
    let end =
        requirement.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(requirement.len());
    let name = &requirement[..end];
    (!name.is_empty()).then(|| normalize(name))
}

/// The names in an egg's `requires.txt`: sections in brackets are extras, conditions or both (`[extra:condition]`).
pub(super) fn egg(text: &str, version: &str) -> Vec<String> {
    let mut wanted = true;
    let mut out = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            wanted = section.strip_prefix(':').is_some_and(|condition| marker::holds(condition, version));
        } else if wanted {
            out.extend(name(line, version));
        }
    }
    out
}

fn split(line: &str) -> (&str, Option<&str>) {
    // A URL may hold a semicolon; its marker then follows a space.
    let separator = if line.contains(" @ ") { " ;" } else { ";" };
    line.split_once(separator).map_or((line.trim(), None), |(requirement, marker)| (requirement.trim(), Some(marker)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_and_other_systems_ask_for_nothing_here() {
        let of = |line| name(line, "3.11.2");
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
    fn sections_of_an_egg_are_extras_or_conditions() {
        let text = "numpy>=1\n\n[:python_version < \"3\"]\nenum34\n[:python_version >= \"3\"]\nsix\n[test]\npytest\n[x:os_name == 'posix']\ny\n";
        assert_eq!(egg(text, "3.11.2"), ["numpy", "six"]);
    }
}
