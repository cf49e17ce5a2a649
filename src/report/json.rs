//! The canonical document, written and read.

use std::io::Write;

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Failure, Kind};
use crate::model::canonical;
use crate::model::diff::Diff;
use crate::model::document::{Document, SCHEMA};
use crate::model::scan::Scan;

use super::{ReportError, parallel};

/// Why bytes are no document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// They are no JSON.
    #[error("not JSON: {what} at line {line}, column {column}")]
    NotJson {
        /// What is wrong.
        what: String,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// They are JSON of something else.
    #[error("not a carnet document: expected `\"schema\": \"{SCHEMA}\"`, found {0}")]
    NotADocument(String),
    /// A later version of the format.
    #[error("written by a newer carnet: its format is `{0}`, this carnet reads `{SCHEMA}`")]
    Newer(String),
    /// It says it is a document and doesn't keep to the format.
    #[error("the document doesn't keep to {SCHEMA}: {what} at line {line}, column {column}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
}

impl Failure for ReadError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Newer(_)).then(|| "update carnet, or make the document with this version".to_owned())
    }
}

/// Reads a document.
///
/// # Errors
/// When the bytes are no JSON, something else than a document, or of a newer format.
pub fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    // A good document is read once; what is wrong with another is looked for only then.
    if let Ok(document) = serde_json::from_slice::<Document>(bytes)
        && document.schema == SCHEMA
    {
        return Ok(document);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| {
        let (what, line, column) = place(&error);
        match error.classify() {
            serde_json::error::Category::Data => ReadError::NotADocument("no JSON object with it".to_owned()),
            _ => ReadError::NotJson { what, line, column },
        }
    })?;
    match &head.schema {
        Some(Value::String(schema)) if schema == SCHEMA => {}
        Some(Value::String(schema)) if is_newer(schema) => return Err(ReadError::Newer(shown(schema))),
        Some(Value::String(schema)) => return Err(ReadError::NotADocument(format!("`{}`", shown(schema)))),
        Some(_) => return Err(ReadError::NotADocument("a schema that is no text".to_owned())),
        None => return Err(ReadError::NotADocument("no schema".to_owned())),
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let (what, line, column) = place(&error);
        ReadError::Invalid { what, line, column }
    })
}

/// What is read first, so that a newer document is not called a broken one.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Option<Value>,
}

fn is_newer(schema: &str) -> bool {
    let version = |text: &str| {
        text.rsplit_once('@').and_then(|(name, version)| Some((name.to_owned(), version.parse::<u64>().ok()?)))
    };
    match (version(schema), version(SCHEMA)) {
        (Some((name, found)), Some((ours, known))) => name == ours && found > known,
        _ => false,
    }
}

fn shown(text: &str) -> String {
    crate::model::text::one_line(text, 80)
}

/// What is wrong, without the place that the message repeats.
fn place(error: &serde_json::Error) -> (String, usize, usize) {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    (crate::model::text::one_line(what, 200), error.line(), error.column())
}

/// Writes the canonical form, cell by cell: a large document is never held twice.
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

/// Serialises to the bytes of [`canonical::to_string`], holding one cell or environment at a time.
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

/// The same for an audit, finding by finding.
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

/// A value with its keys sorted.
struct Sorted<'a, T>(&'a T);

impl<T: Serialize> Serialize for Sorted<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::to_value(self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A list of many such values, all small.
struct Many<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for Many<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Sorted))
    }
}

/// A list of such values, each so large that a thread is worth it.
struct Each<'a, T>(&'a [T]);

impl<T: Serialize + Sync> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        let take = |sorted: serde_json::Result<Value>| list.serialize_element(&sorted.map_err(S::Error::custom)?);
        parallel::each(self.0, |item| serde_json::to_value(item), take)?;
        list.end()
    }
}

/// A map of such values.
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
