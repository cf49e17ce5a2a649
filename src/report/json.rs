//! Reads and writes the canonical document.

use std::io::Write;

use serde::de::IgnoredAny;
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Failure, Kind};
use crate::model::canonical;
use crate::model::diff::Diff;
use crate::model::document::{Document, SCHEMA};
use crate::model::limit::{self, LimitError};
use crate::model::scan::Scan;
use crate::model::text::one_line;

use super::{ReportError, parallel};

/// Why a document could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// The document exceeds a limit.
    #[error("the document exceeds a limit: {0}")]
    Limit(#[from] LimitError),
    /// The bytes are not JSON.
    #[error("not JSON: {what} at line {line}, column {column}")]
    NotJson {
        /// The error.
        what: String,
        /// Line, starting at 1.
        line: usize,
        /// Column, starting at 1.
        column: usize,
    },
    /// The JSON is not a document.
    #[error("not a carnet document; expected `\"schema\": \"{SCHEMA}\"`, found {0}")]
    NotADocument(String),
    /// The document has a later version of the format.
    #[error("unsupported document format `{0}`; this version of carnet reads `{SCHEMA}`")]
    Newer(String),
    /// The document violates its format.
    #[error("invalid {SCHEMA} document: {what} at line {line}, column {column}")]
    Invalid {
        /// The error.
        what: String,
        /// Line, starting at 1.
        line: usize,
        /// Column, starting at 1.
        column: usize,
    },
}

impl Failure for ReadError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Newer(_)).then(|| "update carnet, or create the document with this version".to_owned())
    }
}

/// Reads a document.
///
/// # Errors
/// If the bytes are not JSON, not a document, a document of a newer format, or exceed a limit.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    limit::DOCUMENT.check(bytes)?;
    // Parse a valid document only once. Find the cause of an error only if there is one.
    if let Ok(document) = serde_json::from_slice::<Document>(bytes)
        && document.schema == SCHEMA
    {
        document.check_limits()?;
        return Ok(document);
    }
    let head: Head<IgnoredAny> = serde_json::from_slice(bytes).map_err(|error| {
        let (what, line, column) = split(&error);
        match error.classify() {
            serde_json::error::Category::Data => {
                ReadError::NotADocument("a value that is not an object with a schema".to_owned())
            }
            _ => ReadError::NotJson { what, line, column },
        }
    })?;
    if head.schema.is_none() {
        return Err(ReadError::NotADocument("no schema".to_owned()));
    }
    match serde_json::from_slice::<Head<String>>(bytes).map(|head| head.schema.unwrap_or_default()) {
        Ok(schema) if schema == SCHEMA => {}
        Ok(schema) if is_newer(&schema) => return Err(ReadError::Newer(one_line(&schema, 80))),
        Ok(schema) => return Err(ReadError::NotADocument(format!("`{}`", one_line(&schema, 80)))),
        Err(_) => return Err(ReadError::NotADocument("a schema that is not a string".to_owned())),
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let (what, line, column) = split(&error);
        ReadError::Invalid { what, line, column }
    })
}

/// The schema of a document, which is read first to detect newer versions.
#[derive(Deserialize)]
struct Head<T> {
    schema: Option<T>,
}

fn is_newer(schema: &str) -> bool {
    let version = |text: &str| {
        text.rsplit_once('@').and_then(|(name, version)| Some((name.to_owned(), version.parse::<u64>().ok()?)))
    };
    match (version(schema), version(SCHEMA)) {
        (Some((name, version)), Some((own, supported))) => name == own && version > supported,
        _ => false,
    }
}

/// Returns the error without its position, and the position.
fn split(error: &serde_json::Error) -> (String, usize, usize) {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    (one_line(what, 200), error.line(), error.column())
}

/// Writes the canonical form cell by cell, so that a large document is not in memory twice.
pub(super) fn write(document: &Document, out: &mut dyn Write) -> Result<(), ReportError> {
    serde_json::to_writer_pretty(&mut *out, &Canonical(document)).map_err(|error| {
        if error.is_io() { ReportError::Write(error.into()) } else { ReportError::Form(error.to_string()) }
    })?;
    Ok(out.write_all(b"\n")?)
}

/// Serialises a scan in the canonical form, finding by finding.
pub(super) fn scan(scan: &Scan) -> Result<String, ReportError> {
    serde_json::to_string_pretty(&CanonicalScan(scan))
        .map(|text| text + "\n")
        .map_err(|error| ReportError::Form(error.to_string()))
}

/// Serialises a comparison of environments.
pub(super) fn difference(diff: &Diff) -> Result<String, ReportError> {
    canonical::to_string(diff).map_err(|error| ReportError::Form(error.to_string()))
}

/// Serialises to the bytes of [`canonical::to_string`], with one cell or environment in memory at a time.
struct Canonical<'a>(&'a Document);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document { schema, version, analysis, reference, cells, environments, diffs, scan, interrupted, timing } =
            self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("analysis", &Sorted(analysis))?;
        map.serialize_entry("cells", &Each(cells))?;
        map.serialize_entry("diffs", &Each(diffs))?;
        map.serialize_key("environments")?;
        map.serialize_value(&Values(environments))?;
        if *interrupted {
            map.serialize_entry("interrupted", interrupted)?;
        }
        if let Some(reference) = reference {
            map.serialize_entry("reference", reference)?;
        }
        if let Some(scan) = scan {
            map.serialize_entry("scan", &CanonicalScan(scan))?;
        }
        map.serialize_entry("schema", schema)?;
        map.serialize_entry("timing", &Sorted(timing))?;
        map.serialize_entry("version", version)?;
        map.end()
    }
}

/// Serialises a scan in the same way, finding by finding.
struct CanonicalScan<'a>(&'a Scan);

impl Serialize for CanonicalScan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Scan { schema, version, analysis, facilities, rules, findings, notes, inventory, files, timing } = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("analysis", &Sorted(analysis))?;
        map.serialize_entry("facilities", facilities)?;
        map.serialize_entry("files", &Sorted(files))?;
        map.serialize_entry("findings", &Many(findings))?;
        map.serialize_entry("inventory", &Sorted(inventory))?;
        if !notes.is_empty() {
            map.serialize_entry("notes", &Many(notes))?;
        }
        map.serialize_entry("rules", &Many(rules))?;
        map.serialize_entry("schema", schema)?;
        map.serialize_entry("timing", &Sorted(timing))?;
        map.serialize_entry("version", version)?;
        map.end()
    }
}

/// A value with sorted keys.
struct Sorted<'a, T>(&'a T);

impl<T: Serialize> Serialize for Sorted<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_value(self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A list of many small values with sorted keys.
struct Many<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for Many<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Sorted))
    }
}

/// A list of large values with sorted keys, which several threads create.
struct Each<'a, T>(&'a [T]);

impl<T: Serialize + Sync> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        let take = |sorted: serde_json::Result<Value>| list.serialize_element(&sorted.map_err(S::Error::custom)?);
        parallel::each(self.0, |item| serde_json::to_value(item), take)?;
        list.end()
    }
}

/// A map of values with sorted keys.
struct Values<'a, K, V>(&'a std::collections::BTreeMap<K, V>);

impl<K: Serialize, V: Serialize> Serialize for Values<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, &Sorted(value))?;
        }
        map.end()
    }
}
