//! Parses the files of the catalogue; unknown keys are errors.

use serde::Deserialize;

use super::door::{DoorFile, Doors};
use super::path::{PathTable, PathTableFile};
use super::{Catalogue, Facility};

/// A file of the catalogue is invalid.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be parsed.
    #[error("failed to parse `{file}` of the facility catalogue: {reason}")]
    Parse {
        /// Name of the file.
        file: String,
        /// Message of the parser.
        reason: String,
    },
    /// The content is inconsistent.
    #[error("invalid file `{file}` of the facility catalogue: {reason}")]
    Content {
        /// Name of the file.
        file: String,
        /// The problem.
        reason: String,
    },
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T, CatalogueError> {
    let invalid = |error: toml::de::Error| CatalogueError::Parse { file: file.to_owned(), reason: error.to_string() };
    toml::from_str(text).map_err(invalid)
}

/// Builds the catalogue of facilities (id and text), storage and doors.
pub(super) fn catalogue(files: &[(&str, &str)], storage: &str, doors: &str) -> Result<Catalogue, CatalogueError> {
    let mut facilities = Vec::with_capacity(files.len());
    for (id, text) in files {
        let facility: Facility = parse(id, text)?;
        if facility.id != *id {
            let reason = format!("`id` is `{}` but must be the file name", facility.id);
            return Err(CatalogueError::Content { file: (*id).to_owned(), reason });
        }
        facilities.push(facility);
    }
    facilities.sort_by(|a, b| a.id.cmp(&b.id));
    let paths: PathTableFile = parse("storage", storage)?;
    let doors: DoorFile = parse("door", doors)?;
    Ok(Catalogue { paths: PathTable::new(paths, &facilities), doors: Doors::new(doors), facilities })
}

/// Versions with two components, written as `"3.12"`.
pub(super) mod version {
    fn read<E: serde::de::Error>(text: &str) -> Result<(u8, u8), E> {
        let parts = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        parts.ok_or_else(|| E::custom(format!("invalid version `{text}`; expected two numbers, e.g. 3.12")))
    }

    /// An optional version.
    pub(crate) mod one {
        use serde::{Deserialize as _, Deserializer, Serializer};

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(u8, u8)>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| super::read(&text)).transpose()
        }

        #[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "signature required by serde")]
        pub(crate) fn serialize<S: Serializer>(version: &Option<(u8, u8)>, to: S) -> Result<S::Ok, S::Error> {
            match version {
                Some((major, minor)) => to.serialize_str(&format!("{major}.{minor}")),
                None => to.serialize_none(),
            }
        }
    }

    /// A list of versions.
    pub(crate) mod many {
        use serde::{Deserialize as _, Deserializer, Serializer};

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(u8, u8)>, D::Error> {
            let texts = Vec::<String>::deserialize(from)?;
            texts.iter().map(|text| super::read(text)).collect()
        }

        pub(crate) fn serialize<S: Serializer>(versions: &[(u8, u8)], to: S) -> Result<S::Ok, S::Error> {
            to.collect_seq(versions.iter().map(|(major, minor)| format!("{major}.{minor}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORAGE: &str = "[source]\nfrom = \"x\"\nread = \"2026-11-22\"\n";
    const FACILITY: &str = "id = \"a\"\nname = \"A\"\nsite = \"S\"\nexperiments = []\nconfirmed = true\n\
        entrypoint_runs = false\nshared_fs = true\n[source]\nfrom = \"x\"\nread = \"2026-11-22\"\n";

    #[test]
    fn unknown_key_is_rejected() {
        let text = format!("colour = \"red\"\n{FACILITY}");
        let error = catalogue(&[("a", &text)], STORAGE, STORAGE).expect_err("unknown key");
        assert!(error.to_string().contains("colour"), "{error}");
    }

    #[test]
    fn id_must_be_the_file_name() {
        let error = catalogue(&[("b", FACILITY)], STORAGE, STORAGE).expect_err("the names differ");
        assert!(error.to_string().contains("must be the file name"), "{error}");
    }

    #[test]
    fn invalid_version_is_rejected() {
        let text = format!("pythons = [\"three\"]\n{FACILITY}");
        assert!(catalogue(&[("a", &text)], STORAGE, STORAGE).is_err());
    }
}
