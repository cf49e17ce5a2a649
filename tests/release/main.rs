//! What a release is made of, tried: archive, wheel, container image. The packages are those that `CARNET_PACKAGES` names
//! (continuous integration makes them of the release build), or `.ci/package` makes them here of the debug build.

#[path = "../support/mod.rs"]
mod support;

mod archive;
mod image;
mod installer;
mod notes;
mod packages;
mod version;
mod wheel;

fn main() {
    support::harness::main(Vec::new());
}
