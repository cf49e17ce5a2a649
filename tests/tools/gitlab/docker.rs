//! A pipeline whose jobs run in images. The plan job downloads carnet, and the cells get it as an artifact.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use carnet::image::disk::OnDisk;
use carnet::image::export::write_docker_archive;
use carnet::model::digest::Digest;
use carnet::model::reference::Reference;
use flate2::{Compression, write::GzEncoder};

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, statuses};
use crate::support::engine::{busybox, daemon, image};
use crate::support::program::install_script;
use crate::support::{CARNET, CommandOutput};

/// Three facilities: an image with only a shell; an image with a failing entrypoint and an unprivileged user; an image with Python.
const CONFIG: &str = r#"
[analysis]
name = "dimuon"

[test]
run = "sh check.sh"

[[facility]]
id = "bare"
image = "docker://carnet-test/bare:1"

[[facility]]
id = "guest"
image = "docker://carnet-test/guest:1"

[[facility]]
id = "python"
image = "docker://carnet-test/python:1"
env = { BROKEN = "1" }
"#;

/// The jobs that download carnet. Python downloads it from a server in the same job.
const PIPELINE: &str = r#"
variables:
  CARNET_IMAGE: carnet-test/python:1
  CARNET_BASE_URL: http://127.0.0.1:8080

carnet-scan:
  rules:
    - when: never

.server: &server
  before_script:
    - set -u
    - if command -v curl || command -v wget; then exit 9; fi
    - python3 -m http.server 8080 --bind 127.0.0.1 --directory /www >/www.log 2>&1 &
    # The server may start slowly.
    - for i in $(seq 600); do python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8080))' && break || sleep 0.1; done

carnet-plan: *server
carnet-program: *server
"#;

/// Programs that gitlab-ci-local starts in its helper image.
const HELPER: [&str; 15] =
    ["bash", "cat", "chmod", "chown", "cp", "find", "id", "ls", "mkdir", "mktemp", "mv", "rm", "rsync", "sh", "true"];

struct Docker {
    host: String,
}

impl Docker {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", &self.host).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        stdout(&mut self.command(arguments))
    }

    /// Loads an image of `examples/images/build.sh`.
    fn load(&self, image: &Reference, name: &str) {
        let image = OnDisk::open(image).expect("an image");
        let mut child = self.command(&["load", "-q"]).stdin(Stdio::piped()).spawn().expect("docker is installed");
        let pipe = child.stdin.take().expect("a pipe");
        write_docker_archive(&image, name, pipe).expect("an archive");
        assert!(child.wait().expect("an end").success());
    }

    /// Creates an image of the files in a tar archive.
    fn import(&self, archive: &Path, changes: &[&str], name: &str) {
        let changes = changes.iter().flat_map(|change| ["--change", change]);
        let archive = archive.to_str().expect("UTF-8");
        self.run(&[&["import"], &changes.collect::<Vec<_>>()[..], &[archive, name]].concat());
    }
}

/// The standard output of a command that must succeed.
#[track_caller]
fn stdout(command: &mut Command) -> String {
    CommandOutput::run(command).assert_code(0).stdout
}

/// Writes an archive with programs of this machine and their libraries.
fn helper(archive: &Path) {
    let mut files = std::collections::BTreeSet::new();
    for program in HELPER {
        let path = stdout(Command::new("sh").args(["-c", &format!("command -v {program}")])).trim().to_owned();
        let path = if path.starts_with('/') { path } else { format!("/bin/{program}") };
        let libraries = stdout(Command::new("ldd").arg(&path));
        files.extend(libraries.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned));
        files.insert(path);
    }
    let mut tar = tar::Builder::new(File::create(archive).expect("a file"));
    tar.follow_symlinks(true);
    for file in files {
        tar.append_path_with_name(&file, file.trim_start_matches('/')).expect("an entry");
        if let Some(name) = file.strip_prefix("/usr/bin/") {
            tar.append_path_with_name(&file, format!("bin/{name}")).expect("an entry");
        }
    }
    tar.append_dir("tmp", "/tmp").expect("an entry");
    tar.finish().expect("an archive");
}

