//! How rules say what they found.

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
        }
    }

    /// Of these bytes of the text.
    pub fn at(range: &Range<usize>, message: impl Into<String>) -> Self {
        Self { range: Some(range.clone()), ..Self::new(message) }
    }

    /// Of a line of a file, for rules of the repository; line 0 is the file as a whole, the path `.` the repository.
    pub fn of(path: &str, line: u32, message: impl Into<String>) -> Self {
        Self { path: Some(path.to_owned()), line, ..Self::new(message) }
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// With another severity than the rule's.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// With another confidence than the rule's.
    #[must_use]
    pub fn confidence(self, confidence: Confidence) -> Self {
        Self { confidence: Some(confidence), ..self }
    }

    /// As one of a group, whose members become one finding when they are many.
    #[must_use]
    pub fn group(self, group: impl Into<String>) -> Self {
        Self { group: group.into(), ..self }
    }

    /// With the facilities it concerns.
    #[must_use]
    pub fn reach(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// With an edit that mends it.
    #[must_use]
    pub fn edit(self, edit: Edit) -> Self {
        Self { edit: Some(edit), ..self }
    }
}
