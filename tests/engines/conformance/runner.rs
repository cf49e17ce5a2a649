//! Runs a case on any engine.

use std::time::Duration;

use carnet::engine::job::{Job, part};
use carnet::engine::{EngineError, Layout, Opened};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::conformance::case::{Cancel, Case, Seen, Step};
use crate::conformance::job_dirs::{self, JobDirs};
use crate::conformance::subject::Subject;
use crate::job::shell_job;
use crate::leftovers;

/// The number of streamed lines that are kept.
const LINES_KEPT: usize = 100;
/// An engine that hangs fails its case instead of the whole run.
const LIMIT: Duration = Duration::from_secs(120);

/// The end of a case that did not fail.
pub(crate) enum Ended {
    /// The engine behaved as expected, or reported what it cannot enforce.
    Completed,
    /// The case has no meaning on this engine.
    NotApplicable(&'static str),
}

/// Runs a case on an engine.
pub(crate) fn run(subject: &Subject, case: &Case) -> Ended {
    if let Some((_, reason)) = subject.moot.iter().find(|(moot, _)| *moot == case.name) {
        return Ended::NotApplicable(reason);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let opened = subject.engine.open(&subject.image, CancellationToken::new()).await;
        let opened = opened.unwrap_or_else(|error| panic!("opening {}: {}", subject.image, report(&error)));
        if case.together {
            run_together(subject, &opened, case).await;
        } else {
            run_in_a_row(subject, &opened, case).await;
        }
    });
    Ended::Completed
}

fn report(error: &EngineError) -> String {
    format!("{} ({:?})", carnet::error::chain(error), carnet::error::Failure::hint(error))
}

async fn run_in_a_row(subject: &Subject, opened: &Opened, case: &Case) {
    let mut kept: Option<(String, Opened)> = None;
    for step in case.steps {
        let env = JobDirs::new();
        let image = match (&kept, step.in_kept) {
            (Some((key, _)), true) => subject.engine.saved_state(opened, key).await.expect("the lookup succeeds"),
            (None, true) => panic!("the previous step saved no state"),
            (_, false) => Some(opened.clone()),
        };
        let image = image.expect("the saved state exists");
        let (job, layout) = prepare(subject, &image, step, &env);
        let seen = execute(subject, &image, step, &job, layout, &env).await;
        let verdict = judge(subject, step, &job, &seen);
        if let Some(key) = &job.save_as {
            let found = subject.engine.saved_state(opened, key).await.expect("the lookup succeeds");
            if verdict == Verdict::Good {
                let good = seen.outcome.as_ref().is_ok_and(|done| done.end.is_success());
                assert_eq!(found.is_some(), good, "the state is saved if and only if the program succeeds");
                assert_eq!(seen.outcome.as_ref().is_ok_and(|done| done.saved_state.is_some()), good);
            }
            kept = found.map(|found| (key.clone(), found));
        }
        if verdict == Verdict::NotEnforced {
            break;
        }
    }
    if let Some((key, _)) = kept {
        (subject.forget)(&key);
        let found = subject.engine.saved_state(opened, &key).await.expect("the lookup succeeds");
        assert!(found.is_none(), "a removed state does not exist");
        assert_eq!((subject.leftovers)(&key), Vec::<String>::new(), "leftovers of a removed state");
    }
}

async fn run_together(subject: &Subject, opened: &Opened, case: &Case) {
    let runs = case.steps.iter().map(|step| async move {
        let env = JobDirs::new();
        let (job, layout) = prepare(subject, opened, step, &env);
        let seen = execute(subject, opened, step, &job, layout, &env).await;
        judge(subject, step, &job, &seen);
    });
    futures_util::future::join_all(runs).await;
}

/// The job of a step and its directories.
fn prepare(subject: &Subject, image: &Opened, step: &Step, env: &JobDirs) -> (Job, Layout) {
    let mut job = shell_job(&format!("case-{}", env.mark), "", &env.path("in"));
    job.argv.clear();
    job.env.insert("CARNET_CASE".to_owned(), env.mark.clone());
    (step.set)(&mut job, env);
    let layout = subject.engine.layout(image, &job);
    let fill = |text: &str| {
        text.replace("{in}", &layout.input)
            .replace("{box}", &layout.scratch)
            .replace("{mark}", &env.mark)
            .replace("{env}", &env.text_path(""))
    };
    job.argv = if job.argv.is_empty() {
        vec!["/bin/sh".to_owned(), "-c".to_owned(), fill(step.script), env.mark.clone()]
    } else {
        job.argv.iter().map(|argument| fill(argument)).collect()
    };
    (job, layout)
}

async fn execute<'a>(
    subject: &Subject,
    image: &Opened,
    step: &Step,
    job: &Job,
    layout: Layout,
    env: &'a JobDirs,
) -> Seen<'a> {
    let input = env.input();
    let peak = job_dirs::peak_memory();
    let token = CancellationToken::new();
    let (lines, mut receiver) = unbounded_channel::<String>();
    let cancel = step.cancel;
    let killer = token.clone();
    if cancel == Cancel::Before {
        killer.cancel();
    }
    let watch = tokio::spawn(async move {
        let (mut kept, mut is_cancelled) = (Vec::new(), false);
        while let Some(line) = receiver.recv().await {
            if matches!(cancel, Cancel::AtLine(wanted) if wanted == line) {
                is_cancelled = true;
                killer.cancel();
            }
            if kept.len() < LINES_KEPT {
                kept.push(line);
            }
        }
        (kept, is_cancelled)
    });
    let run = tokio::time::timeout(LIMIT, subject.engine.run(image, job, lines, token));
    let outcome = run.await.expect("the engine returns in time");
    let grown = job_dirs::peak_memory().saturating_sub(peak);
    let (lines, is_cancelled) = watch.await.expect("the channel closes with the run");
    if matches!(cancel, Cancel::AtLine(_)) {
        assert!(is_cancelled, "the program did not print the line at which it is cancelled: {outcome:?}");
    }
    let search = || {
        let files = leftovers::host_runs(&job.id);
        [leftovers::processes(&env.mark), leftovers::mounts(&job.id), files, (subject.leftovers)(&job.id)].concat()
    };
    assert_eq!(leftovers::wait_until_gone(search).await, Vec::<String>::new(), "leftovers of the run");
    let may_change_input =
        outcome.as_ref().is_ok_and(|done| done.not_enforced.iter().any(|entry| entry.starts_with(part::INPUT)));
    assert!(may_change_input || env.input() == input, "the run changed the input");
    Seen { outcome, lines, grown, layout, env }
}

/// The verdict on a step.
#[derive(PartialEq, Eq)]
enum Verdict {
    /// The result is right.
    Good,
    /// The engine reported that it can't enforce the part of the contract that the step tests.
    NotEnforced,
}

/// Checks the result of a run, and that the engine reports only parts that it can't enforce.
fn judge(subject: &Subject, step: &Step, job: &Job, seen: &Seen<'_>) -> Verdict {
    let not_enforced: &[String] = seen.outcome.as_ref().map_or(&[], |done| &done.not_enforced);
    let mut is_excused = false;
    for entry in not_enforced {
        let (name, _) = entry.split_once(": ").unwrap_or_else(|| panic!("no reason in `{entry}`"));
        assert!(subject.lacks.contains(&name), "{} can enforce: {entry}", subject.engine.name());
        is_excused |= step.about == Some(name) || (job.save_as.is_some() && name == part::KEPT);
    }
    if is_excused {
        Verdict::NotEnforced
    } else {
        (step.check)(seen);
        Verdict::Good
    }
}
