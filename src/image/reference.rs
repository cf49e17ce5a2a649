//! References to images: data, so they stand in the model; re-exported where they are opened.

pub use crate::model::reference::{BadReference, Reference};
