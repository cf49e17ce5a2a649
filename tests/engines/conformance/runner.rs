//! Runs a case on any engine.

use std::time::{Duration, Instant};

use carnet::engine::job::{Job, part};
use carnet::engine::{EngineError, Layout, Opened};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::conformance::case::{Cancel, Case, Seen, Step};
use crate::conformance::job_dirs::{self, JobDirs};
use crate::conformance::subject::Subject;

/// Lines kept of what was streamed.
const LINES_KEPT: usize = 100;
/// An engine that hangs fails its case instead of the whole run.
const LIMIT: Duration = Duration::from_secs(120);

/// How a case ended that did not fail.
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
            (Some((key, _)), true) => subject.engine.saved_state(opened, key).await.expect("kept states are looked up"),
            (None, true) => panic!("the step before kept nothing"),
            (_, false) => Some(opened.clone()),
        };
        let image = image.expect("what was kept is found again");
        let (job, layout) = prepare(subject, &image, step, &env);
        let seen = execute(subject, &image, step, &job, layout, &env).await;
        let verdict = judge(subject, step, &job, &seen);
        if let Some(key) = &job.save_as {
            let found = subject.engine.saved_state(opened, key).await.expect("kept states are looked up");
            if verdict == Verdict::Good {
                let good = seen.outcome.as_ref().is_ok_and(|done| done.end.is_success());
                assert_eq!(found.is_some(), good, "state is kept exactly after success");
                assert_eq!(seen.outcome.as_ref().is_ok_and(|done| done.saved_state.is_some()), good);
            }
            kept = found.map(|found| (key.clone(), found));
        }
        if verdict == Verdict::Excused {
            break;
        }
    }
    if let Some((key, _)) = kept {
        (subject.forget)(&key);
        let found = subject.engine.saved_state(opened, &key).await.expect("kept states are looked up");
        assert!(found.is_none(), "what was removed is not found");
        assert_eq!((subject.leftovers)(&key), Vec::<String>::new(), "removed means removed");
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

/// The job of a step, and where its directories are.
fn prepare(subject: &Subject, image: &Opened, step: &Step, env: &JobDirs) -> (Job, Layout) {
    let mut job = Job {
        id: format!("case-{}", env.mark),
        argv: Vec::new(),
        input: env.path("in"),
        result: None,
        result_cap: 1 << 20,
        contract: carnet::model::contract::Contract::default(),
        env: [("CARNET_CASE".to_owned(), env.mark.clone())].into(),
        network: false,
        timeout: Duration::from_secs(60),
        output_cap: 1 << 16,
        save_as: None,
    };
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
    job.result = job.result.map(|path| fill(&path));
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
    let start = Instant::now();
    let cancel = step.cancel;
    let killer = token.clone();
    if cancel == Cancel::Before {
        killer.cancel();
    }
    let watch = tokio::spawn(async move {
        let (mut kept, mut cancelled) = (Vec::new(), None);
        while let Some(line) = receiver.recv().await {
            if matches!(cancel, Cancel::AtLine(wanted) if wanted == line) && cancelled.is_none() {
                cancelled = Some(Instant::now());
                killer.cancel();
            }
            if kept.len() < LINES_KEPT {
                kept.push((start.elapsed(), line));
            }
        }
        (kept, cancelled)
    });
    let run = tokio::time::timeout(LIMIT, subject.engine.run(image, job, lines, token));
    let outcome = run.await.expect("the engine comes back");
    let end = Instant::now();
    let grown = job_dirs::peak_memory().saturating_sub(peak);
    let (lines, cancelled) = watch.await.expect("the watcher ends with the run");
    if matches!(cancel, Cancel::AtLine(_)) {
        assert!(cancelled.is_some(), "the line to cancel at never came; the run gave {outcome:?}");
    }
    nothing_left(subject, job, env).await;
    let free = outcome.as_ref().is_ok_and(|done| done.not_enforced.iter().any(|entry| entry.starts_with(part::INPUT)));
    assert!(free || env.input() == input, "the input on this machine is as it was");
    let after_cancel = cancelled.map(|at| end - at);
    Seen { outcome, lines, took: end - start, after_cancel, grown, layout, env }
}

/// A killed process may be seen for a moment while the kernel takes it down.
async fn nothing_left(subject: &Subject, job: &Job, env: &JobDirs) {
    let mut left = Vec::new();
    for _ in 0..400 {
        left = job_dirs::processes(&env.mark);
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    left.extend(job_dirs::files(&job.id));
    left.extend((subject.leftovers)(&job.id));
    assert_eq!(left, Vec::<String>::new(), "nothing of the run is left");
}

/// What became of a step.
#[derive(PartialEq, Eq)]
enum Verdict {
    /// It came out as it must.
    Good,
    /// The engine said that it can't do what the step is about.
    Excused,
}

/// Checks a run, or that the engine said honestly what it can't do.
fn judge(subject: &Subject, step: &Step, job: &Job, seen: &Seen<'_>) -> Verdict {
    let not_enforced: &[String] = seen.outcome.as_ref().map_or(&[], |done| &done.not_enforced);
    let mut excused = false;
    for entry in not_enforced {
        let (word, _) = entry.split_once(": ").unwrap_or_else(|| panic!("`{entry}` gives no reason"));
        assert!(subject.lacks.contains(&word), "{} has no excuse for: {entry}", subject.engine.name());
        excused |= step.about == Some(word) || (job.save_as.is_some() && word == part::KEPT);
    }
    if excused {
        Verdict::Excused
    } else {
        (step.check)(seen);
        Verdict::Good
    }
}
