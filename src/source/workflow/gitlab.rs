//! `.gitlab-ci.yml` with the files of the repository that it includes: jobs and their images.
//!
//! What the keys mean: docs.gitlab.com, "CI/CD YAML syntax reference".

use std::collections::BTreeMap;

use super::job_env::{JobEnv, named, short};
use super::script::Script;
use super::{Node, expressions, matrix, scalar};
use crate::config::ci::Ci;

/// Keys at the top that are no jobs.
const GLOBAL: [&str; 13] = [
    "default",
    "image",
    "services",
    "before_script",
    "after_script",
    "variables",
    "stages",
    "workflow",
    "include",
    "spec",
    "cache",
    "types",
    "true",
];
/// Most jobs.
const MOST_JOBS: usize = 500;
/// Most jobs that one extends, over all steps.
const MOST_PARENTS: usize = 32;
/// How deep lists of commands may lie in each other; GitLab's own bound.
const DEPTH: usize = 10;
/// Most bytes of commands of one job.
const MOST_TEXT: usize = 64 << 10;
/// Variables by which people steer GitLab itself.
const CONTROL: [&str; 12] = [
    "CI_",
    "GIT_",
    "FF_",
    "KUBERNETES_",
    "DOCKER_",
    "GITLAB_",
    "ARTIFACT_",
    "CACHE_",
    "RUNNER_",
    "TRANSFER_",
    "SECURE_",
    "FORCE_",
];

/// The files of a pipeline, the first one's jobs before those of the others.
pub(super) struct Pipeline<'a> {
    roots: &'a [(String, Node)],
    jobs: BTreeMap<&'a str, (&'a str, &'a Node)>,
    has: &'a dyn Fn(&str) -> bool,
}

/// Reads a pipeline: the main file first, then what it includes. `has` knows the files of the repository.
pub(super) fn read(roots: &[(String, Node)], has: &dyn Fn(&str) -> bool, ci: &mut Ci) {
    let mut jobs = BTreeMap::new();
    for (path, root) in roots {
        for (name, job) in root.entries().filter(|(name, _)| !GLOBAL.contains(name)) {
            if jobs.len() < MOST_JOBS && job.entries().next().is_some() {
                jobs.entry(name).or_insert((path.as_str(), job));
            }
        }
    }
    let pipeline = Pipeline { roots, jobs, has };
    let mut order: Vec<_> = pipeline.jobs.iter().filter(|(name, _)| !name.starts_with('.')).collect();
    order.sort_by_key(|(_, (path, job))| (roots.iter().position(|(p, _)| p == path), job.line));
    for (name, (path, job)) in order {
        pipeline.job(name, path, job, ci);
    }
}

/// Files of the repository that a file includes; what lies elsewhere is left.
pub(super) fn included(path: &str, root: &Node, ci: &mut Ci) -> Vec<String> {
    let Some(include) = root.get("include") else { return Vec::new() };
    let single = std::slice::from_ref(include);
    let mut found = Vec::new();
    for entry in if include.items().is_empty() { single } else { include.items() } {
        let local = entry.text_of("local").or_else(|| entry.text().filter(|text| !text.contains("://")));
        let at = format!("{path}:{}", entry.line.max(include.line));
        match local {
            Some(local) if !local.contains(['*', '$']) => found.push(local.trim_start_matches('/').to_owned()),
            Some(local) => ci.leave(&at, format!("it includes `{}`", short(local))),
            None => {
                let kinds = ["project", "remote", "template", "component"];
                let what = kinds.iter().find_map(|kind| entry.text_of(kind).map(|text| format!("{kind} {text}")));
                let what = what.or_else(|| entry.text().map(str::to_owned)).unwrap_or_else(|| "something".to_owned());
                ci.leave(&at, format!("it includes `{}`, which is not in this repository", short(&what)));
            }
        }
    }
    found
}

