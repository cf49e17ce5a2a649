//! The environments in which the CI of a repository runs its tests, from GitHub workflows and GitLab pipelines.
//!
//! Nothing is executed. Values that are known only at run time are reported as unsupported. Files are untrusted: sizes,
//! nesting, matrices and substitutions are limited.

mod container_cli;
pub mod detect;
mod expressions;
mod github;
mod gitlab;
mod job_env;
mod lcg_view;
mod matrix;
pub(crate) mod reana;
mod script;
pub mod test_file;
#[cfg(test)]
mod tests;

use super::manifest::node;
use super::manifest::node::{Node, Value};
use crate::config::ci::Ci;
use crate::source::FileSet;

/// Maximum number of bytes read of a file.
const MAX_BYTES: u64 = 1 << 20;
/// Maximum number of files read.
const MAX_FILES: usize = 200;
/// Maximum number of environments returned.
const MAX_ENVIRONMENTS: usize = 64;

/// Reads the CI files of a repository.
pub fn read(files: &dyn FileSet) -> Ci {
    let mut ci = Ci::default();
    let has = |path: &str| files.has(path);
    let workflows = files.paths().into_iter().filter(|path| is_workflow(path)).take(MAX_FILES);
    for path in workflows {
        if let Some(root) = parsed(files, path, &mut ci) {
            github::read(path, &root, &has, &mut ci);
        }
    }
    let pipeline = pipeline(files, &mut ci);
    gitlab::read(&pipeline, &has, &mut ci);
    if ci.environments.len() > MAX_ENVIRONMENTS {
        let more = ci.environments.len() - MAX_ENVIRONMENTS;
        ci.environments.truncate(MAX_ENVIRONMENTS);
        ci.add_unsupported("all files", format!("omitted {more} more environments"));
    }
    ci
}

fn is_workflow(path: &str) -> bool {
    let name = path.strip_prefix(".github/workflows/").filter(|name| !name.contains('/'));
    name.is_some_and(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
}

/// Returns the main file of a GitLab pipeline and the files of the repository that it includes, directly or indirectly.
fn pipeline(files: &dyn FileSet, ci: &mut Ci) -> Vec<(String, Node)> {
    let mut queue = vec![".gitlab-ci.yml".to_owned()];
    let mut read: Vec<(String, Node)> = Vec::new();
    let mut next = 0;
    while let Some(path) = queue.get(next).cloned().filter(|_| next < MAX_FILES) {
        next += 1;
        if !files.has(&path) {
            if next > 1 {
                ci.add_unsupported(
                    ".gitlab-ci.yml",
                    format!("includes `{}`, which is not in this repository", job_env::short(&path)),
                );
            }
            continue;
        }
        if let Some(root) = parsed(files, &path, ci) {
            for include in gitlab::included(&path, &root, ci) {
                if !queue.contains(&include) {
                    queue.push(include);
                }
            }
            read.push((path, root));
        }
    }
    read
}

fn parsed(files: &dyn FileSet, path: &str, ci: &mut Ci) -> Option<Node> {
    let Some(bytes) = files.read(path, MAX_BYTES + 1) else {
        ci.add_unsupported(path, "can't be read");
        return None;
    };
    ci.files.push(path.to_owned());
    if bytes.len() as u64 > MAX_BYTES {
        ci.add_unsupported(path, "larger than 1 MiB");
        return None;
    }
    match node::yaml(&String::from_utf8_lossy(&bytes)) {
        Ok(root) => Some(root),
        Err(error) => {
            ci.add_unsupported(path, format!("invalid YAML: {}", job_env::short(&error.to_string())));
            None
        }
    }
}

/// Returns a scalar as text.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::None => Some(String::new()),
        Value::List(_) | Value::Map(_) => None,
    }
}
