//! The wheel, installed with pip and uv.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::packages::{VERSION, name, package, stdout};
use crate::support::engine::{image, tool};
use crate::support::{CARNET, read_json, repository};

fn wheel_has_tags_and_metadata() {
    let arch = std::env::consts::ARCH;
    let tags = format!("manylinux2014_{arch}.manylinux_2_17_{arch}.musllinux_1_2_{arch}");
    assert_eq!(name(&package(".whl")), format!("carnet-{VERSION}-py3-none-{tags}.whl"));
    let script = "\
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
[name] = [name for name in wheel.namelist() if name.endswith('/METADATA')]
print(wheel.read(name).decode())";
    let metadata = stdout(Command::new(tool("venv/bin/python")).args(["-c", script]).arg(package(".whl")));
    let value = |name: &str| metadata.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    assert_eq!(value("Version"), Some(VERSION));
    assert_eq!(value("License-Expression"), Some(env!("CARGO_PKG_LICENSE")));
    assert_eq!(value("Summary"), Some(env!("CARGO_PKG_DESCRIPTION")));
}

/// Copies the files of a directory, without its subdirectories.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}

/// carnet runs the pip of an old distribution in its image, which has no network.
fn old_pip_installs_wheel_offline() {
    let dir = tempfile::tempdir().expect("a directory");
    let top = dir.path().join("analysis");
    copy_files(&repository().join("examples/moving-day"), &top.join("moving-day"));
    fs::copy(package(".whl"), top.join(name(&package(".whl")))).expect("a copy");
    let script = format!(
        "set -ex\ngrep 'VERSION_ID=\"11\"' /etc/os-release\npython3 -m pip --version | grep '^pip 20'\n\
         python3 -m pip install --no-index ./*.whl\n[ \"$(carnet --version)\" = 'carnet {VERSION}' ]\n\
         code=0; carnet scan moving-day >scan.txt || code=$?\n[ $code = 1 ]\ngrep 'run.sh:5:15' scan.txt\n\
         python3 -m pip uninstall --yes carnet\n[ ! -e /usr/local/bin/carnet ]\n"
    );
    fs::write(top.join("install.sh"), script).expect("a file");
    let image = image("bullseye-coffea07");
    let facility = format!("[[facility]]\nid = 'bullseye'\nimage = 'oci:{}'\nengine = 'embedded'\n", image.display());
    fs::write(top.join("carnet.toml"), format!("[test]\nrun = 'sh install.sh'\n{facility}")).expect("a file");
    let mut check = Command::new(CARNET);
    check.args(["check", "--quiet", "--fresh", "--fail-on", "never"]).current_dir(&top);
    // The cache may contain the unpacked image. `--fresh` ignores earlier results.
    if std::env::var_os("CARNET_CACHE").is_none() {
        check.env("CARNET_CACHE", repository().join("target/cache"));
    }
    stdout(&mut check);
    let document = read_json(&top.join("carnet-out/carnet.json"));
    let cell = &document["cells"][0];
    assert_eq!(cell["status"], "passed", "{cell:#}");
}

fn uvx_runs_wheel() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut uvx = Command::new(tool("venv/bin/uvx"));
    uvx.args(["--offline", "--no-config", "--python"]).arg(tool("venv/bin/python")).arg("--from");
    uvx.arg(package(".whl")).args(["carnet", "--version"]).env("UV_CACHE_DIR", dir.path().join("cache"));
    assert_eq!(stdout(&mut uvx), format!("carnet {VERSION}\n"));
}

crate::support::harness::register!(
    [Tool("venv/bin/python")]:
    uvx_runs_wheel,
    wheel_has_tags_and_metadata,
);
crate::support::harness::register!(
    [Tool("venv/bin/python"), Image("bullseye-coffea07")]:
    old_pip_installs_wheel_offline,
);
