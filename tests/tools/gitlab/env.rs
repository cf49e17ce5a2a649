//! A repository with a small analysis, and gitlab-ci-local run in it.

use std::fs;
use std::ops::Deref;

use serde_json::Value;

use crate::support::engine::tool;
use crate::support::{CARNET, CommandOutput, TestEnv, repository};

/// A machine, an image that isn't pulled where every job runs in a shell, one whose tests fail, and one that isn't there.
pub(crate) const CONFIG: &str = r#"
[analysis]
name = "dimuon"

[test]
run = "sh check.sh"

[[facility]]
id = "laptop"
engine = "host"

[[facility]]
id = "group"
image = "docker://registry.example.org/group/analysis:2026.1"

[[facility]]
id = "old"
image = "docker://registry.example.org/group/analysis:2020.1"
env = { BROKEN = "1" }

[[facility]]
id = "disk"
image = "oci:not-here"
"#;

/// A repository in the directory `carnet`.
pub(crate) struct GitlabEnv(TestEnv);

impl Deref for GitlabEnv {
    type Target = TestEnv;

    fn deref(&self) -> &TestEnv {
        &self.0
    }
}

impl GitlabEnv {
    /// A repository with one commit: the analysis, this project's templates, and `pipeline` as its `.gitlab-ci.yml`.
    pub(crate) fn new(pipeline: &str) -> Self {
        let env = Self(TestEnv::in_directory("carnet"));
        env.write("carnet.toml", CONFIG);
        env.write("check.sh", "echo seen; test -z \"${BROKEN:-}\"\n");
        env.write(".gitlab-ci.yml", pipeline);
        // Where gitlab-ci-local looks first for what `include: remote:` names.
        let remote = ".gitlab-ci-local/includes/raw.githubusercontent.com/carnet-hep/carnet/v0.1.0";
        for name in [".gitlab-ci-template.yml", ".gitlab-ci-jobs.yml"] {
            env.write(&format!("{remote}/{name}"), project(name));
        }
        env.write("templates/check.yml", project("templates/check.yml"));
        env.git(&["init", "-q", "-b", "main"]).assert_code(0);
        // What the tool keeps is no part of the analysis.
        env.write(".git/info/exclude", ".gitlab-ci-local/\n");
        env.git(&["remote", "add", "origin", "https://gitlab.example.org/my-group/carnet.git"]).assert_code(0);
        env.commit();
        env
    }

    /// Commits all changes, ignored templates included.
    pub(crate) fn commit(&self) -> String {
        self.git(&["add", "--force", "--", "carnet.toml", "check.sh", ".gitlab-ci.yml", "templates"]).assert_code(0);
        self.0.commit("An analysis")
    }

    /// gitlab-ci-local with these arguments, jobs as children of this process.
    pub(crate) fn pipeline(&self, arguments: &[&str]) -> CommandOutput {
        let bin = format!("CARNET_BIN={CARNET}");
        self.gitlab(&[&["--force-shell-executor", "--variable", &bin][..], arguments].concat())
    }

    /// gitlab-ci-local with these arguments.
    pub(crate) fn gitlab(&self, arguments: &[&str]) -> CommandOutput {
        self.gitlab_with(&std::env::var("PATH").unwrap_or_default(), arguments)
    }

    /// The same with programs from elsewhere.
    pub(crate) fn gitlab_with(&self, path: &str, arguments: &[&str]) -> CommandOutput {
        let mut command = self.command(tool("venv/bin/node"), &[]);
        command.env("PATH", path).env("NO_COLOR", "1").env("FORCE_COLOR", "0");
        command.arg(tool("node/node_modules/gitlab-ci-local/dist/index.js"));
        // Schemas are the linters' matter, and take most of the time here.
        command.arg("--json-schema-validation=false");
        // Else a variable of the job that starts a child pipeline wins over what the child sees.
        command.args(["--ignore-predefined-vars", "CI_PIPELINE_SOURCE"]).args(arguments);
        if let Ok(host) = std::env::var("CARNET_TEST_DOCKER_HOST") {
            command.env("DOCKER_HOST", host);
        }
        let output = CommandOutput::run(&mut command);
        CommandOutput {
            code: output.code,
            stdout: without_colours(&output.stdout),
            stderr: without_colours(&output.stderr),
        }
    }
}

/// Removes the colours of a text.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// A file of this project.
pub(crate) fn project(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Status of each cell of a document, in order.
pub(crate) fn statuses(document: &Value) -> Vec<(&str, &str)> {
    let cells = document["cells"].as_array().expect("cells").iter();
    cells.map(|cell| (cell["id"].as_str().expect("an id"), cell["status"].as_str().expect("a status"))).collect()
}
