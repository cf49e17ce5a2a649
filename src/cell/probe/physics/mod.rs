//! Physics software that comes outside any package manager.

pub(super) mod installation;
pub(super) mod release;