/// Publishes a release of the binary under test without debug information.
fn release(dir: &Path) {
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("carnet-v{version}-{}-unknown-linux-gnu", std::env::consts::ARCH);
    let program = dir.join("program");
    stdout(Command::new("strip").arg("-o").arg(&program).arg(CARNET));
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    archive.append_path_with_name(&program, format!("{name}/carnet")).expect("an entry");
    let bytes = archive.into_inner().and_then(GzEncoder::finish).expect("an archive");
    let dir = dir.join(format!("v{version}"));
    fs::create_dir(&dir).expect("a directory");
    fs::write(dir.join("sha256.sum"), format!("{}  {name}.tar.gz\n", Digest::of(&bytes).hex())).expect("a file");
    fs::write(dir.join(format!("{name}.tar.gz")), bytes).expect("a file");
}

fn cells_run_in_images_of_their_facilities() {
    let host = daemon();
    let docker = Docker { host };
    let dir = tempfile::tempdir().expect("a directory");
    let python = Reference::OciLayout(image("bullseye-coffea07"), Some("latest".to_owned()));
    docker.load(&busybox(), "carnet-test/bare:1");
    docker.load(&python, "carnet-test/python:1");
    let bare = dir.path().join("bare.tar");
    let container = docker.run(&["create", "carnet-test/bare:1"]).trim().to_owned();
    docker.run(&["export", "-o", bare.to_str().expect("UTF-8"), &container]);
    docker.run(&["rm", &container]);
    docker.import(
        &bare,
        &["USER 1234:1234", "ENTRYPOINT [\"/bin/false\"]", "ENV PATH=/bin:/usr/bin"],
        "carnet-test/guest:1",
    );
    let archive = dir.path().join("helper.tar");
    helper(&archive);
    docker.import(&archive, &["ENV PATH=/usr/bin:/bin", "CMD [\"bash\"]"], "carnet-test/helper:1");

    let www = dir.path().join("www");
    fs::create_dir(&www).expect("a directory");
    release(&www);
    let pipeline = block("include") + PIPELINE;
    let env = GitlabEnv::new(&pipeline);
    env.write("carnet.toml", CONFIG);
    env.commit();
    // gitlab-ci-local does not support `needs: pipeline`, which passes read-only artifacts to a child pipeline. Mount them instead.
    let tools = dir.path().join("bin");
    fs::create_dir(&tools).expect("a directory");
    let docker = stdout(Command::new("sh").args(["-c", "command -v docker"]));
    let kit = env.analysis().join(".carnet");
    let lines = format!(
        "case \"$1 $*\" in create*GCL_TRIGGERER=*) shift; set -- create --volume '{}:/builds/my-group/carnet/.carnet:ro' \"$@\" ;; esac\n\
         exec {} \"$@\"",
        kit.display(),
        docker.trim()
    );
    install_script(&tools.join("docker"), &lines);
    let volume = format!("{}:/www:ro", www.display());
    let helper = ["--helper-image", "carnet-test/helper:1", "--pull-policy", "if-not-present"];
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let output = env.gitlab_with(&path, &[&helper[..], &["--umask=false", "--volume", &volume]].concat());
    assert!(env.analysis().join("carnet-out/carnet.json").exists(), "{}", output.text());
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(
        statuses(&document),
        [("bare", "passed"), ("guest", "passed"), ("python", "failed")],
        "{}",
        output.text()
    );
    let commit = &document["analysis"]["commit"];
    for cell in ["bare", "guest", "python"] {
        let own = env.read_json(&format!("carnet-cells/{cell}/carnet.json"));
        assert_eq!(
            (&own["analysis"]["commit"], &own["analysis"]["dirty"]),
            (commit, &serde_json::json!(false)),
            "{cell}"
        );
        assert_eq!(own["analysis"]["tree"]["digest"], document["analysis"]["tree"]["digest"], "{cell}");
    }
    let environment = |cell: usize| {
        let digest = document["cells"][cell]["environment"].as_str().expect("a digest");
        document["environments"][digest].to_string()
    };
    let packages = |cell: usize| environment(cell).matches("\"normalized\":\"coffea\"").count();
    assert_eq!([packages(0), packages(1), packages(2)], [0, 0, 1]);
}

crate::support::harness::register!(
    [Docker, Image("bullseye-coffea07"), Image("busybox"), Tool("venv/bin/node")]:
    cells_run_in_images_of_their_facilities,
);
