//! Reads the files of the catalogue, strictly: an unknown key is an error.

use serde::Deserialize;

use super::door::{DoorFile, Doors};
use super::path::{PathTable, PathTableFile};
use super::{Catalogue, Facility};

/// A file of the catalogue can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is no TOML of the right shape.
    #[error("{file} of the catalogue: {reason}")]
    Parse {
        /// Which file.
        file: String,
        /// What the parser says.
        reason: String,
    },
    /// Something in it contradicts itself.
    #[error("{file} of the catalogue: {reason}")]
    Content {
        /// Which file.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T, CatalogueError> {
    let wrong = |error: toml::de::Error| CatalogueError::Parse { file: file.to_owned(), reason: error.to_string() };
    toml::from_str(text).map_err(wrong)
}

/// Builds the catalogue of facilities (id and text), storage and doors.
pub(super) fn catalogue(files: &[(&str, &str)], storage: &str, doors: &str) -> Result<Catalogue, CatalogueError> {
    let mut facilities = Vec::with_capacity(files.len());
    for (id, text) in files {
        let facility: Facility = parse(id, text)?;
        if facility.id != *id {
            let reason = format!("the id in it is {}", facility.id);
            return Err(CatalogueError::Content { file: (*id).to_owned(), reason });
        }
        facilities.push(facility);
    }
    facilities.sort_by(|a, b| a.id.cmp(&b.id));
    let places: PathTableFile = parse("storage", storage)?;
    let doors: DoorFile = parse("door", doors)?;
    Ok(Catalogue { places: PathTable::new(places, &facilities), doors: Doors::new(doors), facilities })
}

/// Versions of two numbers, written as `"3.12"`.
pub(super) mod version {
    fn read<E: serde::de::Error>(text: &str) -> Result<(u8, u8), E> {
        let parts = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        parts.ok_or_else(|| E::custom(format!("{text} is no version of two numbers")))
    }

    /// An optional one.
    pub(crate) mod one {
        use serde::{Deserialize as _, Deserializer, Serializer};

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(u8, u8)>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| super::read(&text)).transpose()
        }

        #[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "the signature that serde calls")]
        pub(crate) fn serialize<S: Serializer>(version: &Option<(u8, u8)>, to: S) -> Result<S::Ok, S::Error> {
            match version {
                Some((major, minor)) => to.serialize_str(&format!("{major}.{minor}")),
                None => to.serialize_none(),
            }
        }
    }

    /// A list of them.
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
    fn an_unknown_key_is_refused() {
        let text = format!("colour = \"red\"\n{FACILITY}");
        let error = catalogue(&[("a", &text)], STORAGE, STORAGE).expect_err("it is unknown");
        assert!(error.to_string().contains("colour"), "{error}");
    }

    #[test]
    fn an_id_that_is_not_the_name_of_the_file_is_refused() {
        let error = catalogue(&[("b", FACILITY)], STORAGE, STORAGE).expect_err("the names differ");
        assert!(error.to_string().contains("the id in it is a"), "{error}");
    }

    #[test]
    fn a_version_that_is_none_is_refused() {
        let text = format!("pythons = [\"three\"]\n{FACILITY}");
        assert!(catalogue(&[("a", &text)], STORAGE, STORAGE).is_err());
    }
}
