//! Pure data: what a check learns, and nothing that does anything.
//!
//! The three versioned formats live here: the document ([`document::Document`]), the environment snapshot
//! ([`environment::Environment`]) and the result of one cell ([`cell::CellResult`]). Their JSON is canonical
//! (see [`canonical`]): the same content always gives the same bytes.

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
pub mod image;
pub mod inventory;
pub mod known;
pub mod matrix;
pub mod package;
pub mod plan;
pub mod provider;
pub mod python;
pub mod reference;
pub mod runtime;
pub mod scan;
pub mod shell;
pub mod system;
pub mod text;
pub mod tree;
pub mod verdict;
