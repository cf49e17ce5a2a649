//! Terminal output: colors, messages and progress. Only this module and [`crate::cli`] print.

pub mod file;
pub mod github;
pub mod message;
mod progress;

use std::io::{IsTerminal as _, Write as _};

use crate::model::text::without_commands;
use crate::sys::{environment, secret};

pub use progress::Progress;

/// The properties of the output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Whether standard output supports colors.
    pub color_out: bool,
    /// Whether standard error supports colors.
    pub color_err: bool,
    /// Whether standard error is a terminal that can redraw lines.
    pub live: bool,
    /// Width of the terminal in columns.
    pub width: usize,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// Use colors on terminals, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Use colors even if the output is not a terminal
    Always,
    /// Do not use colors
    Never,
}

impl TerminalStyle {
    /// Detects the properties from the flag, `NO_COLOR`, `TERM` and the streams.
    pub fn detect(color: Color) -> Self {
        let is_allowed = environment::non_empty_os("NO_COLOR").is_none();
        let is_capable = environment::var_os("TERM").is_some_and(|term| term != "dumb");
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let has_color = |is_terminal: bool| match color {
            Color::Auto => is_terminal && is_allowed && is_capable,
            Color::Always => true,
            Color::Never => false,
        };
        Self { color_out: has_color(out), color_err: has_color(err), live: err && is_capable, width: width() }
    }
}

/// Returns the value of `COLUMNS`, or else the width of the terminal, or else 100.
fn width() -> usize {
    let configured = environment::var("COLUMNS").and_then(|columns| columns.parse().ok());
    let measured = || rustix::termios::tcgetwinsize(std::io::stderr()).ok().map(|size| usize::from(size.ws_col));
    configured.or_else(measured).filter(|columns| *columns >= 40).unwrap_or(100)
}

/// Returns the text without credentials, and without commands of CI systems.
fn shown(text: &str) -> String {
    without_commands(&secret::redactor().redact(text)).into_owned()
}

/// Writes text for readers to standard output, without credentials and without commands of CI systems. A closed pipe is not
/// an error.
///
/// # Errors
/// If standard output can't be written for another reason, such as a full disk.
pub fn print(text: &str) -> std::io::Result<()> {
    print_exact(&shown(text))
}

/// Writes text for programs to standard output, unchanged. Use it only for text whose parts are already redacted and escaped.
///
/// # Errors
/// As [`print()`].
pub fn print_exact(text: &str) -> std::io::Result<()> {
    print_bytes(text.as_bytes())
}

/// Writes bytes to standard output, as [`print_exact`] does.
fn print_bytes(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes text for readers and a line end to standard error, ignoring errors. See [`print()`].
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", shown(text));
}
