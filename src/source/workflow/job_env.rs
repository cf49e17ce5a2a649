//! A job in one place, on its way to a facility.

use std::collections::BTreeMap;

use super::container_cli::Options;
use super::script::{Script, installs, joined};
use crate::config::ci::{Ci, CiEnvironment, TestRun};
use crate::model::text::one_line;

/// Most lines of a job that are shown in a comment.
const SHOWN: usize = 12;
/// Words in the name of a job that does something else than testing.
const OTHER: [&str; 15] = [
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
/// Parts of names of variables whose values are no one's business.
const SECRET: [&str; 8] = ["TOKEN", "SECRET", "PASSW", "CREDENTIAL", "PRIVATE", "API_KEY", "APIKEY", "ACCESS_KEY"];

/// A job in one place.
#[derive(Debug, Clone, Default)]
pub(super) struct JobEnv {
    /// The place so far.
    pub(super) place: CiEnvironment,
    /// What each shell runs in it.
    pub(super) scripts: Vec<Script>,
    /// Whose output it needs, when it is not complete by itself.
    pub(super) needs: Option<String>,
}

impl JobEnv {
    pub(super) fn new(name: &str, image: &str) -> Self {
        let place = CiEnvironment { name: name.to_owned(), image: image.to_owned(), ..CiEnvironment::default() };
        Self { place, ..Self::default() }
    }

    /// Whether it tests.
    pub(super) fn has_test(&self) -> bool {
        self.scripts.iter().any(|script| script.has_test)
    }

    /// Whether it comes near `/cvmfs`.
    fn wants_cvmfs(&self) -> bool {
        let mut lines = self.scripts.iter().flat_map(|script| script.setup.iter().chain(&script.work));
        self.place.image.starts_with("dir:/cvmfs")
            || self.place.setup.iter().chain(self.place.env.values()).any(|line| line.contains("/cvmfs/"))
            || lines.any(|line| line.contains("/cvmfs/"))
    }

    /// Takes options of docker over.
    pub(super) fn impose(&mut self, options: &Options, at: &str, ci: &mut Ci) {
        self.place.mounts.extend(options.mounts.iter().cloned());
        self.set_env(options.env.iter().map(|(name, value)| (name.as_str(), value.as_str())), at, ci);
        for (key, value) in &options.settings {
            match setting(key, value) {
                Some(value) => drop(self.place.settings.insert(*key, value)),
                None => ci.leave(at, format!("`{key}` is `{value}`: a facility has numbers there")),
            }
        }
        for other in &options.others {
            self.place.notes.push(format!("the option `{other}` has no counterpart here"));
        }
    }

    /// Sets variables whose values are known and no secrets.
    pub(super) fn set_env<'a>(&mut self, env: impl Iterator<Item = (&'a str, &'a str)>, at: &str, ci: &mut Ci) {
        for (name, value) in env {
            let upper = name.to_ascii_uppercase();
            if SECRET.iter().any(|part| upper.contains(part)) {
                ci.leave(at, format!("the variable `{name}` may be a secret: name it in pass_env when tests need it"));
            } else if let Some(open) = at_run_time(value) {
                ci.leave(at, format!("the variable `{name}` is `{open}`, which only a run of the CI tells"));
            } else if value.len() <= 1024 && !value.contains('\0') && self.place.env.len() < 50 {
                self.place.env.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Makes the place, its set-up and its tests part of what CI says.
    pub(super) fn finish(mut self, at: &str, job: &str, ci: &mut Ci) {
        let is_other = is_lint(job) || !self.has_test() && words_of(job).any(|word| OTHER.contains(&word.as_str()));
        if is_other {
            return ci.leave(at, format!("it does not test; its image is `{}`", self.place.image));
        }
        if self.wants_cvmfs() {
            let has = self.place.mounts.iter().any(|mount| mount.starts_with("/cvmfs:"));
            if !has {
                self.place.mounts.insert("/cvmfs:/cvmfs".to_owned());
            }
        }
        if self.place.mounts.iter().any(|mount| mount.starts_with("/cvmfs")) {
            self.place.notes.push("/cvmfs has to be mounted on the machine that runs carnet".to_owned());
        }
        for script in &self.scripts {
            for line in &script.setup {
                match at_run_time(line) {
                    Some(open) => {
                        ci.leave(at, format!("`{}`: `{open}` is known to a run of the CI alone", short(line)));
                    }
                    None if self.place.setup.contains(line) => {}
                    None => self.place.setup.push(line.clone()),
                }
            }
        }
        self.test(at, ci);
        self.place.jobs.push(at.to_owned());
        ci.add(self.place);
    }

    /// Takes its test command up, or its commands as a comment.
    pub(super) fn test(&mut self, at: &str, ci: &mut Ci) {
        self.scripts.iter().flat_map(|script| &script.installs).for_each(|line| install(line, ci));
        let mut steps: Vec<Vec<String>> = Vec::new();
        let mut is_open = false;
        let last = self.scripts.iter().rposition(|script| script.has_test).map_or(0, |at| at + 1);
        for script in self.scripts.iter().take(last).filter(|script| !script.work.is_empty()) {
            if !script.has_test && script.work.iter().any(|line| installs(line)) {
                script.work.iter().for_each(|line| install(line, ci));
                continue;
            }
            let open = script.work.iter().find_map(|line| at_run_time(line));
            match open {
                Some(open) if script.has_test => {
                    ci.leave(at, format!("its tests use `{open}`, which only a run of the CI tells"));
                    is_open = true;
                }
                Some(open) => ci.leave(at, format!("a step before its tests uses `{open}`: it was left out")),
                None => steps.push(script.work.clone()),
            }
        }
        if let Some(needs) = &self.needs
            && last > 0
        {
            ci.leave(at, format!("it tests what `{needs}` made: its commands alone are no test"));
            is_open = true;
        }
        if last > 0 && !is_open {
            // Combinations of a matrix are one job here.
            let job = at.split_once(") (").map_or(at, |(job, _)| job).trim_end_matches(')');
            let tested = TestRun { job: format!("{job})"), run: joined(&steps) };
            if !ci.runs.contains(&tested) {
                ci.runs.push(tested);
            }
            return;
        }
        let work = self.scripts.iter().flat_map(|script| &script.work).flat_map(|line| line.lines());
        self.place.commands = work.take(SHOWN).map(short).collect();
    }
}

/// Takes an installing command up.
fn install(line: &str, ci: &mut Ci) {
    if at_run_time(line).is_none() && ci.installs.len() < 20 && !ci.installs.iter().any(|have| have == line) {
        ci.installs.push(line.to_owned());
    }
}

/// Whether a job only looks at the text of the repository, by its name.
pub(super) fn is_lint(job: &str) -> bool {
    let lint = ["lint", "linting", "format", "formatting", "style", "commitlint", "changelog"];
    job.contains("pre-commit") || words_of(job).any(|word| lint.contains(&word.as_str()))
}

/// The value of a key of a facility.
fn setting(key: &str, value: &str) -> Option<toml::Value> {
    let number = |text: &str| text.parse::<u32>().is_ok();
    match key {
        "read_only" => Some(toml::Value::Boolean(true)),
        "pids" => value.parse::<u32>().ok().filter(|n| *n > 0).map(|n| toml::Value::Integer(n.into())),
        "cpus" => value.parse::<f64>().ok().filter(|n| (0.01..=4096.0).contains(n)).map(toml::Value::Float),
        // What is no number stands for one that only the image knows.
        "user" if !value.split(':').all(number) || value.split(':').count() > 2 => match value {
            "root" | "root:root" => Some(toml::Value::String("0:0".to_owned())),
            _ => None,
        },
        _ => Some(toml::Value::String(value.to_owned())),
    }
}

/// What of a line only a run of the CI tells.
pub(super) fn at_run_time(text: &str) -> Option<String> {
    const MARKS: [&str; 10] =
        ["${{", "$[[", "$CI_", "${CI_", "$GITHUB_", "${GITHUB_", "$RUNNER_", "${RUNNER_", "$GITLAB_", "${GITLAB_"];
    let at = MARKS.iter().filter_map(|mark| text.find(mark)).min()?;
    let rest = &text[at..];
    let end = match rest.as_bytes().get(1..3) {
        Some(b"{{") => rest.find("}}").map(|end| end + 2),
        Some(b"[[") => rest.find("]]").map(|end| end + 2),
        _ => rest[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '{'))
            .map(|end| end + 1 + usize::from(rest.as_bytes().get(end + 1) == Some(&b'}'))),
    };
    Some(short(&rest[..end.unwrap_or(rest.len())]))
}

/// The words of a name.
fn words_of(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

/// Returns the text as one line that fits in a comment.
pub(super) fn short(text: &str) -> String {
    one_line(text, 120)
}

/// A name that tells the combinations of a job apart.
pub(super) fn named(job: &str, choice: &BTreeMap<String, super::Node>) -> String {
    let values: Vec<&str> = choice.values().filter_map(super::Node::text).collect();
    if values.is_empty() { job.to_owned() } else { format!("{job} ({})", short(&values.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::{at_run_time, setting, short};

    #[test]
    fn what_only_a_run_tells_is_found() {
        assert_eq!(at_run_time("pip install x"), None);
        assert_eq!(at_run_time("a ${{ matrix.x }} b").as_deref(), Some("${{ matrix.x }}"));
        assert_eq!(at_run_time("cd $CI_PROJECT_DIR/x").as_deref(), Some("$CI_PROJECT_DIR"));
        assert_eq!(at_run_time("cd ${GITHUB_WORKSPACE}/x").as_deref(), Some("${GITHUB_WORKSPACE}"));
        assert_eq!(at_run_time("é$[[ inputs.x ]]").as_deref(), Some("$[[ inputs.x ]]"));
    }

    #[test]
    fn users_without_a_number_are_no_setting() {
        assert!(setting("user", "1000:0").is_some());
        assert!(setting("user", "root").is_some());
        assert!(setting("user", "atlas").is_none());
        assert!(setting("cpus", "NaN").is_none());
    }

    #[test]
    fn comments_are_one_line() {
        assert_eq!(short("a\nb\u{7f}"), "a b\u{2421}");
        assert!(short(&"x".repeat(500)).len() < 130);
    }
}
