//! Helper processes: this program, started with a hidden first argument.
//!
//! A helper reads its request as one line of JSON from standard input, which stays open as long as its parent wants it
//! to run. It writes reports as lines of JSON to standard output.

use std::ffi::OsString;
use std::io::{self, Write as _};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// First argument of a helper. No command of carnet has this name.
pub const HELPER_ARG: &str = "__helper";

/// Returns the arguments after [`HELPER_ARG`] and `role`, or `None` if this process is not a helper of that role.
pub fn arguments(role: &str) -> Option<impl Iterator<Item = OsString>> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == HELPER_ARG && arguments.next()? == role).then_some(arguments)
}

/// Encodes a request or a report as a line.
///
/// # Errors
/// Fails if the value has no JSON form.
pub fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Reads the request from standard input.
///
/// # Errors
/// Fails if the line can't be read or is not a request.
pub fn read_request<T: DeserializeOwned>() -> io::Result<T> {
    Ok(serde_json::from_str(&read_line()?)?)
}

/// Reads a line from standard input. It is empty if standard input is closed.
///
/// # Errors
/// Fails if the line can't be read.
pub fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// Writes a report to standard output. Errors are ignored, because they mean that the parent is gone.
pub fn write_report(report: &impl Serialize) {
    let line = encode(report).unwrap_or_default();
    let mut out = io::stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}

/// Parses the reports of a helper. Lines that are not reports are skipped.
pub fn parse_reports<T: DeserializeOwned>(output: &[u8]) -> impl DoubleEndedIterator<Item = T> {
    output.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}
