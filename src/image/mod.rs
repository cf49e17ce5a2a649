//! Images: archives and layouts on disk, and their unpacked trees.

mod blob;
pub mod cache;
pub(crate) mod config;
pub mod disk;
pub mod error;
pub mod export;
mod index;
pub mod layer;
pub mod lock;
pub mod remove;
pub mod root;
mod saved;
mod tree;
pub mod unpack;
mod whiteout;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
