//! `ci/install.sh`, the installer of the action.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use insta::{allow_duplicates, assert_snapshot};

use crate::github::document::VERSION;
use crate::github::env::{GithubEnv, Server, package, sign};
use crate::support::program::install_script;

/// Programs that the script needs, except for the download.
const NEEDED: [&str; 14] =
    ["sh", "sed", "head", "cut", "dirname", "uname", "mkdir", "mktemp", "rm", "mv", "cp", "chmod", "tar", "gzip"];

/// A machine with few programs, and a mirror with a stand-in for the binary.
struct Machine {
    env: GithubEnv,
    mirror: PathBuf,
}

/// A finished step.
struct Step {
    code: i32,
    log: String,
    /// The outputs of the step.
    output: String,
}

impl Machine {
    fn with(programs: &[&str]) -> Self {
        let env = GithubEnv::new();
        let bin = env.path("bin");
        fs::create_dir(&bin).expect("a directory");
        for name in NEEDED.iter().chain(programs) {
            // Programs in other directories of `PATH` may be scripts that need more programs.
            let real = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name)).into_iter().find(|path| path.exists());
            symlink(real.unwrap_or_else(|| panic!("no {name} in /usr/bin")), bin.join(name)).expect("a link");
        }
        let mirror = env.mirror(&stand_in(&env, VERSION));
        Self { env, mirror }
    }

    fn archive(&self) -> PathBuf {
        self.mirror.join(format!("v{}/{}.tar.gz", VERSION, package()))
    }

    /// The path of the binary in the tool cache.
    fn installed(&self) -> PathBuf {
        let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        self.env.path("tools").join(format!("carnet/{VERSION}/{triple}/carnet"))
    }

    /// Runs the script with this version and base URL.
    fn install(&self, version: &str, base: &str) -> Step {
        let output = self.env.path("output");
        fs::write(&output, "").expect("a file");
        let mut sh = Command::new(self.env.path("bin/sh"));
        sh.arg(self.env.action().join("ci/install.sh")).current_dir(self.env.path("analysis")).env_clear();
        sh.env("PATH", self.env.path("bin")).env("GITHUB_OUTPUT", &output).env("CARNET_VERSION", version);
        sh.env("CARNET_BASE_URL", base).env("RUNNER_TOOL_CACHE", self.env.path("tools"));
        sh.env("TMPDIR", self.env.path("temp")).env("HOME", self.env.path("home"));
        let done = sh.output().expect("it starts");
        assert_eq!(fs::read_dir(self.env.path("temp")).expect("a directory").count(), 0, "files in TMPDIR");
        Step {
            code: done.status.code().unwrap_or(-1),
            log: [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat(),
            output: fs::read_to_string(output).expect("text"),
        }
    }
}

/// A program that prints this version of carnet.
fn stand_in(env: &GithubEnv, version: &str) -> PathBuf {
    let path = env.path("stand-in");
    install_script(&path, &format!("echo carnet {version}"));
    path
}

impl Step {
    /// The step succeeded with this binary.
    #[track_caller]
    fn assert_found(self, path: &Path) {
        assert_eq!((self.code, self.output), (0, format!("path={}\n", path.display())), "{}", self.log);
        assert!(path.is_file());
    }

    /// The step failed with one annotation, which is returned without its prefix.
    #[track_caller]
    fn error(self, code: i32) -> String {
        assert_eq!((self.code, self.output.as_str()), (code, ""), "{}", self.log);
        let commands: Vec<&str> = self.log.lines().filter(|line| line.starts_with("::")).collect();
        let [command] = commands[..] else { panic!("{}", self.log) };
        let error = command.strip_prefix("::error title=carnet::").unwrap_or_else(|| panic!("{}", self.log));
        error.replace(VERSION, "[VERSION]").replace(std::env::consts::ARCH, "[ARCH]")
    }
}

/// A base URL at which no server listens.
const NO_SERVER: &str = "http://127.0.0.1:9";

fn installer_downloads_with_any_tool() {
    for programs in [&["curl", "sha256sum"][..], &["wget", "sha256sum"], &["python3", "sha256sum"], &["python3"]] {
        let machine = Machine::with(programs);
        let server = Server::of(&machine.mirror);
        machine.install("", &server.url).assert_found(&machine.installed());
        drop(server);
        // The binary is in the tool cache.
        machine.install(VERSION, NO_SERVER).assert_found(&machine.installed());
        machine.install(&format!("v{VERSION}"), NO_SERVER).assert_found(&machine.installed());
    }
}

fn installer_copies_from_directory() {
    let machine = Machine::with(&["sha256sum"]);
    let base = format!("file://{}", machine.mirror.display());
    machine.install("", &base).assert_found(&machine.installed());
    assert_snapshot!(machine.install("9.9.9", &base).error(4), @"failed to download carnet 9.9.9 for [ARCH]-unknown-linux-gnu: check that this release exists");
}

