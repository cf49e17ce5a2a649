//! The documentation: commands print the output that is shown, commands and options exist, and links resolve.

#[path = "../support/mod.rs"]
mod support;

mod command;
mod link;
mod page;
mod text;

fn main() {
    support::harness::main(Vec::new());
}
