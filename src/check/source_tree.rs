//! The files of the analysis, and the input directory with their copy.

use std::sync::OnceLock;

use tokio::sync::OnceCell;

use super::error::CheckError;
use super::input_dir::InputDir;
use crate::error::Error;
use crate::model::digest::Digest;
use crate::model::tree::Tree;
use crate::source::git::tree::Listing;

/// The tree of the analysis, and the input directory with its copy.
pub(super) struct SourceTree {
    listing: Listing,
    /// The tree before anything was copied; only computed for cache lookups.
    initial: Option<Tree>,
    input_dir: OnceCell<InputDir>,
    copied: OnceLock<Tree>,
}

impl SourceTree {
    /// Computes the digest of the tree, and leaves the copy to the first cell that runs.
    ///
    /// # Errors
    /// If a file can't be read.
    pub(super) fn deferred(listing: Listing) -> Result<Self, Error> {
        let initial = Some(listing.digest()?);
        Ok(Self { listing, initial, input_dir: OnceCell::new(), copied: OnceLock::new() })
    }

    /// Copies the tree immediately.
    ///
    /// # Errors
    /// As [`InputDir::create`].
    pub(super) fn copied(listing: Listing) -> Result<Self, Error> {
        let input_dir = InputDir::create(&listing)?;
        let copied = OnceLock::from(input_dir.tree().clone());
        Ok(Self { listing, initial: None, input_dir: OnceCell::from(input_dir), copied })
    }

    /// Returns the tree that the tests see: the copy, if it exists.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.copied.get().or(self.initial.as_ref())
    }

    /// Returns the digest of the tree that the tests see.
    pub(super) fn digest(&self) -> Option<&Digest> {
        self.tree().map(|tree| &tree.digest)
    }

    /// Reports whether files changed between the cache lookup and the copy.
    pub(super) fn has_changed(&self) -> bool {
        let initial = self.initial.as_ref().map(|tree| &tree.digest);
        initial.is_some_and(|initial| self.copied.get().is_some_and(|copied| copied.digest != *initial))
    }

    /// Returns the input directory, creating it on the first call.
    ///
    /// # Errors
    /// As [`InputDir::create`].
    pub(super) async fn input_dir(&self) -> Result<&InputDir, Error> {
        let create = || async {
            let listing = self.listing.clone();
            let created = tokio::task::spawn_blocking(move || InputDir::create(&listing)).await;
            let input_dir = created.unwrap_or_else(|_| Err(CheckError::Panicked.into()))?;
            let _ = self.copied.set(input_dir.tree().clone());
            Ok(input_dir)
        };
        self.input_dir.get_or_try_init(create).await
    }

    /// Returns the listing of the files.
    pub(super) fn listing(&self) -> &Listing {
        &self.listing
    }
}
