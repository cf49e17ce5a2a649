//! What the cells of a check are given: the tree, copied for them once the first of them runs.

use std::sync::OnceLock;

use tokio::sync::OnceCell;

use super::stage::Stage;
use crate::error::Error;
use crate::model::digest::Digest;
use crate::model::tree::Tree;
use crate::source::git::tree::Listing;

/// The tree of the analysis, and the input directory made of it.
pub(super) struct SourceTree {
    listing: Listing,
    /// The tree as it was before anything was copied, when somebody asked for it.
    seen: Option<Tree>,
    stage: OnceCell<Stage>,
    copied: OnceLock<Tree>,
}

impl SourceTree {
    /// Only looks at the tree: nothing is copied before a cell runs.
    ///
    /// # Errors
    /// When a file can't be read.
    pub(super) fn look(listing: Listing) -> Result<Self, Error> {
        let seen = Some(listing.digest()?);
        Ok(Self { listing, seen, stage: OnceCell::new(), copied: OnceLock::new() })
    }

    /// Copies the tree at once.
    ///
    /// # Errors
    /// As [`Stage::new`].
    pub(super) fn copy(listing: Listing) -> Result<Self, Error> {
        let stage = Stage::new(&listing)?;
        let copied = OnceLock::from(stage.tree().clone());
        Ok(Self { listing, seen: None, stage: OnceCell::from(stage), copied })
    }

    /// What the tests see: the copy, once there is one.
    pub(super) fn tree(&self) -> Option<&Tree> {
        self.copied.get().or(self.seen.as_ref())
    }

    /// Digest of that.
    pub(super) fn digest(&self) -> Option<&Digest> {
        self.tree().map(|tree| &tree.digest)
    }

    /// Whether the files changed between the first look and the copy.
    pub(super) fn has_moved(&self) -> bool {
        let seen = self.seen.as_ref().map(|tree| &tree.digest);
        seen.is_some_and(|seen| self.copied.get().is_some_and(|copied| copied.digest != *seen))
    }

    /// The input directory.
    ///
    /// # Errors
    /// As [`Stage::new`].
    pub(super) async fn stage(&self) -> Result<&Stage, Error> {
        let make = || async {
            let listing = self.listing.clone();
            let made = tokio::task::spawn_blocking(move || Stage::new(&listing)).await;
            let stage = made.unwrap_or_else(|_| Err(super::RunError::Ended.into()))?;
            let _ = self.copied.set(stage.tree().clone());
            Ok(stage)
        };
        self.stage.get_or_try_init(make).await
    }

    /// What was listed.
    pub(super) fn listing(&self) -> &Listing {
        &self.listing
    }
}
