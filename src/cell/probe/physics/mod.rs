//! Physics software that is not managed by a package manager.

pub(super) mod installation;
pub(super) mod release;
