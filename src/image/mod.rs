//! Images: references to them, archives and layouts on disk, and their unpacked trees.

pub mod reference;
