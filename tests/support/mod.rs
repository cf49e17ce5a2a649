//! Shared by the integration tests: the environment of a test, the output of a command, programs, engines and images.
//!
//! Every test binary compiles this module, and uses a part of it.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses a part of this module")]

pub(crate) mod document_fixture;
pub(crate) mod engine;
pub(crate) mod env;
pub(crate) mod harness;
pub(crate) mod hook;
pub(crate) mod output;
pub(crate) mod program;
pub(crate) mod scan_fixture;

use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) use env::TestEnv;
pub(crate) use output::CommandOutput;

/// The binary under test.
pub(crate) const CARNET: &str = env!("CARGO_BIN_EXE_carnet");

/// The top of this repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory that survives the tests, for caches that are slow to fill.
pub(crate) fn lasting_dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Reads a JSON file.
pub(crate) fn read_json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}
