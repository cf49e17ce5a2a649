//! Constructors of diagnostics.

use std::ops::Range;

use super::{Diagnostic, Edit};
use crate::model::finding::{Confidence, Reach, Severity};

impl Diagnostic {
    fn new(message: impl Into<String>) -> Self {
        Self {
            range: None,
            path: None,
            line: 0,
            severity: None,
            confidence: None,
            message: message.into(),
            help: None,
            edit: None,
            reach: Reach::default(),
            group: String::new(),
            identity: None,
        }
    }

    /// Creates a diagnostic for a range of the view's text.
    pub fn at(range: &Range<usize>, message: impl Into<String>) -> Self {
        Self { range: Some(range.clone()), ..Self::new(message) }
    }

    /// Creates a diagnostic for a line of a file, for repository rules. Line 0 is the whole file, the path `.` the
    /// repository.
    pub fn in_file(path: &str, line: u32, message: impl Into<String>) -> Self {
        Self { path: Some(path.to_owned()), line, ..Self::new(message) }
    }

    /// Sets the help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Sets a severity that differs from that of the rule.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Sets a confidence that differs from that of the rule.
    #[must_use]
    pub fn confidence(self, confidence: Confidence) -> Self {
        Self { confidence: Some(confidence), ..self }
    }

    /// Assigns the diagnostic to a group. If a group is large, its members become one finding.
    #[must_use]
    pub fn group(self, group: impl Into<String>) -> Self {
        Self { group: group.into(), ..self }
    }

    /// Sets the affected facilities.
    #[must_use]
    pub fn reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Sets the text that identifies the finding in its fingerprint if the finding has no source line. Rules keep the
    /// old wording of their messages here so that baselines of earlier versions match.
    #[must_use]
    pub fn identity(self, identity: impl Into<String>) -> Self {
        Self { identity: Some(identity.into()), ..self }
    }

    /// Sets a safe edit that fixes it.
    #[must_use]
    pub fn edit(self, edit: Edit) -> Self {
        Self { edit: Some(edit), ..self }
    }
}
