//! `carnet scan`: the real binary, in a scrubbed environment, on what people and repositories can do to it.

mod audit;
mod changed;
mod content;
mod fingerprint;
mod huge;
mod mend;
mod options;
#[path = "../support/program.rs"]
mod program;
mod repository;
#[path = "../cli/room.rs"]
#[expect(dead_code, reason = "shared with the tests of other commands, which use the rest of it")]
mod room;
mod secret;
mod tree;
