//! The rules, one table for each thing that they look at.

mod path;

pub(super) use path::PATH;
