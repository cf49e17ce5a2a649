//! An engine under test.

use carnet::engine::Engine;
use carnet::model::reference::Reference;

/// Lists what is there of a name.
pub(crate) type Search = Box<dyn Fn(&str) -> Vec<String>>;

/// An engine, an image for it, and what it can't do.
pub(crate) struct Subject {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// The busybox image, in a transport that it takes.
    pub image: Reference,
    /// Parts of the contract that it may say it doesn't enforce.
    pub lacks: &'static [&'static str],
    /// Cases without a meaning on it, each with the reason.
    pub moot: &'static [(&'static str, &'static str)],
    /// What it still has of the run or key of this name, beyond processes, mounts and temporary files.
    pub leftovers: Search,
    /// Removes the state kept under this key.
    pub forget: Box<dyn Fn(&str)>,
}
