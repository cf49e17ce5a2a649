//! The documentation: examples behave as shown, named commands exist, and links resolve.

#[path = "../support/mod.rs"]
mod support;

mod command;
mod link;
mod page;
mod text;

fn main() {
    support::harness::main(Vec::new());
}
