//! Workflows of GitHub: jobs in containers, steps that start some, and LCG views.
//!
//! What the keys mean: docs.github.com, "Workflow syntax for GitHub Actions".

use std::collections::{BTreeMap, BTreeSet};

use super::container_cli;
use super::container_cli::{Call, ContainerRun};
use super::expressions;
use super::expressions::Scope;
use super::job_env::{JobEnv, is_lint, named, short};
use super::matrix::{self, Choice};
use super::script::Script;
use super::{Node, lcg_view};
use crate::config::ci::Ci;

/// Most jobs of a file.
const MOST_JOBS: usize = 200;
/// Most steps of a job.
const MOST_STEPS: usize = 200;

/// A workflow being read.
struct Workflow<'a> {
    path: &'a str,
    root: &'a Node,
    has: &'a dyn Fn(&str) -> bool,
    inputs: BTreeMap<String, &'a Node>,
    ci: &'a mut Ci,
}

/// Reads a workflow; `has` knows the files of the repository.
pub(super) fn read(path: &str, root: &Node, has: &dyn Fn(&str) -> bool, ci: &mut Ci) {
    let mut inputs = BTreeMap::new();
    // YAML 1.1 reads the key `on` as true.
    for trigger in ["on", "true"].iter().filter_map(|key| root.get(key)) {
        for event in ["workflow_dispatch", "workflow_call"] {
            for (name, input) in trigger.entries_at(&[event, "inputs"]) {
                inputs.extend(input.get("default").map(|default| (name.to_owned(), default)));
            }
        }
    }
    let mut workflow = Workflow { path, root, has, inputs, ci };
    for (name, job) in root.entries_at(&["jobs"]).into_iter().take(MOST_JOBS) {
        workflow.job(name, job);
    }
}

/// One combination of a job.
struct Run<'a> {
    at: String,
    job: &'a str,
    scope: Scope<'a>,
    /// Variables that commands see, as far as they are known.
    values: BTreeMap<String, String>,
    /// The job in its own place, when it has a container.
    own: Option<JobEnv>,
    /// What runs on the runner itself.
    host: Vec<Script>,
    /// Places that steps start.
    started: Vec<Started>,
    /// Images that it builds.
    built: BTreeSet<String>,
    python: Option<String>,
    /// An artifact of another job that it takes.
    needs: Option<String>,
}

/// A container that a step starts.
struct Started {
    stay: JobEnv,
    name: Option<String>,
    /// Whether it waits in the background, and for what.
    is_detached: bool,
    /// Where the repository is in it.
    top: Option<String>,
}

impl<'a> Workflow<'a> {
    fn job(&mut self, name: &'a str, job: &'a Node) {
        let at = format!("job `{}` ({}:{})", short(name), self.path, job.line);
        if let Some(uses) = job.text_of("uses") {
            if !uses.starts_with("./") {
                self.ci.leave(&at, format!("it calls `{}`, which is not in this repository", short(uses)));
            }
            return;
        }
        let choices = match matrix::github(job.get("strategy")) {
            Ok(choices) => choices,
            Err(open) => {
                self.ci.leave(&at, format!("its matrix is `{}`, which only a run tells", short(&open)));
                vec![Choice::new()]
            }
        };
        let mut pythons = BTreeSet::new();
        let mut runners = BTreeSet::new();
        let mut is_tested = false;
        for choice in &choices {
            let scope = Scope {
                matrix: choice.iter().map(|(name, node)| (name.clone(), node)).collect(),
                env: self.env(job),
                inputs: self.inputs.clone(),
            };
            let runner = expressions::lenient(&runner(job), &scope);
            let lower = runner.to_ascii_lowercase();
            if lower.contains("macos") || lower.contains("windows") {
                self.ci.leave(&at, format!("on `{}` there are no images of Linux", short(&runner)));
                continue;
            }
            let mut run = Run {
                at: named(&at, choice),
                job: name,
                values: values(&scope),
                scope,
                own: None,
                host: Vec::new(),
                started: Vec::new(),
                built: BTreeSet::new(),
                python: None,
                needs: None,
            };
            if !self.container(job, &mut run) {
                continue;
            }
            for step in job.items_of("steps").iter().take(MOST_STEPS) {
                self.step(job, step, &mut run);
            }
            if run.own.is_none() && run.started.is_empty() {
                runners.extend(self.finish_host(&run).then(|| short(&runner)));
                is_tested |= run.host.iter().any(|script| script.has_test) && !is_lint(name);
                pythons.extend(run.python.clone());
            }
            self.finish(run);
        }
        if is_tested && !runners.is_empty() {
            self.ci.leave(&at, on_runner(&runners, &pythons));
        } else if !runners.is_empty() {
            let runners: Vec<String> = runners.into_iter().collect();
            self.ci.leave(&at, format!("no image and no known test: it runs on {} itself", runners.join(" and ")));
        }
    }

