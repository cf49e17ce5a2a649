//! The variables that tests find after the facility's prelude: the prelude runs in a shell, which then becomes this
//! program, which writes down what it was given.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::ExitCode;

use crate::model::text::shell_quote;

/// First argument of this program when it is to write its variables; no command of people has this name.
const WORD: &str = "__environ";
/// Bytes that are read back.
const CAP: u64 = 4 << 20;

/// Writes the variables of this process into the file named as second argument, when the first asks for it.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(WORD)) {
        return None;
    }
    let file = arguments.next()?;
    let mut bytes = Vec::new();
    for (name, value) in std::env::vars_os() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b'=');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    Some(fs::write(file, bytes).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

/// Variables that a shell adds to those it was given.
const OF_SHELL: [&str; 4] = ["OLDPWD", "PWD", "SHLVL", "_"];

/// The variables of this process; those that are no UTF-8 are left out.
pub(super) fn own() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What the shell itself added is no work of the prelude.
pub(super) fn without_shell(
    mut found: BTreeMap<String, String>,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    found.retain(|name, _| own.contains_key(name) || !OF_SHELL.contains(&name.as_str()));
    found
}

/// The shell command that ends in this program writing its variables to `file`; none when its own path isn't known.
pub(super) fn command(file: &Path) -> Option<String> {
    let program = std::env::current_exe().ok()?;
    Some(format!("exec {} {WORD} {}", shell_quote(program.to_str()?), shell_quote(file.to_str()?)))
}

/// What was written; none when nothing was.
pub(super) fn read(file: &Path) -> Option<BTreeMap<String, String>> {
    let mut bytes = Vec::new();
    super::artifact::open_regular(file).ok()?.take(CAP).read_to_end(&mut bytes).ok()?;
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec()).into_string().ok();
    let entries = bytes.split(|byte| *byte == 0).filter_map(|entry| {
        let at = entry.iter().position(|byte| *byte == b'=')?;
        Some((text(&entry[..at])?, text(&entry[at + 1..])?))
    });
    Some(entries.collect())
}
