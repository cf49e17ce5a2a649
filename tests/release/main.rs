//! What a release is made of, tried: archive, wheel, container image. The packages are those that `CARNET_PACKAGES` names
//! (continuous integration makes them of the release build), or `.ci/package` makes them here of the debug build.

mod archive;
#[path = "../conformance/fixture.rs"]
#[expect(dead_code, reason = "the image of busybox is for engines")]
mod fixture;
mod image;
mod installer;
mod notes;
mod packages;
mod version;
mod wheel;
