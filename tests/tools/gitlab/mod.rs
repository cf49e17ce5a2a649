//! The templates of GitLab CI, run by gitlab-ci-local: what users copy from the documentation, and what they may put in.

mod component;
mod docker;
mod documentation;
mod env;
mod flat;
mod install;
mod lint;
mod template;
