//! One check: from a configuration to a document. Emits events and never prints.

mod analysis;
pub(crate) mod cache;
mod cell_result;
pub(crate) mod cell_status;
pub mod cleanup;
pub mod configuration;
mod driver;
pub mod engine_select;
mod error;
pub mod event;
mod execute;
mod input_dir;
mod interruption;
mod job_id;
pub mod matrix;
mod options;
pub mod plan;
mod redact;
pub mod snapshot;
mod source_tree;
mod static_scan;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    //! The reader of a cell's result, for `fuzz/`.

    pub use super::cell_result::fuzzing::cell_result;
}

pub use driver::check;
pub use error::CheckError;
pub use interruption::Interruption;
pub use options::Options;
pub use static_scan::scan_analysis;
