//! The container image, which holds the binary and nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::packages::{TOP, packages, said};
use crate::support::engine::{ask, daemon};

/// The image, built by the daemon.
struct Image<'a> {
    host: &'a str,
    tag: String,
}

/// How a container ended, and what it wrote.
struct Ended {
    code: i64,
    text: String,
}

impl<'a> Image<'a> {
    fn build(host: &'a str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let context = dir.path().join("context.tar");
        said(Command::new("tar").arg("-cf").arg(&context).arg("-C").arg(packages().join("image")).arg("."));
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

    /// Runs it with these arguments and the directory as its working directory.
    fn run(&self, arguments: &[&str], user: &str, dir: &Path) -> Ended {
        let bind = format!("{}:/work", dir.display());
        let body = json!({ "Image": self.tag, "Cmd": arguments, "User": user, "Tty": true,
                           "HostConfig": { "Binds": [bind], "NetworkMode": "none" } });
        let id = self.post("/containers/create", &body)["Id"].as_str().expect("an id").to_owned();
        self.post(&format!("/containers/{id}/start"), &json!({}));
        let code = self.post(&format!("/containers/{id}/wait"), &json!({}))["StatusCode"].as_i64().expect("a code");
        let text = ask(self.host, &[], &format!("/containers/{id}/logs?stdout=1&stderr=1")).replace("\r\n", "\n");
        ask(self.host, &["-X", "DELETE"], &format!("/containers/{id}"));
        Ended { code, text }
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        ask(self.host, &["-X", "DELETE"], &format!("/images/{}", self.tag));
    }
}

fn the_binary_works_in_an_image_that_holds_nothing_else() {
    let host = daemon();
    let image = Image::build(&host);
    let dir = tempfile::tempdir().expect("a directory");
    let top = dir.path();
    said(Command::new("cp").arg("-r").arg(Path::new(TOP).join("examples/moving-day")).arg(top.join("work")));
    let work = top.join("work");
    let git = "git init -q && git add -A && git -c user.name=t -c user.email=t@localhost commit -qm all";
    said(Command::new("sh").args(["-c", git]).current_dir(&work));

    let version = image.run(&["--version"], "", &work);
    assert_eq!((version.code, version.text), (0, format!("carnet {}\n", env!("CARGO_PKG_VERSION"))));

    // Also as somebody who is not the owner of the checkout, as in CI jobs.
    for user in ["", "1234:1234"] {
        let scan = image.run(&["scan", "--color", "never"], user, &work);
        assert_eq!(scan.code, 1, "{}", scan.text);
        assert!(scan.text.contains("run.sh:5:15") && scan.text.contains("4 errors"), "{}", scan.text);
    }

    let check = image.run(&["check", "--fail-on", "never"], "", &work);
    assert_eq!(check.code, 3, "there are no tests in the example: {}", check.text);

    fs::write(work.join("carnet.toml"), "[test]\nrun = 'true'\n[[facility]]\nid = 'here'\nengine = 'host'\n")
        .expect("a file");
    let mut check = Command::new(env!("CARGO_BIN_EXE_carnet"));
    said(check.args(["check", "--quiet"]).current_dir(&work).env("CARNET_CACHE", dir.path().join("cache")));
    let report = image.run(&["report", "carnet-out/carnet.json", "--format", "junit"], "", &work);
    assert_eq!(report.code, 0, "{}", report.text);
    assert!(report.text.contains("<testsuites ") && report.text.ends_with("</testsuites>\n"), "{}", report.text);
}

crate::support::harness::register!(
    [Docker]:
    the_binary_works_in_an_image_that_holds_nothing_else,
);
