//! Reports of a static scan. Each format is rendered from [`Scan`](crate::model::scan::Scan) only.

pub(super) mod annotation;
pub(super) mod github;
pub(super) mod gitlab;
pub(super) mod human;
pub(super) mod junit;
pub(super) mod markdown;
pub(super) mod sarif;
pub(super) mod tally;

use super::ReportError;
use crate::model::canonical;

/// Serialises a value as canonical JSON.
fn json<T: serde::Serialize>(value: &T) -> Result<String, ReportError> {
    canonical::to_string(value).map_err(|error| ReportError::Form(error.to_string()))
}
