//! Merges the documents of several jobs.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::document_file::{DocumentReader, find};
use super::super::error::CommandError;
use super::super::runtime::runtime;
use crate::check;
use crate::check::Options;
use crate::diff::document::{agree, complete, fits, merge};
use crate::error::chain;
use crate::model::document::Document;
use crate::model::matrix::Matrix;

/// The document of all cells of a plan.
pub(super) struct MergedDocument {
    /// The document, with a scan of the analysis in the working tree.
    pub(super) document: Document,
    /// Names of the cells with a result.
    pub(super) reported_cells: BTreeSet<String>,
    /// The skipped documents, each with the reason.
    pub(super) skipped: Vec<String>,
}

/// Merges the documents in a directory, which may not exist. Skips documents that can't be read or that describe another
/// analysis. Cells without a document are reported as errors.
pub(super) fn merge_documents(dir: &Path, matrix: &Matrix, options: &Options) -> Result<MergedDocument, CommandError> {
    let (mut documents, mut skipped) = (Vec::<Document>::new(), Vec::new());
    let mut reader = DocumentReader::default();
    let paths = if dir.is_dir() { find(dir)? } else { Vec::new() };
    for path in paths {
        let document = match reader.read(&path) {
            Ok(document) => document,
            Err(error) => {
                skipped.push(chain(&error));
                continue;
            }
        };
        let agrees = documents.first().map_or(Ok(()), |first| agree(first, &document));
        match fits(&document, matrix).and(agrees) {
            Ok(()) => documents.push(document),
            Err(error) => skipped.push(format!("{}: {}", path.display(), chain(&error))),
        }
    }
    let reported_cells = documents.iter().flat_map(|document| &document.cells).map(|cell| cell.id.clone()).collect();
    let merged = if documents.is_empty() { None } else { Some(merge(documents, None)?) };
    let mut document = complete(merged, matrix)?;
    document.scan = runtime()?.block_on(check::scan_analysis(options))?;
    Ok(MergedDocument { document, reported_cells, skipped })
}
