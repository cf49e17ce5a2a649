//! The cells of a check for CI systems. Each format is rendered from [`Matrix`] only.

pub mod github;
pub mod gitlab;
mod human;

use super::ReportError;
use crate::model::canonical;
use crate::model::matrix::Matrix;

/// Renders the matrix for a terminal.
pub fn human(matrix: &Matrix) -> String {
    human::render(matrix)
}

/// Serialises the matrix as canonical JSON.
///
/// # Errors
/// If the content cannot be serialized: a bug.
pub fn json(matrix: &Matrix) -> Result<String, ReportError> {
    canonical::to_string(matrix).map_err(|error| ReportError::Form(error.to_string()))
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::model::contract::Contract;
    use crate::model::digest::Digest;
    use crate::model::document::Analysis;
    use crate::model::matrix::{Matrix, Planned, SCHEMA};
    use crate::model::tree::Tree;

    /// Returns a matrix of `n` cells, each with its own image.
    pub(crate) fn matrix(n: usize) -> Matrix {
        let cell = |i: usize| Planned {
            id: format!("site-{i}/worker"),
            slug: format!("site-{i}__worker"),
            facility: format!("site-{i}"),
            role: Some("worker".to_owned()),
            engine: None,
            image: Some(format!("docker://x/y:{i}")),
            pull: Some(format!("x/y:{i}")),
            contract: Contract::default(),
            needs: Vec::new(),
        };
        let tree = Tree { digest: Digest::of(b""), entries: 0, bytes: 0, with_git: false, left_out: Vec::new() };
        let analysis = Analysis {
            name: "dimuon".to_owned(),
            directory: String::new(),
            commit: None,
            dirty: false,
            remote: None,
            tree,
            imports: Vec::new(),
            locks: Vec::new(),
        };
        Matrix {
            schema: SCHEMA.to_owned(),
            version: "0".to_owned(),
            analysis,
            reference: None,
            tests: vec!["pytest".to_owned()],
            cells: (0..n).map(cell).collect(),
        }
    }
}
