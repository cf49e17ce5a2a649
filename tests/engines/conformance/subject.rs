//! An engine under test.

use carnet::engine::Engine;
use carnet::model::reference::Reference;

/// Lists the leftovers of a run or key.
pub(crate) type Search = Box<dyn Fn(&str) -> Vec<String>>;

/// An engine, an image for it, and the parts of the contract that it can't enforce.
pub(crate) struct Subject {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// The busybox image in a supported transport.
    pub image: Reference,
    /// Parts of the contract that it may report as not enforced.
    pub lacks: &'static [&'static str],
    /// Cases that have no meaning on this engine, with the reason.
    pub moot: &'static [(&'static str, &'static str)],
    /// Lists leftovers other than processes, mounts and temporary files.
    pub leftovers: Search,
    /// Removes the state that was saved with this key.
    pub forget: Box<dyn Fn(&str)>,
}
