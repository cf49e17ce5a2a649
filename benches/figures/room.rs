//! An analysis, a cache, and runs of the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::measure::output;

/// The measured program.
pub(crate) const CARNET: &str = env!("CARGO_BIN_EXE_carnet");

/// A directory with an analysis.
pub(crate) struct Room(TempDir);

impl Room {
    /// Creates an analysis with this configuration.
    pub(crate) fn new(toml: &str) -> Self {
        let room = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::create_dir(room.path("analysis")).expect("a directory");
        fs::write(room.path("analysis/carnet.toml"), toml).expect("a file");
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a check with `--quiet`.
    pub(crate) fn check(&self, arguments: &[&str]) {
        output(
            carnet()
                .args(["check", "--quiet", "--out"])
                .arg(self.path("out"))
                .args(arguments)
                .arg(self.path("analysis")),
        );
    }

    /// Runs a check without cached results. Cached setups are used.
    pub(crate) fn check_anew(&self, arguments: &[&str]) {
        let results = cache().join("results");
        if results.exists() {
            fs::remove_dir_all(results).expect("removed");
        }
        self.check(arguments);
    }

    /// Returns the document of the last check.
    pub(crate) fn document(&self) -> Value {
        let text = fs::read(self.path("out/carnet.json")).expect("a document");
        serde_json::from_slice(&text).expect("JSON")
    }
}

/// Returns the program with a cache directory that is reused by the next run.
pub(crate) fn carnet() -> Command {
    let mut command = Command::new(CARNET);
    command.env("CARNET_CACHE", cache());
    command
}

pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench")
}

/// Returns the path of an example image.
pub(crate) fn image(name: &str) -> PathBuf {
    let images = std::env::var_os("CARNET_IMAGES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/images"), PathBuf::from);
    let layout = images.join(name);
    assert!(layout.join("index.json").is_file(), "no image {}: run `make bench`", layout.display());
    layout
}

/// Returns the table of a facility with this image for `carnet.toml`.
pub(crate) fn facility(id: &str, name: &str) -> String {
    format!("[[facility]]\nid = \"{id}\"\nimage = \"oci:{}:latest\"\n", image(name).display())
}
