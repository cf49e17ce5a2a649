//! The environment of a CI job, and its conversion to a facility.

use std::collections::BTreeMap;

use super::container_cli::Options;
use super::script::{Script, installs, joined};
use crate::config::ci::{Ci, CiEnvironment, TestRun};
use crate::model::text::one_line;

/// Maximum number of lines of a job shown in a comment.
const MAX_SHOWN: usize = 12;
/// Words in the names of jobs that do not test.
const NON_TEST: [&str; 15] = [
    "deploy",
    "deployment",
    "publish",
    "release",
    "upload",
    "pages",
    "docs",
    "doc",
    "documentation",
    "sonar",
    "coverity",
    "tag",
    "sync",
    "trigger",
    "pypi",
];
/// Parts of the names of variables that may be secret.
const SECRET: [&str; 8] = ["TOKEN", "SECRET", "PASSW", "CREDENTIAL", "PRIVATE", "API_KEY", "APIKEY", "ACCESS_KEY"];

/// The environment of a job.
#[derive(Debug, Clone, Default)]
pub(super) struct JobEnv {
    /// The environment so far.
    pub(super) environment: CiEnvironment,
    /// The commands of each shell in it.
    pub(super) scripts: Vec<Script>,
    /// The job whose output it needs.
    pub(super) needs: Option<String>,
}

impl JobEnv {
    /// Creates an environment with an image. `image` has a transport.
    pub(super) fn new(name: &str, image: &str) -> Self {
        let environment = CiEnvironment { name: name.to_owned(), image: image.to_owned(), ..CiEnvironment::default() };
        Self { environment, ..Self::default() }
    }

    /// Reports whether a command of the job is a test.
    pub(super) fn has_test(&self) -> bool {
        self.scripts.iter().any(|script| script.has_test)
    }

    /// Reports whether the job uses `/cvmfs`.
    fn uses_cvmfs(&self) -> bool {
        let mut lines = self.scripts.iter().flat_map(|script| script.setup.iter().chain(&script.work));
        self.environment.image.starts_with("dir:/cvmfs")
            || self.environment.setup.iter().chain(self.environment.env.values()).any(|line| line.contains("/cvmfs/"))
            || lines.any(|line| line.contains("/cvmfs/"))
    }

    /// Applies options of docker.
    pub(super) fn apply(&mut self, options: &Options, location: &str, ci: &mut Ci) {
        self.environment.mounts.extend(options.mounts.iter().cloned());
        self.set_env(options.env.iter().map(|(name, value)| (name.as_str(), value.as_str())), location, ci);
        for (key, value) in &options.settings {
            match setting(key, value) {
                Some(value) => drop(self.environment.settings.insert(*key, value)),
                None => ci.add_unsupported(location, format!("`{key}` is `{value}`; a facility requires a number")),
            }
        }
        for option in &options.unsupported {
            self.environment.notes.push(format!("option `{option}` is not supported"));
        }
    }

