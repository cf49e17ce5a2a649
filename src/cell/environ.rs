//! The environment variables of the tests after the prelude of the facility. The prelude runs in a shell. The shell
//! then executes carnet, which writes its environment variables to a file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::ExitCode;

use crate::model::shell::quote;
use crate::sys::environment;
use crate::sys::helper::{self, HELPER_ARG};

/// Role of the helper process.
const ROLE: &str = "environment";
/// Maximum number of bytes read from the file.
const MAX_BYTES: u64 = 4 << 20;

/// Writes the variables of this process to a file if this process was started for that.
pub fn run_if_requested() -> Option<ExitCode> {
    let file = helper::arguments(ROLE)?.next()?;
    let mut bytes = Vec::new();
    for (name, value) in environment::vars_os() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b'=');
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    Some(fs::write(file, bytes).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

/// Variables that a shell adds.
const SHELL_VARIABLES: [&str; 4] = ["OLDPWD", "PWD", "SHLVL", "_"];

/// Returns the variables of this process that are UTF-8.
pub(super) fn process_variables() -> BTreeMap<String, String> {
    environment::vars().collect()
}

/// Removes the variables that the shell added, which do not come from the prelude.
pub(super) fn without_shell_variables(
    mut variables: BTreeMap<String, String>,
    own: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    variables.retain(|name, _| own.contains_key(name) || !SHELL_VARIABLES.contains(&name.as_str()));
    variables
}

/// Returns the shell command that executes this program to write its variables to `file`. `None` if the path of this
/// program is unknown.
pub(super) fn command(file: &Path) -> Option<String> {
    let program = std::env::current_exe().ok()?;
    Some(format!("exec {} {HELPER_ARG} {ROLE} {}", quote(program.to_str()?), quote(file.to_str()?)))
}

/// Reads the variables in a file. Returns `None` if the file can't be read.
pub(super) fn read(file: &Path) -> Option<BTreeMap<String, String>> {
    let mut bytes = Vec::new();
    super::artifact::open_regular(file).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec()).into_string().ok();
    let entries = bytes.split(|byte| *byte == 0).filter_map(|entry| {
        let separator = entry.iter().position(|byte| *byte == b'=')?;
        Some((text(&entry[..separator])?, text(&entry[separator + 1..])?))
    });
    Some(entries.collect())
}
