//! Pure data: the versioned formats.
//!
//! The main formats are the document ([`document::Document`]), the environment snapshot
//! ([`environment::Environment`]) and the result of one cell ([`cell::CellResult`]). Their JSON is canonical
//! (see [`canonical`]): equal content always gives equal bytes.

pub mod canonical;
pub mod capture;
pub mod cell;
pub mod contract;
pub mod diff;
pub mod digest;
pub mod document;
pub mod engine;
pub mod environment;
pub mod finding;
#[cfg(test)]
mod golden;
pub mod image;
pub mod inventory;
pub mod known;
pub mod limit;
pub mod matrix;
pub mod package;
pub mod plan;
pub mod provider;
pub mod python;
pub mod redact;
pub mod reference;
pub mod runtime;
pub mod scan;
pub mod shell;
pub mod system;
pub mod text;
pub mod tree;
pub mod verdict;