    /// Sets the variables whose values are known and not secret.
    pub(super) fn set_env<'a>(&mut self, env: impl Iterator<Item = (&'a str, &'a str)>, location: &str, ci: &mut Ci) {
        for (name, value) in env {
            let upper = name.to_ascii_uppercase();
            if SECRET.iter().any(|part| upper.contains(part)) {
                ci.add_unsupported(
                    location,
                    format!("variable `{name}` may be secret; add it to `pass_env` if the tests need it"),
                );
            } else if let Some(unresolved) = run_time_value(value) {
                ci.add_unsupported(
                    location,
                    format!("variable `{name}` depends on `{unresolved}`, which is known only at run time"),
                );
            } else if value.len() <= 1024 && !value.contains('\0') && self.environment.env.len() < 50 {
                self.environment.env.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Adds the environment with its setup and its tests.
    pub(super) fn finish(mut self, location: &str, job: &str, ci: &mut Ci) {
        let is_non_test =
            is_lint(job) || !self.has_test() && words_of(job).any(|word| NON_TEST.contains(&word.as_str()));
        if is_non_test {
            return ci.add_unsupported(location, format!("does not run tests; image is `{}`", self.environment.image));
        }
        if self.uses_cvmfs() {
            let has = self.environment.mounts.iter().any(|mount| mount.starts_with("/cvmfs:"));
            if !has {
                self.environment.mounts.insert("/cvmfs:/cvmfs".to_owned());
            }
        }
        if self.environment.mounts.iter().any(|mount| mount.starts_with("/cvmfs")) {
            self.environment.notes.push("/cvmfs must be mounted on the host".to_owned());
        }
        for script in &self.scripts {
            for line in &script.setup {
                match run_time_value(line) {
                    Some(unresolved) => {
                        ci.add_unsupported(
                            location,
                            format!("`{}` uses `{unresolved}`, which is known only at run time", short(line)),
                        );
                    }
                    None if self.environment.setup.contains(line) => {}
                    None => self.environment.setup.push(line.clone()),
                }
            }
        }
        self.add_test(location, ci);
        self.environment.jobs.push(location.to_owned());
        ci.add_environment(self.environment);
    }

    /// Adds the test command. A job without tests keeps its commands for a comment.
    pub(super) fn add_test(&mut self, location: &str, ci: &mut Ci) {
        self.scripts.iter().flat_map(|script| &script.installs).for_each(|line| add_install(line, ci));
        let mut steps: Vec<Vec<String>> = Vec::new();
        let mut is_open = false;
        let last = self.scripts.iter().rposition(|script| script.has_test).map_or(0, |index| index + 1);
        for script in self.scripts.iter().take(last).filter(|script| !script.work.is_empty()) {
            if !script.has_test && script.work.iter().any(|line| installs(line)) {
                script.work.iter().for_each(|line| add_install(line, ci));
                continue;
            }
            let unresolved = script.work.iter().find_map(|line| run_time_value(line));
            match unresolved {
                Some(unresolved) if script.has_test => {
                    ci.add_unsupported(location, format!("tests use `{unresolved}`, which is known only at run time"));
                    is_open = true;
                }
                Some(unresolved) => ci.add_unsupported(
                    location,
                    format!("omitted a step before the tests: it uses `{unresolved}`, which is known only at run time"),
                ),
                None => steps.push(script.work.clone()),
            }
        }
        if let Some(needs) = &self.needs
            && last > 0
        {
            ci.add_unsupported(
                location,
                format!("tests require the output of job `{needs}`, which carnet does not run"),
            );
            is_open = true;
        }
        if last > 0 && !is_open {
            // All combinations of a matrix belong to one job.
            let job = location.split_once(") (").map_or(location, |(job, _)| job).trim_end_matches(')');
            let test = TestRun { job: format!("{job})"), run: joined(&steps) };
            if !ci.runs.contains(&test) {
                ci.runs.push(test);
            }
            return;
        }
        let work = self.scripts.iter().flat_map(|script| &script.work).flat_map(|line| line.lines());
        self.environment.commands = work.take(MAX_SHOWN).map(short).collect();
    }
}

/// Adds a command that installs dependencies.
fn add_install(line: &str, ci: &mut Ci) {
    if run_time_value(line).is_none() && ci.installs.len() < 20 && !ci.installs.iter().any(|have| have == line) {
        ci.installs.push(line.to_owned());
    }
}

/// Reports whether a job only lints or formats, by its name.
pub(super) fn is_lint(job: &str) -> bool {
    let lint = ["lint", "linting", "format", "formatting", "style", "commitlint", "changelog"];
    job.contains("pre-commit") || words_of(job).any(|word| lint.contains(&word.as_str()))
}

/// Converts an option to the value of a facility setting. `None` if a facility does not support the value.
fn setting(key: &str, value: &str) -> Option<toml::Value> {
    let number = |text: &str| text.parse::<u32>().is_ok();
    match key {
        "read_only" => Some(toml::Value::Boolean(true)),
        "pids" => value.parse::<u32>().ok().filter(|n| *n > 0).map(|n| toml::Value::Integer(n.into())),
        "cpus" => value.parse::<f64>().ok().filter(|n| (0.01..=4096.0).contains(n)).map(toml::Value::Float),
        // Only the image has the number of a named user.
        "user" if !value.split(':').all(number) || value.split(':').count() > 2 => match value {
            "root" | "root:root" => Some(toml::Value::String("0:0".to_owned())),
            _ => None,
        },
        _ => Some(toml::Value::String(value.to_owned())),
    }
}

/// Returns the first variable or expression of a line that is known only at run time.
pub(super) fn run_time_value(text: &str) -> Option<String> {
    const MARKS: [&str; 10] =
        ["${{", "$[[", "$CI_", "${CI_", "$GITHUB_", "${GITHUB_", "$RUNNER_", "${RUNNER_", "$GITLAB_", "${GITLAB_"];
    let start = MARKS.iter().filter_map(|mark| text.find(mark)).min()?;
    let rest = &text[start..];
    let end = match rest.as_bytes().get(1..3) {
        Some(b"{{") => rest.find("}}").map(|end| end + 2),
        Some(b"[[") => rest.find("]]").map(|end| end + 2),
        _ => rest[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '{'))
            .map(|end| end + 1 + usize::from(rest.as_bytes().get(end + 1) == Some(&b'}'))),
    };
    Some(short(&rest[..end.unwrap_or(rest.len())]))
}

/// Returns the words of a name in lower case.
fn words_of(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

/// Truncates a text to one line of a comment.
pub(super) fn short(text: &str) -> String {
    one_line(text, 120)
}

/// Appends the matrix values of a combination to the location of a job.
pub(super) fn with_matrix(job: &str, choice: &BTreeMap<String, super::Node>) -> String {
    let values: Vec<&str> = choice.values().filter_map(super::Node::text).collect();
    if values.is_empty() { job.to_owned() } else { format!("{job} ({})", short(&values.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::{run_time_value, setting, short};

    #[test]
    fn run_time_values_are_found() {
        assert_eq!(run_time_value("pip install x"), None);
        assert_eq!(run_time_value("a ${{ matrix.x }} b").as_deref(), Some("${{ matrix.x }}"));
        assert_eq!(run_time_value("cd $CI_PROJECT_DIR/x").as_deref(), Some("$CI_PROJECT_DIR"));
        assert_eq!(run_time_value("cd ${GITHUB_WORKSPACE}/x").as_deref(), Some("${GITHUB_WORKSPACE}"));
        assert_eq!(run_time_value("é$[[ inputs.x ]]").as_deref(), Some("$[[ inputs.x ]]"));
    }

    #[test]
    fn invalid_settings_are_rejected() {
        assert!(setting("user", "1000:0").is_some());
        assert!(setting("user", "root").is_some());
        assert!(setting("user", "atlas").is_none());
        assert!(setting("cpus", "NaN").is_none());
    }

    #[test]
    fn comment_is_one_short_line() {
        assert_eq!(short("a\nb\u{7f}"), "a b\u{2421}");
        assert!(short(&"x".repeat(500)).len() < 130);
    }
}
