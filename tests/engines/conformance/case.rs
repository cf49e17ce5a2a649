//! What a case is made of.

use std::time::Duration;

use carnet::engine::job::{Completed, Job};
use carnet::engine::{EngineError, Layout};
use carnet::model::cell::End;

use crate::conformance::job_dirs::JobDirs;

/// One thing that every engine does alike.
pub(crate) struct Case {
    /// Its name, as the test has it.
    pub name: &'static str,
    /// Runs, one after the other.
    pub steps: &'static [Step],
    /// The runs go on at the same time instead.
    pub together: bool,
}

/// One run and what must come of it.
pub(crate) struct Step {
    /// For the image's `/bin/sh`; `{in}` and `{box}` stand for the two directories, `{mark}` for a text that is unique
    /// to the run and `{env}` for a directory of this machine.
    pub script: &'static str,
    /// Changes the plain job.
    pub set: fn(&mut Job, &JobDirs),
    /// Word for the part of the contract that this is about: an engine that can't enforce it names it in
    /// `not_enforced`, and then nothing else is checked.
    pub about: Option<&'static str>,
    /// When it is cancelled.
    pub cancel: Cancel,
    /// It runs in the state that the step before kept.
    pub in_kept: bool,
    /// What must come out; panics if it doesn't.
    pub check: fn(&Seen<'_>),
}

/// When a run is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    /// Not at all.
    Never,
    /// Before it starts.
    Before,
    /// When it prints this line.
    AtLine(&'static str),
}

/// A run that ends well, of an empty job.
pub(crate) const PLAIN: Step = Step {
    script: "",
    set: |_, _| (),
    about: None,
    cancel: Cancel::Never,
    in_kept: false,
    check: |seen| seen.exits(0),
};

/// A case of one run.
pub(crate) const fn one(name: &'static str, steps: &'static [Step; 1]) -> Case {
    Case { name, steps, together: false }
}

/// A case of several runs in a row.
pub(crate) const fn row(name: &'static str, steps: &'static [Step]) -> Case {
    Case { name, steps, together: false }
}

/// What was seen of a run.
pub(crate) struct Seen<'a> {
    /// What the engine gave back.
    pub outcome: Result<Completed, EngineError>,
    /// The first lines it streamed, each with the time since the start.
    pub lines: Vec<(Duration, String)>,
    /// From the call to its end.
    pub took: Duration,
    /// From the cancelling to its end.
    pub after_cancel: Option<Duration>,
    /// Bytes by which this process's greatest size grew.
    pub grown: u64,
    /// Where the directories were.
    pub layout: Layout,
    /// The case's files.
    pub env: &'a JobDirs,
}

impl Seen<'_> {
    /// The completed run.
    #[track_caller]
    pub(crate) fn done(&self) -> &Completed {
        match &self.outcome {
            Ok(completed) => completed,
            Err(error) => panic!("the engine failed: {}", carnet::error::chain(error)),
        }
    }

    /// It ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) {
        let done = self.done();
        assert_eq!(done.end, End::Exit { code }, "it printed: {}", done.output.text);
    }

    /// What it printed.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        &self.done().output.text
    }

    /// It ended well and printed exactly these lines.
    #[track_caller]
    pub(crate) fn prints(&self, expected: &str) {
        self.exits(0);
        assert_eq!(self.text().trim_end(), expected.trim_end());
    }

    /// Whether it printed this line.
    #[track_caller]
    pub(crate) fn has_line(&self, line: &str) {
        assert!(self.text().lines().any(|l| l == line), "no line `{line}` in: {}", self.text());
    }

    /// The content of the result.
    #[track_caller]
    pub(crate) fn result(&self) -> Option<&[u8]> {
        self.done().result.as_deref()
    }

    /// The engine refused to bring the result back: an error, or none.
    #[track_caller]
    pub(crate) fn refuses_the_result(&self) {
        if let Ok(completed) = &self.outcome {
            let content = completed.result.as_deref().map(String::from_utf8_lossy);
            assert_eq!(content, None, "it printed: {}", completed.output.text);
        }
    }
}
