//! `carnet hook run`.

use std::io::Read as _;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use super::super::error::{CommandError, Outcome};
use super::{Hook, Run, render};
use crate::error::chain;
use crate::exit;
use crate::hook::scan::{CachedCell, Push, PushScan, PushScanError, scan_push};
use crate::model::finding::Severity;
use crate::source::git::push::Update;
use crate::sys::environment;
use crate::ui::{TerminalStyle, note};

/// Maximum number of bytes read from git's standard input.
const MAX_INPUT_BYTES: u64 = 4 << 20;

pub(super) fn run(arguments: &Run, style: &TerminalStyle) -> Outcome {
    let deadline = Instant::now() + arguments.limits.budget;
    if environment::non_empty_os("CARNET_SKIP").is_some_and(|value| value != "0") {
        return Ok(exit::GOOD);
    }
    let (remote, updates) = match arguments.hook {
        Hook::PrePush => (arguments.remote.clone().unwrap_or_default(), read_updates()),
        Hook::PreCommit => pre_commit_update(),
    };
    if updates.is_empty() {
        return Ok(exit::GOOD);
    }
    let top = std::path::absolute(&arguments.path).unwrap_or_else(|_| arguments.path.clone());
    let jobs = thread::available_parallelism().map_or(2, |n| n.get().min(8));
    let push = Push { top, remote, updates, jobs, deadline };
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(scan_push(&push)));
    // A scan that is not finished by the deadline ends with this process.
    let result = match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => {
            let budget = arguments.limits.budget.as_secs_f64();
            let reason = format!("the scan exceeded {budget} s; run `carnet scan`, or increase `--budget`");
            return Ok(continue_unchecked(&reason));
        }
        Err(RecvTimeoutError::Disconnected) => return Ok(continue_unchecked("the scan failed")),
    };
    match result {
        Ok(scan) => Ok(report(&scan, arguments, style)),
        Err(PushScanError::Config(error)) => {
            note("carnet: invalid carnet.toml in the pushed commit");
            Err(CommandError::Config(*error))
        }
        Err(PushScanError::Baseline(error)) => Err(error.into()),
        // An unreadable repository must not block the push.
        Err(error @ (PushScanError::Git(_) | PushScanError::Source(_))) => Ok(continue_unchecked(&chain(&error))),
    }
}

/// Reports that the push was not checked. Returns the exit code that lets the push continue.
fn continue_unchecked(reason: &str) -> u8 {
    note(&format!("carnet: push not checked: {reason}"));
    exit::GOOD
}

/// Prints the result of the scan and returns the exit code.
fn report(scan: &PushScan, arguments: &Run, style: &TerminalStyle) -> u8 {
    let worst = scan.findings.iter().map(|finding| finding.severity).max();
    let has_failed_cell = scan.commits.iter().flat_map(|commit| &commit.cells).any(CachedCell::is_failed);
    // A failed cell counts as an `error` finding.
    let is_blocked = arguments.limits.fail_on.fails(worst.max(has_failed_cell.then_some(Severity::Error)));
    let text = render::text(scan, &arguments.path, is_blocked, style);
    if !text.is_empty() {
        note(text.trim_end());
    }
    if is_blocked { exit::ANALYSIS } else { exit::GOOD }
}

/// Reads the pushed refs from standard input, in the format of githooks(5).
fn read_updates() -> Vec<Update> {
    let mut text = Vec::new();
    // On an error, the refs read so far are scanned.
    let _ = std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_end(&mut text);
    String::from_utf8_lossy(&text).lines().filter_map(Update::parse).collect()
}

/// Returns the remote and the pushed ref from the variables of pre-commit (pre-commit.com, "Supported git hooks",
/// `pre-push`). The variables are missing for the first push and for manual runs; then the ref is `HEAD`.
fn pre_commit_update() -> (String, Vec<Update>) {
    let var = environment::non_empty;
    let remote = var("PRE_COMMIT_REMOTE_NAME").or_else(|| var("PRE_COMMIT_REMOTE_URL")).unwrap_or_default();
    let new = var("PRE_COMMIT_TO_REF").or_else(|| var("PRE_COMMIT_LOCAL_BRANCH"));
    let update = Update {
        local: var("PRE_COMMIT_LOCAL_BRANCH").unwrap_or_else(|| "HEAD".to_owned()),
        new: Some(new.unwrap_or_else(|| "HEAD".to_owned())),
        remote: var("PRE_COMMIT_REMOTE_BRANCH").unwrap_or_else(|| "HEAD".to_owned()),
        old: var("PRE_COMMIT_FROM_REF"),
    };
    (remote, vec![update])
}
