//! carnet with other programs: runners of GitHub and GitLab, hook managers, a browser, readers of JUnit.
//!
//! `make test-tools` installs the programs.

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod github;
mod gitlab;
mod hook_managers;
mod junit_readers;

fn main() {
    support::harness::main(Vec::new());
}
