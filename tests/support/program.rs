//! Programs that tests make and start.

use std::path::Path;
use std::process::Command;

/// Puts a program there. Another process writes it: the kernel starts no file that anybody has open for writing (`ETXTBSY`), and
/// what this process has open is also open in every process that the thread of another test is just starting.
pub(crate) fn put(from: &Path, to: &Path) {
    let done = Command::new("install").args(["-m", "755"]).args([from, to]).status();
    assert!(done.expect("install starts").success(), "{} is not there", to.display());
}
