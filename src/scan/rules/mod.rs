//! What breaks elsewhere: one rule a file, each with its manual page.
//!
//! A rule is pure. It is given facts, never handles, and gives back [`Diagnostic`]s.

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
mod retired_os;
mod shadowed_venv;
mod site_command;
mod site_executor;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
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

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Kebab-case name of the pattern.
    pub id: &'static str,
    /// Severity of its findings, unless one says otherwise.
    pub severity: Severity,
    /// Confidence of its findings, unless one says otherwise.
    pub confidence: Confidence,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// The manual page, Markdown: What it does, Why it breaks elsewhere, Example, How to fix, Limits.
    pub page: &'static str,
    /// What it looks at.
    pub check: Check,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// One file.
    File(fn(&FileInput<'_>, &mut Vec<Diagnostic>)),
    /// The repository as a whole, after all files.
    Repository(fn(&RepositoryInput<'_>, &mut Vec<Diagnostic>)),
}

/// What a rule says of one place.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Bytes of the view's text; none for the whole file.
    pub range: Option<Range<usize>>,
    /// File, when it is another than the one given (rules of the repository).
    pub path: Option<String>,
    /// Line, for what has no view (rules of the repository); 0 for the whole file.
    pub line: u32,
    /// Severity; none for the rule's.
    pub severity: Option<Severity>,
    /// Confidence; none for the rule's.
    pub confidence: Option<Confidence>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, in one line.
    pub help: Option<String>,
    /// A safe edit: bytes of the view's text, replacement and title.
    pub edit: Option<Edit>,
    /// Facilities it concerns.
    pub reach: Reach,
    /// What several findings of one file have in common, so that they become one when there are many: an endpoint, a root with its owner.
    pub group: String,
}

/// A safe edit of the text.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Bytes of the view's text.
    pub range: Range<usize>,
    /// What stands there afterwards.
    pub replacement: String,
    /// What it does.
    pub title: String,
}
