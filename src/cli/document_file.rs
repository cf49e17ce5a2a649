//! Reads saved documents and plans.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::model::document::Document;
use crate::model::limit;
use crate::model::matrix::{self, Matrix};
use crate::model::redact::Redact as _;
use crate::report;
use crate::sys::{self, secret};

/// A document that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `{}`", path.display())]
pub(super) struct DocumentError {
    path: PathBuf,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Failure for DocumentError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

impl DocumentError {
    pub(super) fn new(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { path: path.to_owned(), source: source.into() }
    }
}

/// Returns the path itself, or every `carnet.json` in a directory, sorted by path.
pub(super) fn find(path: &Path) -> Result<Vec<PathBuf>, DocumentError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in ignore::WalkBuilder::new(path).standard_filters(false).sort_by_file_path(Path::cmp).build() {
        let entry = entry.map_err(|error| DocumentError::new(path, error))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) && entry.file_name() == "carnet.json" {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

/// Reads a file whose path the user typed and that is not larger than a document may be.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, DocumentError> {
    // A larger file fails the check of the size.
    sys::file::read_given(path, limit::DOCUMENT.bytes).map_err(|error| DocumentError::new(path, error))
}

/// Reads a document.
pub(super) fn read(path: &Path) -> Result<Document, DocumentError> {
    DocumentReader::default().read(path)
}

/// Parses the document of a file and removes credentials, which older versions of carnet did not remove.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Document, DocumentError> {
    let mut document = report::json::read(bytes).map_err(|error| DocumentError::new(path, error))?;
    document.redact(secret::redactor());
    Ok(document)
}

/// Reads documents that are merged. Their total size is limited.
pub(super) struct DocumentReader {
    /// Number of bytes that may still be read.
    left: u64,
}

impl Default for DocumentReader {
    fn default() -> Self {
        Self { left: limit::MAX_MERGED_BYTES }
    }
}

impl DocumentReader {
    /// Reads the next document.
    pub(super) fn read(&mut self, path: &Path) -> Result<Document, DocumentError> {
        let bytes = read_bytes(path)?;
        let size = bytes.len() as u64;
        if size > self.left {
            let max = limit::MAX_MERGED_BYTES >> 20;
            return Err(DocumentError::new(path, format!("the documents are larger than {max} MiB in total")));
        }
        self.left -= size;
        parse(path, &bytes)
    }
}

/// The format of a file, which is read before the content.
#[derive(serde::Deserialize)]
struct Header {
    schema: String,
}

/// Reads a plan, as `carnet plan --format json` writes it.
pub(super) fn read_matrix(path: &Path) -> Result<Matrix, DocumentError> {
    let bytes = read_bytes(path)?;
    let header: Header = limit::read(&bytes, &limit::DOCUMENT).map_err(|error| DocumentError::new(path, error))?;
    if header.schema != matrix::SCHEMA {
        return Err(DocumentError::new(path, unexpected_schema(&header.schema, matrix::SCHEMA)));
    }
    serde_json::from_slice(&bytes).map_err(|error| DocumentError::new(path, error))
}

/// Describes a schema mismatch.
pub(super) fn unexpected_schema(actual: &str, expected: &str) -> String {
    format!("unexpected schema `{}`; expected `{expected}`", actual.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::DocumentReader;
    use crate::error::chain;

    #[test]
    fn total_size_of_merged_documents_is_limited() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "[]").expect("written");
        let mut reader = DocumentReader { left: 3 };
        let mut error = || chain(&reader.read(file.path()).expect_err("not a document"));
        assert!(error().contains("not a carnet document"));
        assert!(error().ends_with("the documents are larger than 1024 MiB in total"));
    }
}
