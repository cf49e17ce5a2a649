//! GitHub workflows: jobs in containers, steps that start containers, and LCG views.
//!
//! Reference: docs.github.com, "Workflow syntax for GitHub Actions".

use std::collections::{BTreeMap, BTreeSet};

use super::container_cli;
use super::container_cli::{Call, ContainerRun};
use super::expressions;
use super::expressions::{Scope, Unresolved};
use super::job_env::{JobEnv, is_lint, short, with_matrix};
use super::lcg_view::ViewError;
use super::matrix::{self, Combination};
use super::script::Script;
use super::{Node, lcg_view};
use crate::config::ci::Ci;

/// Maximum number of jobs read of a file.
const MAX_JOBS: usize = 200;
/// Maximum number of steps read of a job.
const MAX_STEPS: usize = 200;

/// The workflow being read.
struct Workflow<'a> {
    path: &'a str,
    root: &'a Node,
    has: &'a dyn Fn(&str) -> bool,
    inputs: BTreeMap<String, &'a Node>,
    ci: &'a mut Ci,
}

/// Reads a workflow. `has` reports whether the repository contains a file.
pub(super) fn read(path: &str, root: &Node, has: &dyn Fn(&str) -> bool, ci: &mut Ci) {
    let mut inputs = BTreeMap::new();
    // YAML 1.1 parsers read the key `on` as true.
    for trigger in ["on", "true"].iter().filter_map(|key| root.get(key)) {
        for event in ["workflow_dispatch", "workflow_call"] {
            for (name, input) in trigger.entries_at(&[event, "inputs"]) {
                inputs.extend(input.get("default").map(|default| (name.to_owned(), default)));
            }
        }
    }
    let mut workflow = Workflow { path, root, has, inputs, ci };
    for (name, job) in root.entries_at(&["jobs"]).into_iter().take(MAX_JOBS) {
        workflow.job(name, job);
    }
}

/// A job with one combination of its matrix.
struct Run<'a> {
    /// The job with its file and line.
    location: String,
    job: &'a str,
    scope: Scope<'a>,
    /// Known variables of the commands.
    values: BTreeMap<String, String>,
    /// The environment of the job's container, if it has one.
    container: Option<JobEnv>,
    /// Commands that run directly on the runner.
    on_runner: Vec<Script>,
    /// Containers that steps start.
    started: Vec<Started>,
    /// Images that the job builds, without tags.
    built: BTreeSet<String>,
    python: Option<String>,
    /// An artifact of another job that it downloads.
    needs: Option<String>,
}

/// A container that a step starts.
struct Started {
    job_env: JobEnv,
    name: Option<String>,
    /// Whether it runs in the background without a command.
    is_detached: bool,
    /// The path of the repository in it.
    top: Option<String>,
}

impl<'a> Workflow<'a> {
    fn job(&mut self, name: &'a str, job: &'a Node) {
        let location = format!("job `{}` ({}:{})", short(name), self.path, job.line);
        if let Some(uses) = job.text_of("uses") {
            if !uses.starts_with("./") {
                self.ci.add_unsupported(&location, format!("calls `{}`, which is not in this repository", short(uses)));
            }
            return;
        }
        let combinations = match matrix::github(job.get("strategy")) {
            Ok(combinations) => combinations,
            Err(Unresolved(open)) => {
                self.ci.add_unsupported(&location, format!("matrix `{}` is known only at run time", short(&open)));
                vec![Combination::new()]
            }
        };
        let mut pythons = BTreeSet::new();
        let mut runners = BTreeSet::new();
        let mut has_test = false;
        for combination in &combinations {
            let scope = Scope {
                matrix: combination.iter().map(|(name, node)| (name.clone(), node)).collect(),
                env: self.env(job),
                inputs: self.inputs.clone(),
            };
            let runner = expressions::evaluate_known(&runner(job), &scope);
            let lower = runner.to_ascii_lowercase();
            if lower.contains("macos") || lower.contains("windows") {
                self.ci.add_unsupported(&location, format!("runner `{}` can't run Linux images", short(&runner)));
                continue;
            }
            let mut run = Run {
                location: with_matrix(&location, combination),
                job: name,
                values: values(&scope),
                scope,
                container: None,
                on_runner: Vec::new(),
                started: Vec::new(),
                built: BTreeSet::new(),
                python: None,
                needs: None,
            };
            if !self.container(job, &mut run) {
                continue;
            }
            for step in job.items_of("steps").iter().take(MAX_STEPS) {
                self.step(job, step, &mut run);
            }
            if run.container.is_none() && run.started.is_empty() {
                runners.extend(self.finish_without_container(&run).then(|| short(&runner)));
                has_test |= run.on_runner.iter().any(|script| script.has_test) && !is_lint(name);
                pythons.extend(run.python.clone());
            }
            self.finish(run);
        }
        if has_test && !runners.is_empty() {
            self.ci.add_unsupported(&location, reason_without_image(&runners, &pythons));
        } else if !runners.is_empty() {
            let runners: Vec<String> = runners.into_iter().collect();
            self.ci.add_unsupported(
                &location,
                format!("no image and no known test; runs directly on {}", runners.join(" and ")),
            );
        }
    }

