//! `carnet hook`.

mod install;
mod push;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::Outcome;
use super::fail_on::FailOn;
use crate::ui::TerminalStyle;

/// Check what is pushed, in a git hook.
///
/// The hook audits the files that a push brings and looks up what earlier checks said of the pushed commits. It runs nothing, reads
/// git's objects alone, and lets go when it takes too long. `CARNET_SKIP=1 git push` skips it, `git push --no-verify` skips all hooks.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Install(Install),
    Remove(Remove),
    Run(Run),
}

/// Write the pre-push hook; one that is there keeps running after it.
#[derive(Debug, clap::Args)]
struct Install {
    /// Directory of the analysis.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

    #[command(flatten)]
    limits: Limits,

    /// Write the hook file also where pre-commit, lefthook or husky keep the hooks.
    #[arg(long)]
    force: bool,

    /// Write it also where hooks run for every repository of this user.
    #[arg(long)]
    shared: bool,
}

/// Take the hook away and put back what was there before it.
#[derive(Debug, clap::Args)]
struct Remove {
    /// A directory of the repository.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
}

/// What hooks call: check what is pushed.
#[derive(Debug, clap::Args)]
struct Run {
    /// Who calls: `pre-push` as git does, with a line a ref on standard input; `pre-commit` as that program does, with `PRE_COMMIT_*`
    /// variables.
    #[arg(value_enum)]
    hook: Hook,

    /// Name of the remote.
    remote: Option<String>,

    /// Its address.
    url: Option<String>,

    /// Directory of the analysis, from the top of the working tree.
    #[arg(long, default_value = ".", hide_default_value = true, value_name = "DIR")]
    path: PathBuf,

    #[command(flatten)]
    limits: Limits,
}

/// What stops a push, and what stops the hook.
#[derive(Debug, Clone, clap::Args)]
struct Limits {
    /// What stops the push: an error or a failed cell, a warning too, or nothing.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,

    /// Time after which the push goes on unchecked.
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = budget)]
    budget: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Hook {
    /// Git.
    PrePush,
    /// The program pre-commit.
    PreCommit,
}

/// Seconds with a fraction, or milliseconds.
fn budget(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write 2s or 500ms");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let seconds = number * unit;
    if (0.001..=3600.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}

pub(super) fn run(arguments: &Arguments, look: &TerminalStyle) -> Outcome {
    match &arguments.command {
        Command::Install(install) => install::install(install),
        Command::Remove(remove) => install::remove(remove),
        Command::Run(run) => push::run(run, look),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::budget;

    #[test]
    fn a_time_is_seconds_or_milliseconds() {
        assert_eq!(budget("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(budget("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(budget("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "s", "0s", "-1s", "2h", "nan", "inf", "1e9s"] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
    }
}
