//! carnet together with other programs: GitHub's and GitLab's runners, hook managers, browsers, readers of JUnit.
//! `make test-tools` installs them.

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
