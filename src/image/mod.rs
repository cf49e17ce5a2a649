//! Images: archives and layouts on disk, and their unpacked trees.

mod blob;
pub(crate) mod config;
pub mod disk;
mod docker_archive;
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
