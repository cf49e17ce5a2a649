//! The rules of the scan, one per file, each with its manual page.
//!
//! A rule is a pure function: it receives facts and returns [`Diagnostic`]s.

mod absolute_shebang;
mod batch_site;
pub mod committed_credential;
pub mod context;
mod dead_url;
mod diagnostic;
mod generated_paths;
mod image_without_digest;
mod install;
mod lfs_pointer;
mod lock_disagrees;
mod machine_flags;
mod missing_file;
mod missing_module;
mod missing_name;
mod missing_tests;
mod module;
mod moving_action;
mod moving_image;
mod network_at_import;
mod no_declaration;
mod no_lock;
mod nounset_setup;
mod path;
mod python_range;
mod python_syntax;
mod relative;
mod retired_os;
mod shadowed_venv;
mod site_command;
mod site_executor;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod undeclared_import;
mod unpinned_dependency;
mod unpinned_submodule;
pub mod unused_ignore;
mod unversioned_corrections;
mod wheel_not_installable;

use std::ops::Range;

use context::{FileInput, RepositoryInput};

use crate::model::finding::{Confidence, Reach, Severity};

/// The rules of this module, in the order of documents. To add a rule, write its file, declare it above and list it here;
/// rules about paths are listed in [`path::RULES`]. A test reports a rule that is not listed.
const RULES: &[&Rule] = &[
    // Programs, jobs and images.
    &absolute_shebang::RULE,
    &batch_site::RULE,
    &committed_credential::RULE,
    &dead_url::RULE,
    &generated_paths::RULE,
    &image_without_digest::RULE,
    &lfs_pointer::RULE,
    &machine_flags::RULE,
    &missing_file::RULE,
    &missing_tests::RULE,
    &moving_action::RULE,
    &moving_image::RULE,
    &network_at_import::RULE,
    &nounset_setup::RULE,
    &retired_os::RULE,
    &site_command::RULE,
    &site_executor::RULE,
    &unpinned_submodule::RULE,
    &unversioned_corrections::RULE,
    // Dependencies.
    &lock_disagrees::RULE,
    &missing_module::RULE,
    &missing_name::RULE,
    &no_declaration::RULE,
    &no_lock::RULE,
    &python_range::RULE,
    &python_syntax::RULE,
    &shadowed_venv::RULE,
    &undeclared_import::RULE,
    &unpinned_dependency::RULE,
    &wheel_not_installable::RULE,
];

/// Returns every rule, in the order of documents.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(path::RULES).copied().chain([&unused_ignore::RULE])
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Id in kebab case.
    pub id: &'static str,
    /// Default severity of its findings.
    pub severity: Severity,
    /// Default confidence of its findings.
    pub confidence: Confidence,
    /// One-line description.
    pub summary: &'static str,
    /// Manual page in Markdown: What it does, Why it breaks elsewhere, Example, How to fix, Limits.
    pub page: &'static str,
    /// Function that runs the rule.
    pub check: Check,
}

/// The function of a rule, with its input.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Checks one file.
    File(fn(&FileInput<'_>, &mut Vec<Diagnostic>)),
    /// Checks the repository after all files were read.
    Repository(fn(&RepositoryInput<'_>, &mut Vec<Diagnostic>)),
}

/// The result of a rule for one location.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Bytes of the view's text; `None` for the whole file.
    pub range: Option<Range<usize>>,
    /// File, for repository rules.
    pub path: Option<String>,
    /// Line, for repository rules; 0 for the whole file.
    pub line: u32,
    /// Severity; `None` for that of the rule.
    pub severity: Option<Severity>,
    /// Confidence; `None` for that of the rule.
    pub confidence: Option<Confidence>,
    /// Message, one line.
    pub message: String,
    /// Help, one line.
    pub help: Option<String>,
    /// A safe edit that fixes the problem.
    pub edit: Option<Edit>,
    /// Affected facilities.
    pub reach: Reach,
    /// Key of the group whose members become one finding if there are many, such as an endpoint or a root with its owner; empty
    /// for none.
    pub group: String,
    /// Text that identifies the finding in its fingerprint if it has no source line, and that orders findings on the same
    /// line; `None` for the message. It keeps baselines valid when a message is reworded, so it never changes.
    pub identity: Option<String>,
}

/// A safe edit of the text.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Bytes of the view's text.
    pub range: Range<usize>,
    /// Text that replaces them.
    pub replacement: String,
    /// Description of the edit.
    pub title: String,
}
