//! Where the CI of a repository runs its tests: workflows of GitHub and pipelines of GitLab, as far as their files tell.
//!
//! Nothing is run, and what only a run tells is named with its place. Files are hostile: sizes, nesting, matrices and
//! substitutions are bounded.

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
#[cfg(test)]
mod tests;

use super::manifest::node;
use super::manifest::node::{Node, Value};
use crate::config::ci::Ci;
use crate::source::FileSet;

/// Largest file that is read.
const CAP: u64 = 1 << 20;
/// Most files that are read.
const MOST_FILES: usize = 200;
/// Most places that are taken up.
const MOST_PLACES: usize = 64;

/// What the CI files of a repository say.
pub fn read(files: &dyn FileSet) -> Ci {
    let mut ci = Ci::default();
    let has = |path: &str| files.has(path);
    let workflows = files.paths().into_iter().filter(|path| is_workflow(path)).take(MOST_FILES);
    for path in workflows {
        if let Some(root) = parsed(files, path, &mut ci) {
            github::read(path, &root, &has, &mut ci);
        }
    }
    let pipeline = pipeline(files, &mut ci);
    gitlab::read(&pipeline, &has, &mut ci);
    if ci.places.len() > MOST_PLACES {
        let more = ci.places.len() - MOST_PLACES;
        ci.places.truncate(MOST_PLACES);
        ci.leave("all files", format!("{more} more places were left out"));
    }
    ci
}

fn is_workflow(path: &str) -> bool {
    let name = path.strip_prefix(".github/workflows/").filter(|name| !name.contains('/'));
    name.is_some_and(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
}

/// The main file of GitLab with those of the repository that it includes, and that these include.
fn pipeline(files: &dyn FileSet, ci: &mut Ci) -> Vec<(String, Node)> {
    let mut queue = vec![".gitlab-ci.yml".to_owned()];
    let mut read: Vec<(String, Node)> = Vec::new();
    let mut at = 0;
    while let Some(path) = queue.get(at).cloned().filter(|_| at < MOST_FILES) {
        at += 1;
        if !files.has(&path) {
            if at > 1 {
                ci.leave(".gitlab-ci.yml", format!("it includes `{}`, which is not here", job_env::short(&path)));
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
    let Some(bytes) = files.read(path, CAP + 1) else {
        ci.leave(path, "it can't be read");
        return None;
    };
    ci.files.push(path.to_owned());
    if bytes.len() as u64 > CAP {
        ci.leave(path, "it is larger than 1 MiB");
        return None;
    }
    match node::yaml(&String::from_utf8_lossy(&bytes)) {
        Ok(root) => Some(root),
        Err(problem) => {
            ci.leave(path, format!("it is no YAML: {}", job_env::short(&problem)));
            None
        }
    }
}

/// A text, or what stands for one.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::None => Some(String::new()),
        Value::List(_) | Value::Map(_) => None,
    }
}
