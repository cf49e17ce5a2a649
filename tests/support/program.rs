//! Programs that tests write and start.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Copies a program to `to`.
///
/// Another process writes the copy. The kernel refuses to start a file that any process has open for writing (`ETXTBSY`), and a
/// file that this process has open is inherited by every child that another test is starting at the same time.
pub(crate) fn install(from: &Path, to: &Path) {
    let status = Command::new("install").args(["-m", "755"]).args([from, to]).status();
    assert!(status.expect("install starts").success(), "failed to write {}", to.display());
}

/// Writes a shell script that can be started.
pub(crate) fn install_script(to: &Path, text: &str) {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).expect("directories");
    }
    let written = to.with_extension("text");
    fs::write(&written, format!("#!/bin/sh\n{text}\n")).expect("a file");
    install(&written, to);
    fs::remove_file(&written).expect("removed");
}