fn installer_reports_missing_download_tools() {
    let machine = Machine::with(&["sha256sum"]);
    assert_snapshot!(machine.install("", NO_SERVER).error(4), @"none of curl, wget and python3 is installed in this image: set version to path:/absolute/file, or run the action outside of the container");
}

fn installer_reports_invalid_releases() {
    for programs in [&["curl", "sha256sum"][..], &["wget", "sha256sum"], &["python3", "sha256sum"]] {
        let machine = Machine::with(programs);
        let server = Server::of(&machine.mirror);
        let archive = machine.archive();
        let sums = archive.with_file_name("sha256.sum");
        let valid = fs::read(&archive).expect("the archive");
        let error = |version: &str| machine.install(version, &server.url).error(4);
        allow_duplicates! {
            assert_snapshot!(error("9.9.9"), @"failed to download carnet 9.9.9 for [ARCH]-unknown-linux-gnu: check that this release exists");
            fs::write(&archive, &valid[..valid.len() / 2]).expect("a file");
            assert_snapshot!(error(""), @"checksum mismatch for carnet-v[VERSION]-[ARCH]-unknown-linux-gnu.tar.gz: the download is incomplete or was modified");
            fs::write(&archive, "not an archive").expect("a file");
            assert_snapshot!(error(""), @"checksum mismatch for carnet-v[VERSION]-[ARCH]-unknown-linux-gnu.tar.gz: the download is incomplete or was modified");
            sign(&archive);
            assert_snapshot!(error(""), @"failed to unpack carnet-v[VERSION]-[ARCH]-unknown-linux-gnu.tar.gz: check that tar and gzip are installed");
            fs::write(&archive, &valid).expect("a file");
            fs::write(&sums, "0000  other.tar.gz\n").expect("a file");
            assert_snapshot!(error(""), @"the checksums of carnet [VERSION] do not include carnet-v[VERSION]-[ARCH]-unknown-linux-gnu.tar.gz");
            fs::remove_file(&sums).expect("a file");
            assert_snapshot!(error(""), @"failed to download the checksums of carnet [VERSION]");
        }
        assert!(!machine.installed().exists());
    }
}

fn installer_reports_binary_of_other_version() {
    let machine = Machine::with(&["sha256sum"]);
    machine.env.mirror(&stand_in(&machine.env, "0.0.1"));
    let base = format!("file://{}", machine.mirror.display());
    assert_snapshot!(machine.install("", &base).error(4), @"the binary in carnet-v[VERSION]-[ARCH]-unknown-linux-gnu.tar.gz does not start or has a different version");
    // A binary of another version in the cache is replaced.
    install_script(&machine.installed(), "echo carnet 0.0.1");
    machine.env.mirror(&stand_in(&machine.env, VERSION));
    machine.install("", &base).assert_found(&machine.installed());
    machine.install("", NO_SERVER).assert_found(&machine.installed());
}

fn installer_reports_invalid_versions() {
    let machine = Machine::with(&["sha256sum"]);
    let error = |version: &str| machine.install(version, NO_SERVER).error(2);
    for version in [
        "../../x",
        "1.2.3;id",
        "$(id)",
        "`id`",
        "1.2.3 --help",
        "latest",
        "-1.2.3",
        "1.2",
        "v",
        "1.2.3/..",
        "1.2.3\npath=/evil",
        "1.2.3%0A::warning::x",
    ] {
        allow_duplicates! { assert_snapshot!(error(version), @"invalid version; expected X.Y.Z or path:/absolute/file"); }
    }
    for version in ["path:", "path:relative"] {
        allow_duplicates! { assert_snapshot!(error(version), @"invalid version; expected the absolute path of a binary: path:/absolute/file"); }
    }
    for version in ["path:/missing", "path:/", "path:/etc/passwd", "path:/bin/sh\nx"] {
        allow_duplicates! { assert_snapshot!(error(version), @"version contains the path of a file that does not exist or is not executable"); }
    }
    assert_snapshot!(error("path:/bin/true"), @"version contains the path of a file that is not carnet or does not start");
}

fn installer_reports_invalid_base_urls() {
    let machine = Machine::with(&["sha256sum"]);
    for base in ["ftp://example.org", "$(id)", "-o x", "file://relative"] {
        allow_duplicates! { assert_snapshot!(machine.install("", base).error(2), @"invalid CARNET_BASE_URL; expected https:// or file:///"); }
    }
}

fn installer_uses_named_binary() {
    let machine = Machine::with(&[]);
    let binary = stand_in(&machine.env, "7.0.0-rc.1");
    machine.install(&format!("path:{}", binary.display()), "").assert_found(&binary);
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    installer_copies_from_directory,
    installer_downloads_with_any_tool,
    installer_reports_binary_of_other_version,
    installer_reports_invalid_base_urls,
    installer_reports_invalid_releases,
    installer_reports_invalid_versions,
    installer_reports_missing_download_tools,
    installer_uses_named_binary,
);
