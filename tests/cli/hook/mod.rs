//! The pre-push hook in repositories with remotes: git runs the installed hook, which runs the binary.

mod chain;
mod hooks_dir;
mod push;
