//! Ignores that suppress nothing.

use super::{Check, Rule};
use crate::model::finding::{Confidence, Severity};

/// Id of the rule.
pub const ID: &str = "unused-ignore";

/// Ignores in comments, `carnet.toml` or the baseline that suppress nothing.
///
/// The check is empty: whether an ignore is used is known only after every finding was compared with it, so the findings
/// of this rule are created by [`crate::scan::suppress::apply`].
pub static RULE: Rule = Rule {
    id: ID,
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "ignore comment or entry that does not suppress a finding, has expired, or names an unknown rule",
    page: include_str!("unused_ignore.md"),
    check: Check::Repository(|_, _| {}),
};
