//! The rule of ignores that suppress nothing. Its findings come from [`super::apply()`], which alone knows.

use super::super::{Check, Rule};
use crate::model::finding::{Confidence, Severity};

/// Id of the rule.
pub const ID: &str = "unused-ignore";

/// Ignores, in comments, `carnet.toml` or the baseline, that suppress nothing.
pub static RULE: Rule = Rule {
    id: ID,
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "an ignore that suppresses nothing, has run out or names no rule",
    page: include_str!("unused.md"),
    check: Check::Repository(|_, _| {}),
};
