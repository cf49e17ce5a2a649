//! Engines, cells and snapshots on images and daemons, which `make test` provides.

#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod cell;
mod conformance;
mod docker;
mod embedded;
mod hook_results;
mod host;
mod isolation;
mod job;
mod leftovers;
mod misbehaving;
mod nested;
mod packages;
mod probe;
mod redact;
mod result_cache;
mod unpacked;

fn main() {
    support::harness::main(conformance::trials());
}
