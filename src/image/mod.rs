//! Images on disk: archives, layouts and unpacked trees.

mod blob;
pub(crate) mod config;
pub mod disk;
mod docker_archive;
mod documents;
pub mod error;
pub mod export;
pub mod layer;
mod oci_layout;
mod tree;
pub mod unpack;
mod whiteout;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
