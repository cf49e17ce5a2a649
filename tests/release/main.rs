//! The files of a release: archive, wheel and container image. `CARNET_PACKAGES` names a directory with packages of the release build.
//! Without it, `.ci/package` creates packages of the debug build.

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
