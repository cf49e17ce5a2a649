//! File modes in git's trees and index.

/// Mode of a symbolic link.
pub(super) const LINK: u32 = 0o120_000;
/// Mode of a submodule.
pub(super) const SUBMODULE: u32 = 0o160_000;
/// Mode of an executable file.
pub(super) const EXECUTABLE: u32 = 0o100_755;
