//! The templates of GitLab CI, run by gitlab-ci-local: what users copy from the documentation, and what they may put in.

mod component;
mod docker;
mod documentation;
mod flat;
mod install;
mod lint;
#[path = "../support/program.rs"]
mod program;
mod room;
mod template;
