//! The repository: what it tests and what it imports.

pub mod detect;
pub mod imports;
