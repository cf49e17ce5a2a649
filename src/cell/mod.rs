//! The half that runs inside an image: it takes the snapshot, runs the tests and writes one result file.

pub mod probe;
pub mod suite;
