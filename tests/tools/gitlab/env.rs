//! A repository with a small analysis, in which gitlab-ci-local runs pipelines.

use std::fs;
use std::ops::Deref;

use serde_json::Value;

use crate::support::engine::tool;
use crate::support::{CARNET, CommandOutput, TestEnv, repository};

/// Four facilities: this machine, an image, an image in which the tests fail, and a missing image. The shell executor does not pull
/// the images.
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
    /// A repository with one commit: the analysis, the templates of this project, and `pipeline` as `.gitlab-ci.yml`.
    pub(crate) fn new(pipeline: &str) -> Self {
        let env = Self(TestEnv::in_directory("carnet"));
        env.write("carnet.toml", CONFIG);
        env.write("check.sh", "echo seen; test -z \"${BROKEN:-}\"\n");
        env.write(".gitlab-ci.yml", pipeline);
        // The cache of gitlab-ci-local for `include: remote:`.
        let remote = format!(
            ".gitlab-ci-local/includes/raw.githubusercontent.com/carnet-hep/carnet/v{}",
            env!("CARGO_PKG_VERSION")
        );
        for name in [".gitlab-ci-template.yml", ".gitlab-ci-jobs.yml"] {
            env.write(&format!("{remote}/{name}"), project_file(name));
        }
        env.write("templates/check.yml", project_file("templates/check.yml"));
        env.git(&["init", "-q", "-b", "main"]).assert_code(0);
        // Files of gitlab-ci-local are not part of the analysis.
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

    /// The child pipeline that the last plan wrote.
    pub(crate) fn child_pipeline(&self) -> Value {
        parse_yaml(&self.read(".carnet/child.yml"))
    }

    /// Runs gitlab-ci-local with these arguments. Jobs run in a shell of this machine, with the binary under test.
    pub(crate) fn pipeline(&self, arguments: &[&str]) -> CommandOutput {
        let bin = format!("CARNET_BIN={CARNET}");
        self.gitlab(&[&["--force-shell-executor", "--variable", &bin][..], arguments].concat())
    }

    /// Runs gitlab-ci-local with these arguments.
    pub(crate) fn gitlab(&self, arguments: &[&str]) -> CommandOutput {
        self.gitlab_with(&std::env::var("PATH").unwrap_or_default(), arguments)
    }

    /// Like [`GitlabEnv::gitlab`], with another `PATH`.
    pub(crate) fn gitlab_with(&self, path: &str, arguments: &[&str]) -> CommandOutput {
        let mut command = self.command(tool("venv/bin/node"), &[]);
        command.env("PATH", path).env("NO_COLOR", "1").env("FORCE_COLOR", "0");
        command.arg(tool("node/node_modules/gitlab-ci-local/dist/index.js"));
        // The linters validate the schema, which takes most of the time.
        command.arg("--json-schema-validation=false");
        // The variable of the job that starts a child pipeline would override that of the child pipeline.
        command.args(["--ignore-predefined-vars", "CI_PIPELINE_SOURCE"]).args(arguments);
        if let Ok(host) = std::env::var("CARNET_TEST_DOCKER_HOST") {
            command.env("DOCKER_HOST", host);
        }
        let output = CommandOutput::run(&mut command);
        CommandOutput {
            code: output.code,
            stdout: without_colors(&output.stdout),
            stderr: without_colors(&output.stderr),
        }
    }
}

/// Removes color sequences.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The output of a job, without the commands of its script.
pub(crate) fn job_output(output: &CommandOutput, job: &str) -> String {
    let text = output.text();
    let own = text.lines().filter_map(|line| line.trim_start().strip_prefix(job)?.trim_start().strip_prefix("> "));
    own.map(|line| format!("{line}\n")).collect()
}

/// Parses YAML.
pub(crate) fn parse_yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Reads a file of this project.
pub(crate) fn project_file(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Id and status of each cell of a document, in order.
pub(crate) fn statuses(document: &Value) -> Vec<(&str, &str)> {
    let cells = document["cells"].as_array().expect("cells").iter();
    cells.map(|cell| (cell["id"].as_str().expect("an id"), cell["status"].as_str().expect("a status"))).collect()
}
