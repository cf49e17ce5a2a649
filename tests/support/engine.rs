//! Engines, images and programs that tests use.

use std::path::{Path, PathBuf};
use std::process::Command;

use carnet::model::reference::Reference;

use super::repository;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The layout of an image below `CARNET_IMAGES` or `target/images`.
pub(crate) fn image_path(name: &str) -> Result<PathBuf, String> {
    let images = variable("CARNET_IMAGES").map_or_else(|| repository().join("target/images"), PathBuf::from);
    let path = images.join(name);
    if path.join("index.json").is_file() {
        return Ok(path);
    }
    Err(format!(
        "no image at {}: run `bash examples/images/build.sh {name}` as root, or set CARNET_IMAGES",
        path.display()
    ))
}

/// The layout of an image that must exist.
#[track_caller]
pub(crate) fn image(name: &str) -> PathBuf {
    image_path(name).unwrap_or_else(|reason| panic!("{reason}"))
}

/// A reference to the busybox image.
#[track_caller]
pub(crate) fn busybox() -> Reference {
    Reference::OciLayout(image("busybox"), Some("latest".to_owned()))
}

/// The address of the Docker daemon that tests may use, as `.ci/dockerd start DIR` prints it.
pub(crate) fn docker_host() -> Result<String, String> {
    variable("CARNET_TEST_DOCKER_HOST").ok_or_else(|| {
        "no Docker daemon: run `eval \"$(sh .ci/dockerd start /tmp/carnet-dockerd)\"` as root".to_owned()
    })
}

/// The address of a daemon that must exist.
#[track_caller]
pub(crate) fn daemon() -> String {
    docker_host().unwrap_or_else(|reason| panic!("{reason}"))
}

/// A file below `CARNET_TOOLS` or `target/tools`.
pub(crate) fn tool_path(path: &str) -> Result<PathBuf, String> {
    let tools = variable("CARNET_TOOLS").map_or_else(|| repository().join("target/tools"), PathBuf::from);
    let path = tools.join(path);
    if path.exists() { Ok(path) } else { Err(format!("no {}: run `make test-tools` as root", path.display())) }
}

/// A file of `make test-tools` that must exist.
#[track_caller]
pub(crate) fn tool(path: &str) -> PathBuf {
    tool_path(path).unwrap_or_else(|reason| panic!("{reason}"))
}

/// A program on `PATH`.
pub(crate) fn find_program(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| format!("no program `{name}` on PATH: run `make test-tools` as root"))
}

/// Queries the daemon with curl, so that the engine under test does not check itself.
pub(crate) fn ask(host: &str, arguments: &[&str], path: &str) -> String {
    let socket = host.strip_prefix("unix://").expect("a socket of this machine");
    let mut curl = Command::new("curl");
    curl.args(["-sSf", "--max-time", "30", "--unix-socket", socket]).args(arguments);
    let output = curl.arg(format!("http://docker/v1.41{path}")).output().expect("curl is installed");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON")
}
