//! `carnet hook run`.

use std::io::Read as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use super::super::{CommandError, Outcome};
use super::{Hook, Run, show};
use crate::error::chain;
use crate::exit;
use crate::hook::{CellSeen, Push, Seen, Trouble, look as look_at};
use crate::model::finding::Severity;
use crate::source::git::push::Update;
use crate::ui::{TerminalStyle, note};

/// Bytes that git's lines may have.
const MOST_LINES: u64 = 4 << 20;

pub(super) fn run(arguments: &Run, look: &TerminalStyle) -> Outcome {
    let until = Instant::now() + arguments.limits.budget;
    if std::env::var_os("CARNET_SKIP").is_some_and(|value| !value.is_empty() && value != "0") {
        return Ok(exit::GOOD);
    }
    let Some((remote, updates)) = asked(arguments) else { return Ok(exit::GOOD) };
    let top = std::path::absolute(&arguments.path).unwrap_or_else(|_| arguments.path.clone());
    let jobs = thread::available_parallelism().map_or(2, |n| n.get().min(8));
    let push = Push { top, remote, updates, jobs, until };
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(look_at(&push)));
    // Whatever is not done by then ends with this process.
    let seen = match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(seen) => seen,
        Err(RecvTimeoutError::Timeout) => {
            let budget = arguments.limits.budget.as_secs_f64();
            note(&format!(
                "carnet: not done after {budget} s: the push goes on unchecked (carnet scan, or a larger --budget)"
            ));
            return Ok(exit::GOOD);
        }
        Err(RecvTimeoutError::Disconnected) => {
            note("carnet: the push goes on unchecked");
            return Ok(exit::GOOD);
        }
    };
    match seen {
        Ok(seen) => Ok(judge(&seen, arguments, look)),
        Err(Trouble::Config(error)) => {
            note("carnet: the carnet.toml that is pushed is wrong");
            Err(CommandError::Config(*error))
        }
        Err(Trouble::Baseline(error)) => Err(error.into()),
        // What can't be looked at is no reason to stop anybody.
        Err(Trouble::Git(reason)) => Ok(unchecked(&reason)),
        Err(Trouble::Repo(error)) => Ok(unchecked(&chain(&error))),
    }
}

fn unchecked(reason: &str) -> u8 {
    note(&format!("carnet: the push goes on unchecked: {reason}"));
    exit::GOOD
}

fn judge(seen: &Seen, arguments: &Run, look: &TerminalStyle) -> u8 {
    let fail_on = arguments.limits.fail_on;
    let worst = seen.findings.iter().map(|finding| finding.severity).max();
    let failed = seen.tips.iter().flat_map(|tip| &tip.cells).any(CellSeen::is_failed);
    // A failed cell is as bad as an error.
    let stops = fail_on.fails(worst.max(failed.then_some(Severity::Error)));
    let text = show::text(seen, &arguments.path, stops, look);
    if !text.is_empty() {
        note(text.trim_end());
    }
    if stops { exit::ANALYSIS } else { exit::GOOD }
}

/// The remote and the refs that are pushed; none when there is nothing to look at.
fn asked(arguments: &Run) -> Option<(String, Vec<Update>)> {
    let remote = arguments.remote.clone().unwrap_or_default();
    let (remote, updates) = match arguments.hook {
        Hook::PrePush => (remote, lines()),
        Hook::PreCommit => of_pre_commit()?,
    };
    (!updates.is_empty()).then_some((remote, updates))
}

/// What git says on standard input.
fn lines() -> Vec<Update> {
    let mut text = Vec::new();
    // What can't be read is not pushed by git.
    let _ = std::io::stdin().lock().take(MOST_LINES).read_to_end(&mut text);
    String::from_utf8_lossy(&text).lines().filter_map(Update::parse).collect()
}

/// What pre-commit says (pre-commit.com, "Supported git hooks", `pre-push`). Without a word of what is pushed, as for the first push of
/// all or a run by hand, the commit that is checked out is taken for it.
fn of_pre_commit() -> Option<(String, Vec<Update>)> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let remote = set("PRE_COMMIT_REMOTE_NAME").or_else(|| set("PRE_COMMIT_REMOTE_URL")).unwrap_or_default();
    let new = set("PRE_COMMIT_TO_REF").or_else(|| set("PRE_COMMIT_LOCAL_BRANCH"));
    let update = Update {
        local: set("PRE_COMMIT_LOCAL_BRANCH").unwrap_or_else(|| "HEAD".to_owned()),
        new: Some(new.unwrap_or_else(|| "HEAD".to_owned())),
        remote: set("PRE_COMMIT_REMOTE_BRANCH").unwrap_or_else(|| "HEAD".to_owned()),
        old: set("PRE_COMMIT_FROM_REF"),
    };
    Some((remote, vec![update]))
}
