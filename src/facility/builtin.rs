//! The files that are compiled into the program.

/// Facilities as id and text, sorted by id: every file in `data/`, listed by `build.rs`.
pub(super) const FACILITIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/facilities.rs"));

/// Storage paths that no single facility defines.
pub(super) const STORAGE: &str = include_str!("table/storage.toml");

/// Data servers and the sites they belong to.
pub(super) const DOORS: &str = include_str!("table/door.toml");