    /// Returns `env` of the workflow and of a job.
    fn env(&self, job: &'a Node) -> BTreeMap<String, &'a Node> {
        let all = self.root.entries_at(&["env"]).into_iter().chain(job.entries_at(&["env"]));
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Reads `container:`. Returns whether the job can be read further.
    fn container(&mut self, job: &Node, run: &mut Run<'_>) -> bool {
        let Some(container) = job.get("container") else { return true };
        let Some(image) = container.text().or_else(|| container.text_of("image")) else { return true };
        let image = match expressions::evaluate(image, &run.scope) {
            Ok(image) => image,
            Err(error) => {
                self.ci.add_unsupported(&run.location, format!("image `{}`: {error}", short(image)));
                return false;
            }
        };
        let image = image.trim().trim_start_matches("docker://");
        // Without an image, GitHub runs the job on the runner.
        if image.is_empty() {
            return true;
        }
        let mut job_env = JobEnv::new(image, &format!("docker://{image}"));
        let mut options = container_cli::options(&expressions::evaluate_known(
            container.text_of("options").unwrap_or(""),
            &run.scope,
        ));
        for volume in container.items_of("volumes").iter().filter_map(Node::text) {
            options.mount(&expressions::evaluate_known(volume, &run.scope));
        }
        job_env.apply(&options, &run.location, self.ci);
        let mut env: BTreeMap<String, String> =
            run.scope.env.iter().filter_map(|(name, node)| variable(name, node, run)).collect();
        env.extend(container.entries_at(&["env"]).into_iter().filter_map(|(name, node)| variable(name, node, run)));
        job_env.set_env(env.iter().map(|(name, value)| (name.as_str(), value.as_str())), &run.location, self.ci);
        for (service, _) in job.entries_at(&["services"]) {
            job_env.environment.notes.push(format!("service `{}` of the job is not started", short(service)));
        }
        run.container = Some(job_env);
        true
    }

    fn step(&mut self, job: &'a Node, step: &'a Node, run: &mut Run<'_>) {
        if let Some(uses) = step.text_of("uses") {
            return self.action(&uses.to_ascii_lowercase(), uses, step, run);
        }
        let Some(text) = step.text_of("run") else { return };
        let text = expressions::evaluate_known(text, &run.scope);
        let mut values = run.values.clone();
        values.extend(step.entries_at(&["env"]).into_iter().filter_map(|(name, node)| variable(name, node, run)));
        let rest = self.container_commands(&text, &values, run);
        let has_container = container_cli::lines(&text).len() != rest.len();
        let text = if has_container { rest.join("\n") } else { text };
        let mut script = Script::read(&text, self.has);
        let default = |node: &'a Node| node.at(&["defaults", "run", "working-directory"]).and_then(Node::text);
        let dir = step.text_of("working-directory").or_else(|| default(job)).or_else(|| default(self.root));
        if let Some(dir) = dir.filter(|dir| !matches!(*dir, "." | "./")).filter(|_| !script.work.is_empty()) {
            script.work.insert(0, format!("cd {}", expressions::evaluate_known(dir, &run.scope)));
        }
        run.on_runner.push(script);
    }

    /// Handles the commands that start or use containers. Returns the rest.
    fn container_commands(&mut self, text: &str, values: &BTreeMap<String, String>, run: &mut Run<'_>) -> Vec<String> {
        let mut rest = Vec::new();
        for line in container_cli::lines(text) {
            match container_cli::parse(&line) {
                Some(Call::Run(container)) => self.start(*container, values, run),
                Some(Call::Exec { name, command }) => self.exec(&name, &command, run),
                Some(Call::Build(tags)) => {
                    let tags = tags
                        .iter()
                        .map(|tag| expressions::expand_variables(tag, values).unwrap_or_else(|_| tag.clone()));
                    run.built.extend(tags.map(|tag| without_tag(&tag).to_owned()));
                }
                None => rest.push(line),
            }
        }
        rest
    }

    fn action(&mut self, lower: &str, uses: &str, step: &Node, run: &mut Run<'_>) {
        let input = |key: &str| {
            let text = step.at(&["with", key]).and_then(Node::text).unwrap_or("");
            expressions::evaluate(text, &run.scope)
        };
        if lower.starts_with("aidasoft/run-lcg-view@") {
            if step.at(&["with", "coverity-project"]).is_some() {
                return self.ci.add_unsupported(&run.location, "runs a Coverity analysis");
            }
            let inputs = || {
                Ok::<_, ViewError>(lcg_view::Inputs {
                    release: input("release")?,
                    platform: input("platform")?,
                    release_platform: input("release-platform")?,
                    container: input("container")?,
                    view_path: input("view-path")?,
                    setup_script: input("setup-script")?,
                    is_unpacked: input("unpacked")? == "true",
                })
            };
            let text =
                expressions::evaluate_known(step.at(&["with", "run"]).and_then(Node::text).unwrap_or(""), &run.scope);
            match inputs().and_then(|inputs| lcg_view::selected(&inputs)) {
                Ok(view) => self.view(view, &text, run),
                Err(error) => {
                    self.ci.add_unsupported(&run.location, format!("unknown view of `{}`: {error}", short(uses)));
                }
            }
        } else if let Some(image) = uses.strip_prefix("docker://") {
            let command = input("args").unwrap_or_default();
            self.start(
                ContainerRun { image: image.to_owned(), command, ..ContainerRun::default() },
                &run.values.clone(),
                run,
            );
        } else if lower.starts_with("addnab/docker-run-action@") {
            let (image, text) = (input("image"), input("run"));
            let options = container_cli::options(&input("options").unwrap_or_default());
            match (image, text) {
                (Ok(image), Ok(command)) => {
                    self.start(
                        ContainerRun { image, command, options, ..ContainerRun::default() },
                        &run.values.clone(),
                        run,
                    );
                }
                (Err(error), _) | (_, Err(error)) => {
                    self.ci.add_unsupported(&run.location, format!("inputs of `{}`: {error}", short(uses)));
                }
            }
        } else if lower.starts_with("docker/build-push-action@") {
            let tags =
                expressions::evaluate_known(step.at(&["with", "tags"]).and_then(Node::text).unwrap_or(""), &run.scope);
            run.built.extend(tags.split(['\n', ',']).map(|tag| without_tag(tag.trim()).to_owned()));
        } else if lower.starts_with("actions/download-artifact@") {
            run.needs =
                Some(input("name").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "another job".to_owned()));
        } else if lower.starts_with("actions/setup-python@") {
            run.python = input("python-version").ok().filter(|version| !version.is_empty());
        } else {
            // Some actions take commands, which may start containers.
            let texts =
                ["run", "command", "commands", "script"].map(|key| step.at(&["with", key]).and_then(Node::text));
            let values = run.values.clone();
            for text in texts.into_iter().flatten() {
                let text = expressions::evaluate_known(text, &run.scope);
                self.container_commands(&text, &values, run);
            }
        }
    }

    fn view(&mut self, view: lcg_view::View, text: &str, run: &mut Run<'_>) {
        let mut job_env = JobEnv::new(&view.name, &view.image);
        job_env.environment.setup.push(view.setup);
        job_env.environment.notes.push("image that aidasoft/run-lcg-view uses for this platform".to_owned());
        job_env.scripts.push(Script::read(text, self.has));
        run.started.push(Started { job_env, name: None, is_detached: false, top: None });
    }

    fn start(&mut self, container: ContainerRun, values: &BTreeMap<String, String>, run: &mut Run<'_>) {
        let image = match expressions::expand_variables(&container.image, values) {
            Ok(image) if !image.contains("${{") => image,
            Ok(_) => {
                let reason = format!("starts image `{}`, which is known only at run time", short(&container.image));
                return self.ci.add_unsupported(&run.location, reason);
            }
            Err(error) => {
                let reason = format!("starts image `{}`: {error}", short(&container.image));
                return self.ci.add_unsupported(&run.location, reason);
            }
        };
        if run.built.contains(without_tag(&image)) {
            return self.ci.add_unsupported(&run.location, format!("builds image `{}` in the job", short(&image)));
        }
        let reference = if image.contains("://") || image.starts_with("dir:") {
            image.clone()
        } else {
            format!("docker://{image}")
        };
        let mut job_env = JobEnv::new(&image, &reference);
        job_env.apply(&container.options, &run.location, self.ci);
        let top = container.options.top.clone();
        if !container.command.is_empty() {
            job_env.scripts.push(self.inner_script(&container.command, top.as_deref()));
        }
        run.started.push(Started { job_env, name: container.name, is_detached: container.is_detached, top });
    }

    fn exec(&mut self, name: &str, command: &str, run: &mut Run<'_>) {
        let Some(started) = run.started.iter_mut().rfind(|started| started.name.as_deref() == Some(name)) else {
            return;
        };
        let script = self.inner_script(command, started.top.as_deref());
        started.is_detached = false;
        started.job_env.scripts.push(script);
    }

    /// Reads the commands in a container. Drops `cd` to the repository, because tests start there.
    fn inner_script(&self, command: &str, top: Option<&str>) -> Script {
        let mut script = Script::read(command, self.has);
        if let Some(top) = top {
            let is_cd_to_top = |line: &String| {
                let dir = line.strip_prefix("cd ").map(|dir| dir.trim().trim_end_matches(['/', ';']));
                dir.is_some_and(|dir| dir == top || format!("/{}", dir.trim_start_matches("./")) == top)
            };
            script.work.retain(|line| !is_cd_to_top(line));
        }
        script
    }

    /// Adds the tests of a job without a container. Returns whether the job has no environment.
    fn finish_without_container(&mut self, run: &Run<'_>) -> bool {
        if is_lint(run.job) || !run.on_runner.iter().any(|script| script.has_test) {
            return true;
        }
        let sourced = run.on_runner.iter().flat_map(|script| &script.setup).find_map(|line| lcg_view::sourced(line));
        let mut job_env = match sourced {
            Some(view) => {
                let mut job_env = JobEnv::new(&view.name, &view.image);
                job_env.environment.notes.push(
                    "the job runs directly on the runner; the image has the same platform as the release".to_owned(),
                );
                job_env.scripts.clone_from(&run.on_runner);
                job_env.finish(&run.location, run.job, self.ci);
                return false;
            }
            None => JobEnv { scripts: run.on_runner.clone(), needs: run.needs.clone(), ..JobEnv::default() },
        };
        job_env.add_test(&run.location, self.ci);
        true
    }

    fn finish(&mut self, run: Run<'_>) {
        if let Some(mut own) = run.container {
            own.scripts.extend(run.on_runner);
            own.needs.clone_from(&run.needs);
            own.finish(&run.location, run.job, self.ci);
        }
        for started in run.started {
            if started.is_detached {
                let image = short(&started.job_env.environment.image);
                self.ci.add_unsupported(&run.location, format!("image `{image}` runs in the background as a service"));
            } else {
                let mut job_env = started.job_env;
                job_env.needs.clone_from(&run.needs);
                job_env.finish(&run.location, run.job, self.ci);
            }
        }
    }
}

/// Returns the runner of a job.
fn runner(job: &Node) -> String {
    let Some(runs_on) = job.get("runs-on") else { return "ubuntu-latest".to_owned() };
    let labels = runs_on.items().iter().filter_map(Node::text).collect::<Vec<_>>().join(", ");
    runs_on.text().map_or(labels, str::to_owned)
}

/// Describes a job without an image.
fn reason_without_image(runners: &BTreeSet<String>, pythons: &BTreeSet<String>) -> String {
    let runners: Vec<&str> = runners.iter().map(String::as_str).collect();
    let mut reason = format!("runs directly on {}, without an image", runners.join(" and "));
    if !pythons.is_empty() {
        let mut all: Vec<&String> = pythons.iter().collect();
        all.sort_by_key(|version| numbers(version));
        let shown: Vec<String> = all.iter().map(|version| short(version)).collect();
        reason = format!("{reason}, with Python {}", shown.join(", "));
        if let Some(last) = all.last().filter(|version| numbers(version).is_some()) {
            reason = format!("{reason}; `docker://python:{last}` is similar (not tested)");
        }
    }
    reason
}

/// Parses the numbers of a version. `None` for a name.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Returns a variable with its value. Expressions without a known value are kept.
fn variable(name: &str, node: &Node, run: &Run<'_>) -> Option<(String, String)> {
    Some((name.to_owned(), expressions::evaluate_known(&super::scalar(node)?, &run.scope)))
}

/// Returns the variables with known values.
fn values(scope: &Scope<'_>) -> BTreeMap<String, String> {
    let value = |(name, node): (&String, &&Node)| {
        Some((name.clone(), expressions::evaluate(&super::scalar(node)?, scope).ok()?))
    };
    scope.env.iter().filter_map(value).collect()
}

/// Returns the name of an image without tag and digest.
fn without_tag(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}
