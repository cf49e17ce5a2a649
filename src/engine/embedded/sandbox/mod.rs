//! The processes of a run: this same program, called with a word of its own.

mod attach;
mod descriptor;
mod inner;
mod outer;
mod rights;
mod root;
mod system;

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::protocol::{SandboxReport, SandboxRequest};
pub(super) use rights::may_mount;

/// First argument of a process of a run; no command of people has this name.
pub(super) const WORD: &str = "__sandbox";
/// Second argument of one that only tries whether namespaces can be made.
pub(super) const TRIAL: &str = "trial";
const INNER: &str = "inner";
const INNER_TRIAL: &str = "inner-trial";

/// A step that failed.
struct Failed {
    doing: String,
    reason: String,
}

type Step<T> = Result<T, Failed>;

/// Names the step that an error belongs to.
fn at<E: ToString>(doing: &str) -> impl FnOnce(E) -> Failed {
    let doing = doing.to_owned();
    move |error| Failed { doing, reason: error.to_string() }
}

/// Takes its part in a run, if this process was started for that.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let part = arguments.next().unwrap_or_default();
    let result = match part.to_str() {
        Some(TRIAL) => outer::trial(),
        Some(INNER_TRIAL) => inner::trial(),
        Some(INNER) => read_order().and_then(|order| inner::run(&order)),
        _ => outer::own_descriptors().and_then(|()| read_order()).and_then(|order| outer::run(&order)),
    };
    Some(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { doing, reason }) => {
            say(&SandboxReport::Failed { doing, reason });
            ExitCode::FAILURE
        }
    })
}

/// The order is one line of standard input, which stays open afterwards.
fn read_order() -> Step<SandboxRequest> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(at("reading the order"))?;
    serde_json::from_str(&line).map_err(at("reading the order"))
}

/// Adds a line to the account, which is standard output.
fn say(line: &SandboxReport) {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    // Nobody listens any more: then nobody needs to know.
    let _ = io::stdout().write_all(&text).and_then(|()| io::stdout().flush());
}
