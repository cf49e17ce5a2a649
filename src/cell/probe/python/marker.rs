//! Environment markers (PEP 508) of installed requirements, evaluated for Linux.
//!
//! A marker that cannot be parsed applies: an extra requirement is visible in the snapshot, a missing one is not.

use std::str::FromStr as _;

use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

use crate::source::manifest;

/// The values of the marker variables for one Python, without any extra.
pub(super) struct Markers {
    /// `None` if the version is unknown or invalid; only the extras are then evaluated.
    environment: Option<MarkerEnvironment>,
}

impl Markers {
    /// Returns the values for a Python of this version: `3.11.2` or `3.11`.
    pub(super) fn new(version: &str) -> Self {
        Self { environment: Version::from_str(version).ok().and_then(|version| environment(&version)) }
    }

    /// Reports whether a marker applies.
    pub(super) fn apply(&self, marker: &str) -> bool {
        manifest::marker(marker.trim())
            .is_none_or(|tree| tree.evaluate_optional_environment(self.environment.as_ref(), &[]))
    }
}

/// Returns the marker environment of CPython on Linux.
fn environment(version: &Version) -> Option<MarkerEnvironment> {
    // A pre-release satisfies the same markers as its release: `python_version` of 3.13.0rc1 is 3.13.
    let full = version.only_release().to_string();
    let minor: Vec<&str> = full.splitn(3, '.').take(2).collect();
    let environment = MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: std::env::consts::ARCH,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &minor.join("."),
        sys_platform: "linux",
    };
    MarkerEnvironment::try_from(environment).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Markers;

    fn applies(marker: &str, version: &str) -> bool {
        Markers::new(version).apply(marker)
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(applies("python_version >= '3.9'", "3.11.2"));
        assert!(!applies("python_version < '3.9'", "3.11.2"));
        assert!(applies("'3.9' <= python_version", "3.11.2"));
        assert!(applies("python_full_version < '3.11.3' and python_version == '3.*'", "3.11.2"));
        assert!(!applies("python_version ~= '3.12'", "3.11.2"));
        assert!(applies("python_version >= '3.10'", "3.10.0"));
        assert!(!applies("python_version < \"3\"", "3.11.2"));
        assert!(applies("python_version >= '3.13'", "3.13.0rc1"));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(applies("os_name == 'posix' or os_name == 'nt' and extra == 'x'", "3.11.2"));
        assert!(!applies("(os_name == 'posix' or os_name == 'nt') and extra == 'x'", "3.11.2"));
        assert!(applies("sys_platform not in 'win32 cygwin'", "3.11.2"));
    }

    #[test]
    fn no_extra_is_active() {
        for marker in ["extra == 'x'", "extra == \"x.y_z\"", "'x' == extra", " extra=='x' "] {
            assert!(!applies(marker, "3.11.2"), "{marker}");
        }
    }

    #[test]
    fn invalid_markers_apply() {
        for marker in [
            "",
            "whatever == ",
            "future_marker > 'x'",
            "python_version < 3",
            "python_version < '3",
            "(python_version < '3'",
            "python_version =< '3'",
            "python_version < '3' python_version > '4'",
        ] {
            assert!(applies(marker, "3.11.2"), "{marker}");
        }
    }

    #[test]
    fn without_a_version_only_extras_are_evaluated() {
        for version in ["", "unknown"] {
            assert!(applies("python_version < '3'", version));
            assert!(!applies("python_version < '3' and extra == 'x'", version));
        }
    }

    proptest! {
        #[test]
        fn any_text_does_not_panic(marker in any::<String>(), version in any::<String>()) {
            applies(&marker, &version);
        }

        #[test]
        fn any_tokens_do_not_panic(marker in "[()'\" <>=!~a-z.0-9]{0,64}") {
            applies(&marker, "3.11.2");
        }
    }
}
