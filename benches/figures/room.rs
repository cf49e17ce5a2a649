//! An analysis, a cache, and the program run on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::measure::output;

/// The program that is measured.
pub(crate) const CARNET: &str = env!("CARGO_BIN_EXE_carnet");

/// A directory with an analysis.
pub(crate) struct Room(TempDir);

impl Room {
    /// One with this configuration.
    pub(crate) fn new(toml: &str) -> Self {
        let room = Self(tempfile::tempdir().expect("a temporary directory"));
        fs::create_dir(room.path("analysis")).expect("a directory");
        fs::write(room.path("analysis/carnet.toml"), toml).expect("a file");
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A quiet check.
    pub(crate) fn check(&self, arguments: &[&str]) {
        output(
            carnet()
                .args(["check", "--quiet", "--out"])
                .arg(self.path("out"))
                .args(arguments)
                .arg(self.path("analysis")),
        );
    }

    /// A quiet check for which no result is known, unlike set-ups.
    pub(crate) fn check_anew(&self, arguments: &[&str]) {
        let results = cache().join("results");
        if results.exists() {
            fs::remove_dir_all(results).expect("removed");
        }
        self.check(arguments);
    }

    /// What the last check found out.
    pub(crate) fn document(&self) -> Value {
        let text = fs::read(self.path("out/carnet.json")).expect("a document");
        serde_json::from_slice(&text).expect("JSON")
    }
}

/// The program, with unpacked images that stay for the next time.
pub(crate) fn carnet() -> Command {
    let mut command = Command::new(CARNET);
    command.env("CARNET_CACHE", cache());
    command
}

pub(crate) fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench")
}

/// The layout of one of the example images.
pub(crate) fn image(name: &str) -> PathBuf {
    let images = std::env::var_os("CARNET_IMAGES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/images"), PathBuf::from);
    let layout = images.join(name);
    assert!(layout.join("index.json").is_file(), "no image {}: `make bench` makes it", layout.display());
    layout
}

/// A facility of that image, as carnet.toml has it.
pub(crate) fn facility(id: &str, name: &str) -> String {
    format!("[[facility]]\nid = \"{id}\"\nimage = \"oci:{}:latest\"\n", image(name).display())
}
