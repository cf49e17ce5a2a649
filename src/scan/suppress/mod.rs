//! Suppression of findings by comments, `[scan] ignore` and the baseline.
//!
//! A suppressed finding stays in the result with its reason. An unused ignore is a finding of the rule `unused-ignore`.

mod apply;
pub mod baseline;
pub mod fingerprint;
pub mod inline;
mod unused;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::finding::{Finding, Severity};
use crate::model::scan::Note;
use baseline::Baseline;
use inline::Directive;

pub use apply::{apply, matcher};

/// Settings for the suppression of findings.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// Ids of the rules that ran. An ignore of another rule is not reported as unused.
    pub active: Vec<&'a str>,
    /// Ids of all rules, to recognize misspelled ones.
    pub known: Vec<&'a str>,
    /// `[scan] ignore`, in the order of the file.
    pub ignore: Vec<Ignore>,
    /// `[scan] severity`: rule, severity.
    pub severity: BTreeMap<String, Severity>,
    /// The baseline, with its path relative to the top.
    pub baseline: Option<(&'a str, &'a Baseline)>,
    /// Path of the configuration relative to the top, for findings in it.
    pub config: &'a str,
    /// The current date, for ignores with an end date.
    pub today: Date,
    /// Whether only a part of the repository was scanned. Ignores and baseline entries are not reported as unused then.
    pub partial: bool,
}

/// One entry of `[scan] ignore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Rule.
    pub rule: String,
    /// Glob of paths relative to the top; `**` for all.
    pub glob: String,
    /// Reason.
    pub reason: String,
    /// Last day on which it applies.
    pub until: Option<Date>,
    /// Line in the configuration, from 1.
    pub line: u32,
}

/// The result of [`apply()`].
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// All findings, including those of the rule `unused-ignore`, with suppressed ones marked. Sorted by path, location and
    /// rule.
    pub findings: Vec<Finding>,
    /// Invalid directives, such as one without a reason.
    pub notes: Vec<Note>,
}

/// Comments that suppress, by file.
pub type Directives = BTreeMap<String, Vec<Directive>>;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
