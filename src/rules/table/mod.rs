//! The rules, one table for each thing that they look at.

mod code;
mod path;

pub(super) use code::CODE;
pub(super) use path::PATH;
