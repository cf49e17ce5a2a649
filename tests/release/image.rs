//! The container image, which contains only the binary.

use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::packages::{VERSION, packages, stdout};
use crate::support::engine::{ask, daemon};
use crate::support::{CommandOutput, TestEnv, repository};

/// The image, which is removed when this value is dropped.
struct Image<'a> {
    host: &'a str,
    tag: String,
}

impl<'a> Image<'a> {
    /// Builds the image.
    fn build(host: &'a str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let context = dir.path().join("context.tar");
        stdout(Command::new("tar").arg("-cf").arg(&context).arg("-C").arg(packages().join("image")).arg("."));
        let platform = if std::env::consts::ARCH == "aarch64" { "linux%2Farm64" } else { "linux%2Famd64" };
        let tag = format!("carnet-test-release:t{}", std::process::id());
        let arguments = ["-X", "POST", "-H", "Content-Type: application/x-tar", "--data-binary"];
        let data = format!("@{}", context.display());
        let built = ask(
            host,
            &[&arguments[..], &[data.as_str()]].concat(),
            &format!("/build?t={tag}&buildargs=%7B%22TARGETPLATFORM%22%3A%22{platform}%22%7D"),
        );
        assert!(built.contains("Successfully built"), "{built}");
        Self { host, tag }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = ask(self.host, &["-H", "Content-Type: application/json", "-d", &body.to_string()], path);
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Runs a container with these arguments in a directory of this machine.
    fn run(&self, arguments: &[&str], user: &str, dir: &Path) -> CommandOutput {
        let bind = format!("{}:/work", dir.display());
        let body = json!({ "Image": self.tag, "Cmd": arguments, "User": user, "Tty": true,
                           "HostConfig": { "Binds": [bind], "NetworkMode": "none" } });
        let id = self.post("/containers/create", &body)["Id"].as_str().expect("an id").to_owned();
        self.post(&format!("/containers/{id}/start"), &json!({}));
        let code = self.post(&format!("/containers/{id}/wait"), &json!({}))["StatusCode"].as_i64().expect("a code");
        // A terminal combines standard output and standard error.
        let text = ask(self.host, &[], &format!("/containers/{id}/logs?stdout=1&stderr=1")).replace("\r\n", "\n");
        ask(self.host, &["-X", "DELETE"], &format!("/containers/{id}"));
        CommandOutput { code: i32::try_from(code).expect("an exit code"), stdout: text, stderr: String::new() }
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        ask(self.host, &["-X", "DELETE"], &format!("/images/{}", self.tag));
    }
}

/// The rule and the location of each `error` finding in the output of a scan.
fn findings(output: &CommandOutput) -> Vec<String> {
    let lines: Vec<&str> = output.stdout.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| Some((pair[0].strip_prefix("error[")?, pair[1].trim())));
    pairs.map(|(error, location)| format!("{} {location}", error.split(']').next().unwrap_or_default())).collect()
}

fn image_runs_commands_without_other_programs() {
    let host = daemon();
    let image = Image::build(&host);
    let env = TestEnv::new();
    let example = repository().join("examples/moving-day");
    stdout(Command::new("cp").arg("-r").arg(example.join(".")).arg(env.analysis()));
    env.git(&["init", "--quiet"]).assert_code(0);
    env.commit("files");
    let run = |arguments: &[&str], user: &str| image.run(arguments, user, &env.analysis());

    assert_eq!(run(&["--version"], "").assert_code(0).stdout, format!("carnet {VERSION}\n"));

    // The user of a CI job may not own the checkout.
    let scan = ["scan", "--color", "never"];
    let expected = findings(&env.carnet(&scan).assert_code(1));
    assert_eq!(expected.len(), 4, "{expected:?}");
    for user in ["", "1234:1234"] {
        assert_eq!(findings(&run(&scan, user).assert_code(1)), expected);
    }

    // The example has no tests.
    let check = run(&["check", "--color", "never"], "").assert_code(3);
    assert_snapshot!(check.stdout, @r#"
    error: no tests found in /work
     |
     = help: set the test command in carnet.toml: `run = "..."` under `[test]`
    "#);

    env.write("carnet.toml", "[test]\nrun = 'true'\n[[facility]]\nid = 'here'\nengine = 'host'\n");
    env.carnet(&["check", "--quiet", "--fail-on", "never"]).assert_code(0);
    let junit = env.carnet(&["report", "carnet-out/carnet.json", "--format", "junit"]).assert_code(0).stdout;
    assert_eq!(run(&["report", "carnet-out/carnet.json", "--format", "junit"], "").assert_code(0).stdout, junit);
}

crate::support::harness::register!(
    [Docker, Tool("venv/bin/python")]:
    image_runs_commands_without_other_programs,
);
