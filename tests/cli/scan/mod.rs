//! `carnet scan`: options, unusual repositories and hostile content.

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
