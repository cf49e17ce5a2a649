//! `carnet hook`.

mod install;
mod push;
mod render;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::error::Outcome;
use super::fail_on::{FailOn, OF_HOOK, fail_on_parser};
use crate::ui::TerminalStyle;

/// Default of `--budget`.
const DEFAULT_BUDGET: Duration = Duration::from_secs(2);

/// Manage the pre-push hook
///
/// The hook scans the files that a push changes, and shows cached results of the pushed commits. It does not run tests. If
/// it takes too long, the push continues.
///
/// To skip the hook, use `CARNET_SKIP=1 git push`. To skip all hooks, use `git push --no-verify`.
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

/// Install the pre-push hook
///
/// An existing hook is preserved and runs after carnet's.
#[derive(Debug, clap::Args)]
struct Install {
    /// Directory of the analysis [default: the current directory]
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

    #[command(flatten)]
    limits: Limits,

    /// Install the hook even if pre-commit, lefthook or husky manages the hooks
    #[arg(long)]
    force: bool,

    /// Install the hook even if the hooks directory is shared by all repositories
    #[arg(long)]
    shared: bool,
}

/// Remove the pre-push hook and restore the previous one
#[derive(Debug, clap::Args)]
struct Remove {
    /// Directory in the repository [default: the current directory]
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,
}

/// Scan a push (used by the hook)
#[derive(Debug, clap::Args)]
struct Run {
    /// Program that runs the hook
    #[arg(value_enum)]
    hook: Hook,

    /// Name of the remote
    remote: Option<String>,

    /// URL of the remote
    url: Option<String>,

    /// Directory of the analysis, relative to the root of the working tree
    #[arg(long, default_value = ".", hide_default_value = true, value_name = "DIR")]
    path: PathBuf,

    #[command(flatten)]
    limits: Limits,
}

/// Limits of the hook.
#[derive(Debug, Clone, clap::Args)]
struct Limits {
    /// Lowest level that blocks the push
    #[arg(long, value_parser = fail_on_parser(OF_HOOK), default_value = "error", value_name = "LEVEL")]
    fail_on: FailOn,

    /// Maximum duration of the scan, after which the push continues
    #[arg(long, default_value = "2s", value_name = "DURATION", value_parser = parse_budget)]
    budget: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Hook {
    /// Git, with the pushed refs on standard input
    PrePush,
    /// The pre-commit framework, with `PRE_COMMIT_*` variables
    PreCommit,
}

/// An invalid value of `--budget`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration; expected e.g. 2s or 500ms, at most 3600s")]
struct BudgetError;

/// Parses a duration in seconds, with an optional fraction, or in milliseconds.
fn parse_budget(text: &str) -> Result<Duration, BudgetError> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| BudgetError)?;
    let seconds = number * unit;
    if (0.001..=3600.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(BudgetError) }
}

pub(super) fn run(arguments: &Arguments, style: &TerminalStyle) -> Outcome {
    match &arguments.command {
        Command::Install(install) => install::install(install),
        Command::Remove(remove) => install::remove(remove),
        Command::Run(run) => push::run(run, style),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BudgetError, DEFAULT_BUDGET, parse_budget};

    #[test]
    fn budget_is_parsed_as_seconds_or_milliseconds() {
        assert_eq!(parse_budget("2s"), Ok(DEFAULT_BUDGET));
        assert_eq!(parse_budget("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_budget("250ms"), Ok(Duration::from_millis(250)));
        for invalid in ["", "s", "0s", "-1s", "2h", "nan", "inf", "1e9s"] {
            assert_eq!(parse_budget(invalid), Err(BudgetError), "{invalid}");
        }
    }
}
