//! The parts of a case.

use carnet::engine::job::{Completed, Job};
use carnet::engine::{EngineError, Layout};
use carnet::model::cell::End;

use crate::conformance::job_dirs::JobDirs;

/// One behavior that all engines share.
pub(crate) struct Case {
    /// The last part of the name of the test.
    pub name: &'static str,
    /// The runs, in order.
    pub steps: &'static [Step],
    /// Whether the runs happen at the same time instead.
    pub together: bool,
}

/// One run and its expected result.
pub(crate) struct Step {
    /// The script for `/bin/sh` of the image. `{in}` and `{box}` are the two directories, `{mark}` is a text that is unique to the
    /// run, and `{env}` is a directory of this machine.
    pub script: &'static str,
    /// Changes the default job.
    pub set: fn(&mut Job, &JobDirs),
    /// The part of the contract that the case tests. If an engine lists it in `not_enforced`, the result is not checked.
    pub about: Option<&'static str>,
    /// When the run is cancelled.
    pub cancel: Cancel,
    /// Whether it runs in the state that the previous step saved.
    pub in_kept: bool,
    /// Panics if the result is wrong.
    pub check: fn(&Seen<'_>),
}

/// When a run is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    /// Never.
    Never,
    /// Before it starts.
    Before,
    /// When it prints this line.
    AtLine(&'static str),
}

/// A run of an empty script, which succeeds.
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

/// The result of a run.
pub(crate) struct Seen<'a> {
    /// The return value of the engine.
    pub outcome: Result<Completed, EngineError>,
    /// The first lines that the engine streamed.
    pub lines: Vec<String>,
    /// The number of bytes by which the peak memory of this process grew.
    pub grown: u64,
    /// The directories of the run.
    pub layout: Layout,
    /// The files of the case.
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

    /// Fails unless the program ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) {
        let done = self.done();
        assert_eq!(done.end, End::Exit { code }, "it printed: {}", done.output.text);
    }

    /// The output.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        &self.done().output.text
    }

    /// Fails unless the program succeeded and printed exactly these lines.
    #[track_caller]
    pub(crate) fn prints(&self, expected: &str) {
        self.exits(0);
        assert_eq!(self.text().trim_end(), expected.trim_end());
    }

    /// Fails unless the program printed this line.
    #[track_caller]
    pub(crate) fn has_line(&self, line: &str) {
        assert!(self.text().lines().any(|l| l == line), "no line `{line}` in: {}", self.text());
    }

    /// The content of the result.
    #[track_caller]
    pub(crate) fn result(&self) -> Option<&[u8]> {
        self.done().result.as_deref()
    }
}
