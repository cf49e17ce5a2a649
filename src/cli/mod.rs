//! Commands: parse, call, print; no logic.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use crate::error::{Error, Failure as _};

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [cell, flag, file] if cell == "cell" && flag == "--plan" => match crate::cell::main(Path::new(file)) {
            Ok(()) => ExitCode::from(crate::exit::GOOD),
            Err(error) => {
                let code = error.kind().exit_code();
                let _ = writeln!(std::io::stderr(), "error: {}", Error::from(error));
                ExitCode::from(code)
            }
        },
        _ => ExitCode::from(crate::exit::USAGE),
    }
}
