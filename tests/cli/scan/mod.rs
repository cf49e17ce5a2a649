//! `carnet scan`: the real binary, in a scrubbed environment, on what people and repositories can do to it.

mod changed;
mod content;
mod findings;
mod fingerprint;
mod fix;
mod huge;
mod options;
mod repository;
mod secret;
mod tree;
