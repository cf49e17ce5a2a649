//! Which findings are not reported, and why: comments in the files, `[scan] ignore`, and the baseline.
//!
//! A suppressed finding stays in the result with its reason. What suppresses nothing is itself a finding, of the rule
//! `unused-ignore`.

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

/// What decides over findings.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// Ids of the rules that ran; what would suppress another rule's findings is not called unused.
    pub active: Vec<&'a str>,
    /// Ids of all rules there are, to tell a misspelt one.
    pub known: Vec<&'a str>,
    /// `[scan] ignore`, in the order of the file.
    pub ignore: Vec<Ignore>,
    /// `[scan] severity`: rule, severity.
    pub severity: BTreeMap<String, Severity>,
    /// The baseline, with its path relative to the top.
    pub baseline: Option<(&'a str, &'a Baseline)>,
    /// Path of the configuration relative to the top, for findings about it.
    pub config: &'a str,
    /// Today, for what is suppressed until a day.
    pub today: Date,
    /// Whether only a part of the repository was scanned: then nobody can say that an ignore or a baseline entry is unused.
    pub partial: bool,
}

/// One entry of `[scan] ignore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Rule.
    pub rule: String,
    /// Glob of paths relative to the top; `**` for all.
    pub glob: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds.
    pub until: Option<Date>,
    /// Line in the configuration, from 1.
    pub line: u32,
}

/// What became of the findings.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// All of them, suppressed ones marked, with those of the rule `unused-ignore`; sorted by path, place and rule.
    pub findings: Vec<Finding>,
    /// Directives that can't be followed, such as one without a reason.
    pub notes: Vec<Note>,
}

/// Comments that suppress, by file.
pub type Directives = BTreeMap<String, Vec<Directive>>;

#[cfg(test)]
mod tests;
