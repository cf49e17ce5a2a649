//! Colours, messages and the live view: the only code that prints, with [`crate::cli`].

pub mod file;
pub mod github;
mod live;
pub mod message;

use std::io::{IsTerminal as _, Write as _};

pub use live::Live;

/// How output looks, decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Standard output takes colours.
    pub color_out: bool,
    /// Standard error takes colours.
    pub color_err: bool,
    /// Standard error is a terminal whose lines can be drawn again.
    pub live: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl TerminalStyle {
    /// Decides by the flag, `NO_COLOR`, `TERM` and what the streams are.
    pub fn decide(color: Color) -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let smart = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let colored = |terminal: bool| match color {
            Color::Auto => terminal && allowed && smart,
            Color::Always => true,
            Color::Never => false,
        };
        Self { color_out: colored(out), color_err: colored(err), live: err && smart, width: width() }
    }
}

/// Columns of the terminal, `COLUMNS` first; 100 where there is none.
fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || rustix::termios::tcgetwinsize(std::io::stderr()).ok().map(|size| usize::from(size.ws_col));
    said.or_else(measured).filter(|columns| *columns >= 40).unwrap_or(100)
}

/// Writes to standard output; a reader that went away is no failure of ours.
///
/// # Errors
/// When standard output can't be written for another reason, such as a full disk.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a line to standard error, whatever becomes of it.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
