//! A repository with an analysis, a copy of the action, and a mirror of releases.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::document::VERSION;
use crate::support::{TestEnv, repository};

/// A repository with the directories of a runner: `temp`, `tools` (the tool cache), `cache` and `artifacts`.
pub(crate) struct GithubEnv(TestEnv);

impl Deref for GithubEnv {
    type Target = TestEnv;

    fn deref(&self) -> &TestEnv {
        &self.0
    }
}

impl GithubEnv {
    /// An empty directory outside of any repository.
    pub(crate) fn new() -> Self {
        Self::from_env(TestEnv::new())
    }

    /// A repository with these files. Files that start with `#!` are executable.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        Self::from_env(TestEnv::with_repository(files))
    }

    fn from_env(env: TestEnv) -> Self {
        for name in ["temp", "tools", "cache", "artifacts"] {
            fs::create_dir(env.path(name)).expect("a directory");
        }
        Self(env)
    }

    /// Copies the files of the action, which a runner checks out when a workflow uses it.
    pub(crate) fn action(&self) -> PathBuf {
        let action = self.path("action");
        fs::create_dir_all(action.join("ci")).expect("a directory");
        for name in ["action.yml", "ci/install.sh", "Cargo.toml"] {
            fs::copy(repository().join(name), action.join(name)).expect("a file of this project");
        }
        action
    }

    /// Creates a mirror with a release of this version that contains `binary`.
    pub(crate) fn mirror(&self, binary: &Path) -> PathBuf {
        let release = self.path("mirror").join(format!("v{VERSION}"));
        let packed = self.path("packed").join(package());
        fs::create_dir_all(&release).expect("directories");
        fs::create_dir_all(&packed).expect("directories");
        fs::copy(binary, packed.join("carnet")).expect("the binary");
        let archive = release.join(format!("{}.tar.gz", package()));
        // The archive stays on this machine, so it is compressed quickly.
        let mut tar = Command::new("tar");
        tar.args(["--use-compress-program=gzip -1", "-cf"])
            .arg(&archive)
            .arg("-C")
            .arg(self.path("packed"))
            .arg(package());
        assert!(tar.status().expect("tar starts").success());
        sign(&archive);
        self.path("mirror")
    }
}

/// Writes the checksum of an archive next to it.
pub(crate) fn sign(archive: &Path) {
    let sum = hex::encode(Sha256::digest(fs::read(archive).expect("the archive")));
    let name = archive.file_name().and_then(|name| name.to_str()).expect("a plain name");
    fs::write(archive.with_file_name("sha256.sum"), format!("{sum}  {name}\n")).expect("a file");
}

/// The name of the archive of this version, without `.tar.gz`.
pub(crate) fn package() -> String {
    format!("carnet-v{}-{}-unknown-linux-gnu", VERSION, std::env::consts::ARCH)
}

/// A web server for the files of a directory on the loopback interface. It stops when this value is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn of(dir: &Path) -> Self {
        let script = "\
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
print(server.server_port, flush=True)
server.serve_forever()";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(dir).stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null());
        let mut child = python.spawn().expect("Python starts");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut port).expect("the port");
        Self { child, url: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
