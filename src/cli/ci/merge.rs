//! What the jobs of a matrix handed on, made one document.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::report::{find, read};
use super::super::{CommandError, runtime};
use crate::check;
use crate::check::Options;
use crate::diff::document::{agree, complete, fits, merge};
use crate::error::chain;
use crate::model::document::Document;
use crate::model::matrix::Matrix;

/// One document of all cells, with an audit of the analysis as it is here.
pub(super) struct Merged {
    pub(super) document: Document,
    /// Cells of which a result came back.
    pub(super) came: BTreeSet<String>,
    /// Which documents were left out, and why.
    pub(super) left_out: Vec<String>,
}

/// Merges the documents below a directory, which need not be there. One that can't be read or is of something else is left
/// out: its cells are then missing, and those of all others are still reported.
pub(super) fn merged(dir: &Path, matrix: &Matrix, options: &Options) -> Result<Merged, CommandError> {
    let (mut documents, mut left_out) = (Vec::<Document>::new(), Vec::new());
    for path in if dir.is_dir() { find(dir)? } else { Vec::new() } {
        let document = match read(&path) {
            Ok(document) => document,
            Err(error) => {
                left_out.push(chain(&error));
                continue;
            }
        };
        let same = documents.first().map_or(Ok(()), |first| agree(first, &document));
        match fits(&document, matrix).and(same) {
            Ok(()) => documents.push(document),
            Err(error) => left_out.push(format!("{}: {}", path.display(), chain(&error))),
        }
    }
    let came = documents.iter().flat_map(|document| &document.cells).map(|cell| cell.id.clone()).collect();
    let merged = if documents.is_empty() { None } else { Some(merge(documents, None)?) };
    let mut document = complete(merged, matrix)?;
    document.scan = runtime()?.block_on(check::audit(options))?;
    Ok(Merged { document, came, left_out })
}