    /// `env` of the workflow and of a job.
    fn env(&self, job: &'a Node) -> BTreeMap<String, &'a Node> {
        let all = self.root.entries_at(&["env"]).into_iter().chain(job.entries_at(&["env"]));
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Reads `container:`. Whether the job can be followed further.
    fn container(&mut self, job: &Node, run: &mut Run<'_>) -> bool {
        let Some(container) = job.get("container") else { return true };
        let Some(image) = container.text().or_else(|| container.text_of("image")) else { return true };
        let image = match expressions::expressions(image, &run.scope) {
            Ok(image) => image,
            Err(open) => {
                let why = format!("its image is `{}`, and only a run tells `{}`", short(image), short(&open));
                self.ci.leave(&run.at, why);
                return false;
            }
        };
        let image = image.trim().trim_start_matches("docker://");
        // GitHub runs the job on the runner itself then.
        if image.is_empty() {
            return true;
        }
        let mut stay = JobEnv::new(image, &format!("docker://{image}"));
        let mut options =
            container_cli::options(&expressions::lenient(container.text_of("options").unwrap_or(""), &run.scope));
        for volume in container.items_of("volumes").iter().filter_map(Node::text) {
            options.mount(&expressions::lenient(volume, &run.scope));
        }
        stay.impose(&options, &run.at, self.ci);
        let mut env: BTreeMap<String, String> =
            run.scope.env.iter().filter_map(|(name, node)| plain(name, node, run)).collect();
        env.extend(container.entries_at(&["env"]).into_iter().filter_map(|(name, node)| plain(name, node, run)));
        stay.set_env(env.iter().map(|(name, value)| (name.as_str(), value.as_str())), &run.at, self.ci);
        for (service, _) in job.entries_at(&["services"]) {
            stay.place.notes.push(format!("the service `{}` of its job is not started", short(service)));
        }
        run.own = Some(stay);
        true
    }

    fn step(&mut self, job: &'a Node, step: &'a Node, run: &mut Run<'_>) {
        if let Some(uses) = step.text_of("uses") {
            return self.action(&uses.to_ascii_lowercase(), uses, step, run);
        }
        let Some(text) = step.text_of("run") else { return };
        let text = expressions::lenient(text, &run.scope);
        let mut values = run.values.clone();
        values.extend(step.entries_at(&["env"]).into_iter().filter_map(|(name, node)| plain(name, node, run)));
        let rest = self.calls(&text, &values, run);
        let has_call = container_cli::lines(&text).len() != rest.len();
        let text = if has_call { rest.join("\n") } else { text };
        let mut script = Script::read(&text, self.has);
        let default = |node: &'a Node| node.at(&["defaults", "run", "working-directory"]).and_then(Node::text);
        let dir = step.text_of("working-directory").or_else(|| default(job)).or_else(|| default(self.root));
        if let Some(dir) = dir.filter(|dir| !matches!(*dir, "." | "./")).filter(|_| !script.work.is_empty()) {
            script.work.insert(0, format!("cd {}", expressions::lenient(dir, &run.scope)));
        }
        run.host.push(script);
    }

    /// Follows the commands that start containers or use them; gives the others back.
    fn calls(&mut self, text: &str, values: &BTreeMap<String, String>, run: &mut Run<'_>) -> Vec<String> {
        let mut rest = Vec::new();
        for line in container_cli::lines(text) {
            match container_cli::read(&line) {
                Some(Call::Run(launch)) => self.start(*launch, values, run),
                Some(Call::Exec { name, command }) => self.exec(&name, &command, run),
                Some(Call::Build(tags)) => {
                    let tags =
                        tags.iter().map(|tag| expressions::variables(tag, values).unwrap_or_else(|_| tag.clone()));
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
            expressions::expressions(text, &run.scope)
        };
        if lower.starts_with("aidasoft/run-lcg-view@") {
            if step.at(&["with", "coverity-project"]).is_some() {
                return self.ci.leave(&run.at, "it analyses code with Coverity");
            }
            let inputs = || {
                Ok::<_, String>(lcg_view::Inputs {
                    release: input("release")?,
                    platform: input("platform")?,
                    release_platform: input("release-platform")?,
                    container: input("container")?,
                    view_path: input("view-path")?,
                    setup_script: input("setup-script")?,
                    is_unpacked: input("unpacked")? == "true",
                })
            };
            let text = expressions::lenient(step.at(&["with", "run"]).and_then(Node::text).unwrap_or(""), &run.scope);
            match inputs()
                .map_err(|open| format!("only a run tells `{}`", short(&open)))
                .and_then(|i| lcg_view::chosen(&i))
            {
                Ok(view) => self.view(view, &text, run),
                Err(why) => self.ci.leave(&run.at, format!("the view of `{}` is not known: {why}", short(uses))),
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
                (Err(open), _) | (_, Err(open)) => {
                    self.ci.leave(&run.at, format!("only a run tells `{}` of `{}`", short(&open), short(uses)));
                }
            }
        } else if lower.starts_with("docker/build-push-action@") {
            let tags = expressions::lenient(step.at(&["with", "tags"]).and_then(Node::text).unwrap_or(""), &run.scope);
            run.built.extend(tags.split(['\n', ',']).map(|tag| without_tag(tag.trim()).to_owned()));
        } else if lower.starts_with("actions/download-artifact@") {
            run.needs =
                Some(input("name").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "another job".to_owned()));
        } else if lower.starts_with("actions/setup-python@") {
            run.python = input("python-version").ok().filter(|version| !version.is_empty());
        } else {
            // Some actions are given commands; containers that these start are places too.
            let texts =
                ["run", "command", "commands", "script"].map(|key| step.at(&["with", key]).and_then(Node::text));
            let values = run.values.clone();
            for text in texts.into_iter().flatten() {
                let text = expressions::lenient(text, &run.scope);
                self.calls(&text, &values, run);
            }
        }
    }

    fn view(&mut self, view: lcg_view::View, text: &str, run: &mut Run<'_>) {
        let mut stay = JobEnv::new(&view.name, &view.image);
        stay.place.setup.push(view.setup);
        stay.place.notes.push("the image is the one that aidasoft/run-lcg-view takes for this platform".to_owned());
        stay.scripts.push(Script::read(text, self.has));
        run.started.push(Started { stay, name: None, is_detached: false, top: None });
    }

    fn start(&mut self, launch: ContainerRun, values: &BTreeMap<String, String>, run: &mut Run<'_>) {
        let image = match expressions::variables(&launch.image, values) {
            Ok(image) if !image.contains("${{") => image,
            Ok(_) => {
                return self.ci.leave(&run.at, format!("it starts `{}`, which only a run tells", short(&launch.image)));
            }
            Err(open) => {
                let why = format!("it starts `{}`, and only a run tells `{}`", short(&launch.image), short(&open));
                return self.ci.leave(&run.at, why);
            }
        };
        if run.built.contains(without_tag(&image)) {
            return self.ci.leave(&run.at, format!("it builds the image `{}` first", short(&image)));
        }
        let written = if image.contains("://") || image.starts_with("dir:") {
            image.clone()
        } else {
            format!("docker://{image}")
        };
        let mut stay = JobEnv::new(&image, &written);
        stay.impose(&launch.options, &run.at, self.ci);
        let top = launch.options.top.clone();
        if !launch.command.is_empty() {
            stay.scripts.push(self.inside(&launch.command, top.as_deref()));
        }
        run.started.push(Started { stay, name: launch.name, is_detached: launch.is_detached, top });
    }

    fn exec(&mut self, name: &str, command: &str, run: &mut Run<'_>) {
        let Some(started) = run.started.iter_mut().rfind(|started| started.name.as_deref() == Some(name)) else {
            return;
        };
        let script = self.inside(command, started.top.as_deref());
        started.is_detached = false;
        started.stay.scripts.push(script);
    }

    /// What runs inside a container. Going to where the repository is mounted is nothing here: tests start there.
    fn inside(&self, command: &str, top: Option<&str>) -> Script {
        let mut script = Script::read(command, self.has);
        if let Some(top) = top {
            let goes = |line: &String| {
                let dir = line.strip_prefix("cd ").map(|dir| dir.trim().trim_end_matches(['/', ';']));
                dir.is_some_and(|dir| dir == top || format!("/{}", dir.trim_start_matches("./")) == top)
            };
            script.work.retain(|line| !goes(line));
        }
        script
    }

    /// Takes up what a job without a container runs. Whether it stays without a place.
    fn finish_host(&mut self, run: &Run<'_>) -> bool {
        if is_lint(run.job) || !run.host.iter().any(|script| script.has_test) {
            return true;
        }
        let sourced = run.host.iter().flat_map(|script| &script.setup).find_map(|line| lcg_view::sourced(line));
        let mut stay = match sourced {
            Some(view) => {
                let mut stay = JobEnv::new(&view.name, &view.image);
                stay.place
                    .notes
                    .push("its job runs on the runner itself; the image is that of the platform".to_owned());
                stay.scripts.clone_from(&run.host);
                stay.finish(&run.at, run.job, self.ci);
                return false;
            }
            None => JobEnv { scripts: run.host.clone(), needs: run.needs.clone(), ..JobEnv::default() },
        };
        stay.test(&run.at, self.ci);
        true
    }

    fn finish(&mut self, run: Run<'_>) {
        if let Some(mut own) = run.own {
            own.scripts.extend(run.host);
            own.needs.clone_from(&run.needs);
            own.finish(&run.at, run.job, self.ci);
        }
        for started in run.started {
            if started.is_detached {
                let image = short(&started.stay.place.image);
                self.ci.leave(&run.at, format!("`{image}` runs in the background: a service, no place of tests"));
            } else {
                let mut stay = started.stay;
                stay.needs.clone_from(&run.needs);
                stay.finish(&run.at, run.job, self.ci);
            }
        }
    }
}

/// The runner of a job.
fn runner(job: &Node) -> String {
    let Some(runs_on) = job.get("runs-on") else { return "ubuntu-latest".to_owned() };
    let labels = runs_on.items().iter().filter_map(Node::text).collect::<Vec<_>>().join(", ");
    runs_on.text().map_or(labels, str::to_owned)
}

fn on_runner(runners: &BTreeSet<String>, pythons: &BTreeSet<String>) -> String {
    let runners: Vec<&str> = runners.iter().map(String::as_str).collect();
    let mut why = format!("it runs on {} itself, without an image", runners.join(" and "));
    if !pythons.is_empty() {
        let mut all: Vec<&String> = pythons.iter().collect();
        all.sort_by_key(|version| numbers(version));
        let shown: Vec<String> = all.iter().map(|version| short(version)).collect();
        why = format!("{why}, with Python {}", shown.join(", "));
        if let Some(last) = all.last().filter(|version| numbers(version).is_some()) {
            why = format!("{why}; `docker://python:{last}` comes near (not tried)");
        }
    }
    why
}

/// The numbers of a version; none of a name.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// A variable whose value the workflow tells; an open one as it is written.
fn plain(name: &str, node: &Node, run: &Run<'_>) -> Option<(String, String)> {
    Some((name.to_owned(), expressions::lenient(&super::scalar(node)?, &run.scope)))
}

fn values(scope: &Scope<'_>) -> BTreeMap<String, String> {
    let known = |(name, node): (&String, &&Node)| {
        Some((name.clone(), expressions::expressions(&super::scalar(node)?, scope).ok()?))
    };
    scope.env.iter().filter_map(known).collect()
}

/// The name of an image without its tag and digest.
fn without_tag(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}
