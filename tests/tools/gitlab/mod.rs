//! The templates of GitLab CI, run by gitlab-ci-local. The pipelines are those of the documentation.

mod component;
mod docker;
mod documentation;
mod env;
mod flat;
mod install;
mod lint;
mod template;