impl Pipeline<'_> {
    fn job(&self, name: &str, path: &str, job: &Node, ci: &mut Ci) {
        let at = format!("job `{}` ({path}:{})", short(name), job.line);
        let mut missing = Vec::new();
        let chain = self.chain(job, &mut missing);
        for parent in &missing {
            ci.leave(&at, format!("it extends `{}`, which is not in this repository", short(parent)));
        }
        if self.get(&chain, "trigger").is_some() {
            return ci.leave(&at, "it starts another pipeline");
        }
        let mut text = String::new();
        for key in ["before_script", "script"] {
            if let Some(node) = self.get(&chain, key) {
                self.commands(node, &mut text, 0);
            }
        }
        if text.is_empty() {
            if missing.is_empty() {
                ci.leave(&at, "it has no script");
            }
            return;
        }
        let Some(image) = self.get(&chain, "image") else {
            // Without one the runner decides.
            if super::script::is_test(&text) || text.lines().any(super::script::is_test) {
                JobEnv { scripts: vec![Script::read(&text, self.has)], ..JobEnv::default() }.test(&at, ci);
            }
            return ci.leave(&at, "it names no image: its runner decides where it runs");
        };
        for choice in matrix::gitlab(self.get(&chain, "parallel")) {
            let mut values = self.variables(&chain);
            values.extend(choice.iter().filter_map(|(name, node)| Some((name.clone(), scalar(node)?))));
            let at = named(&at, &choice);
            let Some(written) = image.text().or_else(|| image.text_of("name")) else { continue };
            let filled = match expressions::variables(written, &values) {
                Ok(filled) if super::job_env::at_run_time(&filled).is_none() && !filled.is_empty() => filled,
                Ok(_) => {
                    ci.leave(&at, format!("its image is `{}`, which only a run tells", short(written)));
                    continue;
                }
                Err(open) => {
                    let why = format!("its image is `{}`, and only a run tells `{}`", short(written), short(&open));
                    ci.leave(&at, why);
                    continue;
                }
            };
            self.place(name, &at, &chain, &filled, &values, &text, ci);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of them make the place")]
    fn place(
        &self,
        name: &str,
        at: &str,
        chain: &[&Node],
        image: &str,
        values: &BTreeMap<String, String>,
        text: &str,
        ci: &mut Ci,
    ) {
        let mut stay = JobEnv::new(image, &format!("docker://{image}"));
        let env = values.iter().filter(|(name, value)| {
            !CONTROL.iter().any(|start| name.starts_with(start)) && !value.is_empty() && **value != image
        });
        let env: Vec<(String, String)> = env
            .map(|(name, value)| {
                (name.clone(), expressions::variables(value, values).unwrap_or_else(|_| value.clone()))
            })
            .collect();
        stay.set_env(env.iter().map(|(name, value)| (name.as_str(), value.as_str())), at, ci);
        let tags = self.get(chain, "tags").map(Node::items).unwrap_or_default();
        if tags.iter().filter_map(Node::text).any(|tag| tag.contains("cvmfs")) {
            stay.place.mounts.insert("/cvmfs:/cvmfs".to_owned());
        }
        let services = self.get(chain, "services").map(Node::items).unwrap_or_default();
        for service in services.iter().filter_map(|node| node.text().or_else(|| node.text_of("name"))) {
            stay.place.notes.push(format!("the service `{}` of its job is not started", short(service)));
        }
        stay.needs = self.needs(chain);
        stay.scripts.push(Script::read(text, self.has));
        let stage = self.get(chain, "stage").and_then(Node::text).unwrap_or("");
        stay.finish(at, &format!("{name} {stage}"), ci);
    }

    /// A job with those that it extends, the nearest first.
    fn chain<'n>(&'n self, job: &'n Node, missing: &mut Vec<String>) -> Vec<&'n Node> {
        let mut chain = Vec::new();
        let mut queue = vec![job];
        while let Some(job) = queue.pop() {
            if chain.len() >= MOST_PARENTS {
                break;
            }
            chain.push(job);
            let Some(extends) = job.get("extends") else { continue };
            let names = extends.text().into_iter().chain(extends.items().iter().filter_map(Node::text));
            // The last one named counts most, so it is looked at first.
            for name in names {
                match self.jobs.get(name) {
                    Some((_, parent)) => queue.push(parent),
                    None => missing.push(name.to_owned()),
                }
            }
        }
        chain
    }

    /// What a key means for a job: its own value, that of one it extends, or the default.
    fn get<'n>(&'n self, chain: &[&'n Node], key: &str) -> Option<&'n Node> {
        let own = chain.iter().find_map(|job| job.get(key));
        let inherits = !chain.iter().any(|job| {
            job.at(&["inherit", "default"]).is_some_and(|flag| matches!(flag.value, super::Value::Bool(false)))
        });
        let is_default = inherits && matches!(key, "image" | "before_script" | "services" | "tags");
        own.or_else(|| {
            let default = |(_, root): &'n (String, Node)| root.at(&["default", key]).or_else(|| root.get(key));
            if is_default { self.roots.iter().find_map(default) } else { None }
        })
    }

    fn variables(&self, chain: &[&Node]) -> BTreeMap<String, String> {
        let globals = self.roots.iter().rev().filter_map(|(_, root)| root.get("variables"));
        let own = chain.iter().rev().filter_map(|job| job.get("variables"));
        let mut values = BTreeMap::new();
        for node in globals.chain(own) {
            let entries = node.entries().filter_map(|(name, value)| {
                Some((name.to_owned(), scalar(value).or_else(|| value.get("value").and_then(scalar))?))
            });
            values.extend(entries);
        }
        values
    }

    /// Commands of a list, of lists in it, and of `!reference [job, key]`.
    fn commands(&self, node: &Node, text: &mut String, depth: usize) {
        if depth > DEPTH || text.len() > MOST_TEXT {
            return;
        }
        if let Some(line) = node.text() {
            text.push_str(line.trim_end());
            text.push('\n');
            return;
        }
        let items = node.items();
        if let [job, key] = items
            && let (Some(job), Some(key)) = (job.text(), key.text())
            && let Some(referred) = self.jobs.get(job).and_then(|(_, job)| job.get(key))
        {
            return self.commands(referred, text, depth + 1);
        }
        for item in items {
            self.commands(item, text, depth + 1);
        }
    }

    /// The job whose artifacts this one takes: one that it names, else one of an earlier stage.
    fn needs(&self, chain: &[&Node]) -> Option<String> {
        let makes = |name: &str| {
            let (_, job) = self.jobs.get(name)?;
            let chain = self.chain(job, &mut Vec::new());
            self.get(&chain, "artifacts").and_then(|artifacts| artifacts.get("paths").or(artifacts.get("untracked")))
        };
        for key in ["needs", "dependencies"] {
            if let Some(named) = self.get(chain, key) {
                let mut names = named.items().iter().filter_map(|item| item.text().or_else(|| item.text_of("job")));
                return names.find(|name| makes(name).is_some()).map(str::to_owned);
            }
        }
        let own = self.stage(chain)?;
        let mut before = self.jobs.iter().filter(|(name, (_, job))| {
            let stage = self.stage(&self.chain(job, &mut Vec::new()));
            !name.starts_with('.') && stage.is_some_and(|stage| stage < own)
        });
        before.find(|(name, _)| makes(name).is_some()).map(|(name, _)| (*name).to_owned())
    }

    fn stage(&self, chain: &[&Node]) -> Option<usize> {
        let name = self.get(chain, "stage").and_then(Node::text).unwrap_or("test");
        let stages = self.roots.iter().find_map(|(_, root)| root.get("stages")).map(Node::items).unwrap_or_default();
        match stages.is_empty() {
            true => [".pre", "build", "test", "deploy", ".post"].iter().position(|stage| *stage == name),
            false => stages.iter().position(|stage| stage.text() == Some(name)),
        }
    }
}
