//! The description of the analysis in documents and plans.

use super::options::Options;
use crate::model::document::Analysis;
use crate::model::tree::Tree;
use crate::source::git::repository;
use crate::source::git::tree::Listing;
use crate::source::manifest;
use crate::source::manifest::imports;

/// Describes the analysis and the state of its repository.
pub(super) fn describe(options: &Options, listing: &Listing, tree: Tree) -> Analysis {
    let facts = repository::facts(&options.top);
    let directory = options.top.file_name().map(|name| name.to_string_lossy().into_owned());
    Analysis {
        name: options.config.name.clone().or(directory).unwrap_or_else(|| "analysis".to_owned()),
        directory: repository::path_in_repository(&options.top),
        commit: facts.commit,
        dirty: facts.dirty,
        remote: facts.remote,
        tree,
        imports: imports::modules(listing),
        locks: manifest::recorded_files(listing),
    }
}
