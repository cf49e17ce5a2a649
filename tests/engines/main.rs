//! Engines, cells and snapshots on images and daemons. `make test` sets up what they need.

#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod cell;
mod conformance;
mod docker;
mod embedded;
mod hook_results;
mod host;
mod misbehaving;
mod packages;
mod probe;
mod result_cache;

fn main() {
    support::harness::main(conformance::trials());
}
