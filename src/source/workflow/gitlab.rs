//! `.gitlab-ci.yml` and the files of the repository that it includes: jobs and their images.
//!
//! Reference: docs.gitlab.com, "CI/CD YAML syntax reference".

use std::collections::BTreeMap;

use super::job_env::{JobEnv, run_time_value, short, with_matrix};
use super::script::Script;
use super::{Node, expressions, matrix, scalar};
use crate::config::ci::Ci;

/// Top-level keys that are not jobs.
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
/// Maximum number of jobs read.
const MAX_JOBS: usize = 500;
/// Maximum number of jobs that a job extends, directly or indirectly.
const MAX_PARENTS: usize = 32;
/// Maximum nesting of command lists, as in GitLab.
const MAX_DEPTH: usize = 10;
/// Maximum length of the commands of a job in bytes.
const MAX_TEXT: usize = 64 << 10;
/// Prefixes of variables that configure GitLab itself.
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

/// The files of a pipeline with their jobs.
pub(super) struct Pipeline<'a> {
    roots: &'a [(String, Node)],
    jobs: BTreeMap<&'a str, (&'a str, &'a Node)>,
    has: &'a dyn Fn(&str) -> bool,
}

/// Reads a pipeline: the main file, then the included files. `has` reports whether the repository contains a file.
pub(super) fn read(roots: &[(String, Node)], has: &dyn Fn(&str) -> bool, ci: &mut Ci) {
    let mut jobs = BTreeMap::new();
    for (path, root) in roots {
        for (name, job) in root.entries().filter(|(name, _)| !GLOBAL.contains(name)) {
            if jobs.len() < MAX_JOBS && job.entries().next().is_some() {
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

/// Returns the files of the repository that a file includes. Other includes are recorded as unsupported.
pub(super) fn included(path: &str, root: &Node, ci: &mut Ci) -> Vec<String> {
    let Some(include) = root.get("include") else { return Vec::new() };
    let single = std::slice::from_ref(include);
    let mut found = Vec::new();
    for entry in if include.items().is_empty() { single } else { include.items() } {
        let local = entry.text_of("local").or_else(|| entry.text().filter(|text| !text.contains("://")));
        let location = format!("{path}:{}", entry.line.max(include.line));
        match local {
            Some(local) if !local.contains(['*', '$']) => found.push(local.trim_start_matches('/').to_owned()),
            Some(local) => ci.add_unsupported(
                &location,
                format!("includes `{}`; wildcards and variables are not supported", short(local)),
            ),
            None => {
                let kinds = ["project", "remote", "template", "component"];
                let what = kinds.iter().find_map(|kind| entry.text_of(kind).map(|text| format!("{kind} {text}")));
                let what = what.or_else(|| entry.text().map(str::to_owned)).unwrap_or_else(|| "a file".to_owned());
                ci.add_unsupported(&location, format!("includes `{}`, which is not in this repository", short(&what)));
            }
        }
    }
    found
}

impl Pipeline<'_> {
    fn job(&self, name: &str, path: &str, job: &Node, ci: &mut Ci) {
        let location = format!("job `{}` ({path}:{})", short(name), job.line);
        let mut missing = Vec::new();
        let chain = self.chain(job, &mut missing);
        for parent in &missing {
            ci.add_unsupported(&location, format!("extends `{}`, which is not in this repository", short(parent)));
        }
        if self.get(&chain, "trigger").is_some() {
            return ci.add_unsupported(&location, "starts another pipeline");
        }
        let mut text = String::new();
        for key in ["before_script", "script"] {
            if let Some(node) = self.get(&chain, key) {
                self.commands(node, &mut text, 0);
            }
        }
        if text.is_empty() {
            if missing.is_empty() {
                ci.add_unsupported(&location, "has no script");
            }
            return;
        }
        let Some(image) = self.get(&chain, "image") else {
            if super::script::is_test(&text) || text.lines().any(super::script::is_test) {
                JobEnv { scripts: vec![Script::read(&text, self.has)], ..JobEnv::default() }.add_test(&location, ci);
            }
            return ci.add_unsupported(&location, "does not set an image; the runner's default image is used");
        };
        for combination in matrix::gitlab(self.get(&chain, "parallel")) {
            let mut values = self.variables(&chain);
            values.extend(combination.iter().filter_map(|(name, node)| Some((name.clone(), scalar(node)?))));
            let location = with_matrix(&location, &combination);
            let Some(reference) = image.text().or_else(|| image.text_of("name")) else { continue };
            let image = match expressions::expand_variables(reference, &values) {
                Ok(image) if run_time_value(&image).is_none() && !image.is_empty() => image,
                Ok(_) => {
                    ci.add_unsupported(&location, format!("image `{}` is known only at run time", short(reference)));
                    continue;
                }
                Err(error) => {
                    ci.add_unsupported(&location, format!("image `{}`: {error}", short(reference)));
                    continue;
                }
            };
            self.environment(name, &location, &chain, &image, &values, &text, ci);
        }
    }

    /// Adds the environment of a job.
    #[expect(clippy::too_many_arguments, reason = "the environment depends on all of them")]
    fn environment(
        &self,
        name: &str,
        location: &str,
        chain: &[&Node],
        image: &str,
        values: &BTreeMap<String, String>,
        text: &str,
        ci: &mut Ci,
    ) {
        let mut job_env = JobEnv::new(image, &format!("docker://{image}"));
        let env = values.iter().filter(|(name, value)| {
            !CONTROL.iter().any(|start| name.starts_with(start)) && !value.is_empty() && **value != image
        });
        let env: Vec<(String, String)> = env
            .map(|(name, value)| {
                (name.clone(), expressions::expand_variables(value, values).unwrap_or_else(|_| value.clone()))
            })
            .collect();
        job_env.set_env(env.iter().map(|(name, value)| (name.as_str(), value.as_str())), location, ci);
        let tags = self.get(chain, "tags").map(Node::items).unwrap_or_default();
        if tags.iter().filter_map(Node::text).any(|tag| tag.contains("cvmfs")) {
            job_env.environment.mounts.insert("/cvmfs:/cvmfs".to_owned());
        }
        let services = self.get(chain, "services").map(Node::items).unwrap_or_default();
        for service in services.iter().filter_map(|node| node.text().or_else(|| node.text_of("name"))) {
            job_env.environment.notes.push(format!("service `{}` of the job is not started", short(service)));
        }
        job_env.needs = self.needs(chain);
        job_env.scripts.push(Script::read(text, self.has));
        let stage = self.get(chain, "stage").and_then(Node::text).unwrap_or("");
        job_env.finish(location, &format!("{name} {stage}"), ci);
    }

    /// Returns a job with the jobs that it extends, the nearest first.
    fn chain<'n>(&'n self, job: &'n Node, missing: &mut Vec<String>) -> Vec<&'n Node> {
        let mut chain = Vec::new();
        let mut queue = vec![job];
        while let Some(job) = queue.pop() {
            if chain.len() >= MAX_PARENTS {
                break;
            }
            chain.push(job);
            let Some(extends) = job.get("extends") else { continue };
            let names = extends.text().into_iter().chain(extends.items().iter().filter_map(Node::text));
            // The last entry takes precedence, so it is visited first.
            for name in names {
                match self.jobs.get(name) {
                    Some((_, parent)) => queue.push(parent),
                    None => missing.push(name.to_owned()),
                }
            }
        }
        chain
    }

    /// Returns the value of a key: of the job, of a job that it extends, or the default.
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

    /// Returns the variables of a job, including global ones.
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

    /// Appends the commands of a list, of nested lists, and of `!reference [job, key]`.
    fn commands(&self, node: &Node, text: &mut String, depth: usize) {
        if depth > MAX_DEPTH || text.len() > MAX_TEXT {
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

    /// Returns the job whose artifacts a job uses: a job that it names, else a job of an earlier stage.
    fn needs(&self, chain: &[&Node]) -> Option<String> {
        let artifacts = |name: &str| {
            let (_, job) = self.jobs.get(name)?;
            let chain = self.chain(job, &mut Vec::new());
            self.get(&chain, "artifacts").and_then(|artifacts| artifacts.get("paths").or(artifacts.get("untracked")))
        };
        for key in ["needs", "dependencies"] {
            if let Some(list) = self.get(chain, key) {
                let mut names = list.items().iter().filter_map(|item| item.text().or_else(|| item.text_of("job")));
                return names.find(|name| artifacts(name).is_some()).map(str::to_owned);
            }
        }
        let own = self.stage(chain)?;
        let mut before = self.jobs.iter().filter(|(name, (_, job))| {
            let stage = self.stage(&self.chain(job, &mut Vec::new()));
            !name.starts_with('.') && stage.is_some_and(|stage| stage < own)
        });
        before.find(|(name, _)| artifacts(name).is_some()).map(|(name, _)| (*name).to_owned())
    }

    /// Returns the position of the stage of a job.
    fn stage(&self, chain: &[&Node]) -> Option<usize> {
        let name = self.get(chain, "stage").and_then(Node::text).unwrap_or("test");
        let stages = self.roots.iter().find_map(|(_, root)| root.get("stages")).map(Node::items).unwrap_or_default();
        match stages.is_empty() {
            true => [".pre", "build", "test", "deploy", ".post"].iter().position(|stage| *stage == name),
            false => stages.iter().position(|stage| stage.text() == Some(name)),
        }
    }
}
