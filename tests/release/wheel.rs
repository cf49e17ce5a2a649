//! The wheel, installed as people do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{TOP, file, said, tool, tools};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn its_tags_let_it_in_everywhere_where_the_binary_runs() {
    let name = file(".whl").file_name().expect("a name").to_string_lossy().into_owned();
    let arch = std::env::consts::ARCH;
    let tags = format!("manylinux2014_{arch}.manylinux_2_17_{arch}.musllinux_1_2_{arch}");
    assert_eq!(name, format!("carnet-{VERSION}-py3-none-{tags}.whl"));
    let metadata = said(Command::new(tools().join("venv/bin/python")).args([
        "-c",
        "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); n, = [n for n in z.namelist() if n.endswith('/METADATA')]; \
         print(z.read(n).decode())",
    ]).arg(file(".whl")));
    for line in [
        format!("Version: {VERSION}"),
        format!("License-Expression: {}", env!("CARGO_PKG_LICENSE")),
        format!("Summary: {}", env!("CARGO_PKG_DESCRIPTION")),
    ] {
        assert!(metadata.lines().any(|there| there == line), "{line}\nis not in\n{metadata}");
    }
}

/// Copies what lies in a directory, without its directories.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
        }
    }
}

/// The pip of an old distribution, in its own image and without a network: carnet itself runs the test there.
fn the_pip_of_an_old_image_installs_it_offline() {
    let image = crate::support::engine::image("bullseye-coffea07");
    let dir = tempfile::tempdir().expect("a directory");
    let top = dir.path().join("analysis");
    copy_files(&Path::new(TOP).join("examples/moving-day"), &top.join("moving-day"));
    fs::copy(file(".whl"), top.join(file(".whl").file_name().expect("a name"))).expect("a copy");
    let script = format!(
        "set -ex\ngrep 'VERSION_ID=\"11\"' /etc/os-release\npython3 -m pip --version | grep '^pip 20'\n\
         python3 -m pip install --no-index ./*.whl\n[ \"$(carnet --version)\" = 'carnet {VERSION}' ]\n\
         code=0; carnet scan moving-day >scan.txt || code=$?\n[ $code = 1 ]\ngrep 'run.sh:5:15' scan.txt\n\
         python3 -m pip uninstall --yes carnet\n[ ! -e /usr/local/bin/carnet ]\n"
    );
    fs::write(top.join("install.sh"), script).expect("a file");
    let facility = format!("[[facility]]\nid = 'bullseye'\nimage = 'oci:{}'\nengine = 'embedded'\n", image.display());
    fs::write(top.join("carnet.toml"), format!("[test]\nrun = 'sh install.sh'\n{facility}")).expect("a file");
    // The cache of `make`, which has the image unpacked already; nothing else is taken from it.
    let cache = std::env::var_os("CARNET_CACHE").map_or_else(|| Path::new(TOP).join("target/cache"), PathBuf::from);
    let mut check = Command::new(env!("CARGO_BIN_EXE_carnet"));
    check.args(["check", "--quiet", "--fresh", "--format", "markdown"]).current_dir(&top).env("CARNET_CACHE", cache);
    assert!(said(&mut check).contains("1 passed"));
}

fn uvx_runs_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut uvx = tool("uvx");
    uvx.args(["--offline", "--no-config", "--python"]).arg(tools().join("venv/bin/python")).arg("--from");
    uvx.arg(file(".whl")).args(["carnet", "--version"]).env("UV_CACHE_DIR", dir.path().join("cache"));
    assert_eq!(said(&mut uvx), format!("carnet {VERSION}\n"));
}

crate::support::harness::register!(
    [Tool("venv/bin/python"), Image("bullseye-coffea07")]:
    its_tags_let_it_in_everywhere_where_the_binary_runs,
    the_pip_of_an_old_image_installs_it_offline,
    uvx_runs_it,
);
