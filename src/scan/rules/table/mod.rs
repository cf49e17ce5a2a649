//! The tables of rules, by what they look at.

pub(super) mod code;
pub(super) mod dependency;
pub(super) mod path;
