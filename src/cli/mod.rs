//! Commands: parse, call, print; no logic.

use std::process::ExitCode;

/// Runs the program with the arguments of this process.
#[allow(clippy::print_stdout, missing_docs, clippy::unwrap_used, reason = "trial")]
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|arg| arg == "probe") {
        let env = std::env::vars_os()
            .map(|(a, b)| (a.to_string_lossy().into_owned(), b.to_string_lossy().into_owned()))
            .collect();
        let mut options = crate::cell::probe::Options::live(env);
        if let Some(root) = args.get(2) {
            options.root = root.into();
            options.live = args.get(3).is_some();
        }
        let got = crate::cell::probe::environment(&options);
        print!("{}", crate::model::canonical::to_string(&got).unwrap());
        return ExitCode::SUCCESS;
    }
    ExitCode::from(crate::exit::USAGE)
}
