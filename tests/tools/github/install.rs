//! `ci/install.sh`: what it takes, what it refuses, and what it needs of an image.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::github::document::version;
use crate::github::env::{GithubEnv, Server, package, sign};
use crate::support::program;

/// What the script needs beside something that downloads.
const NEEDED: [&str; 14] =
    ["sh", "sed", "head", "cut", "dirname", "uname", "mkdir", "mktemp", "rm", "mv", "cp", "chmod", "tar", "gzip"];

/// A machine with few programs, and a mirror that serves a small stand-in for the binary.
struct Machine {
    env: GithubEnv,
    mirror: PathBuf,
}

struct CommandOutput {
    code: i32,
    log: String,
    /// What the step's outputs hold.
    output: String,
}

impl Machine {
    fn with(programs: &[&str]) -> Self {
        let env = GithubEnv::new();
        let bin = env.path("bin");
        fs::create_dir(&bin).expect("a directory");
        for name in NEEDED.iter().chain(programs) {
            // Those of the system: what stands before them may be a script that wants more programs than these.
            let real = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name)).into_iter().find(|path| path.exists());
            symlink(real.unwrap_or_else(|| panic!("no {name} in /usr/bin")), bin.join(name)).expect("a link");
        }
        let mirror = env.mirror(&stand_in(&env, version()));
        Self { env, mirror }
    }

    fn archive(&self) -> PathBuf {
        self.mirror.join(format!("v{}/{}.tar.gz", version(), package()))
    }

    /// Where the binary belongs.
    fn installed(&self) -> PathBuf {
        let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        self.env.path("tools").join(format!("carnet/{}/{triple}/carnet", version()))
    }

    fn install(&self, wanted: &str, base: &str) -> CommandOutput {
        let output = self.env.path("output");
        fs::write(&output, "").expect("a file");
        let mut sh = Command::new(self.env.path("bin/sh"));
        sh.arg(self.env.action().join("ci/install.sh")).current_dir(self.env.path("analysis")).env_clear();
        sh.env("PATH", self.env.path("bin")).env("GITHUB_OUTPUT", &output).env("CARNET_VERSION", wanted);
        sh.env("CARNET_BASE_URL", base).env("RUNNER_TOOL_CACHE", self.env.path("tools"));
        sh.env("TMPDIR", self.env.path("temp")).env("HOME", self.env.path("home"));
        let done = sh.output().expect("it starts");
        assert_eq!(
            fs::read_dir(self.env.path("temp")).expect("a directory").count(),
            0,
            "something was left in TMPDIR"
        );
        CommandOutput {
            code: done.status.code().unwrap_or(-1),
            log: [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat(),
            output: fs::read_to_string(output).expect("text"),
        }
    }
}

/// A program that says of itself that it is this version of carnet.
fn stand_in(env: &GithubEnv, version: &str) -> PathBuf {
    let path = env.path("stand-in");
    let text = env.path("stand-in.text");
    fs::write(&text, format!("#!/bin/sh\necho carnet {version}\n")).expect("a file");
    program::install(&text, &path);
    path
}

impl CommandOutput {
    #[track_caller]
    fn found(self, path: &Path) {
        assert_eq!((self.code, self.output), (0, format!("path={}\n", path.display())), "{}", self.log);
        assert!(path.is_file());
    }

    #[track_caller]
    fn refused(self, code: i32, why: &str) {
        assert_eq!((self.code, self.output.as_str()), (code, ""), "{}", self.log);
        let commands: Vec<&str> = self.log.lines().filter(|line| line.starts_with("::")).collect();
        assert!(
            matches!(commands[..], [one] if one.starts_with("::error title=carnet::") && one.contains(why)),
            "{}",
            self.log
        );
    }
}

fn anything_that_downloads_will_do() {
    for programs in [&["curl", "sha256sum"][..], &["wget", "sha256sum"], &["python3", "sha256sum"], &["python3"]] {
        let machine = Machine::with(programs);
        let server = Server::over(&machine.mirror);
        machine.install("", &server.url).found(&machine.installed());
        drop(server);
        // It stays in the runner's cache, and then nothing is downloaded.
        machine.install(version(), "http://127.0.0.1:9").found(&machine.installed());
        machine.install(&format!("v{}", version()), "http://127.0.0.1:9").found(&machine.installed());
    }
}

fn a_directory_can_be_the_mirror_where_nothing_downloads() {
    let machine = Machine::with(&["sha256sum"]);
    let base = format!("file://{}", machine.mirror.display());
    machine.install("", &base).found(&machine.installed());
    machine.install("9.9.9", &base).refused(4, "is there such a release?");
}

fn an_image_that_can_not_download_says_what_to_do() {
    let machine = Machine::with(&["sha256sum"]);
    machine.install("", "http://127.0.0.1:9").refused(4, "none of curl, wget and python3 is in this image");
}

fn what_is_not_the_release_is_refused() {
    for programs in [&["curl", "sha256sum"][..], &["wget", "sha256sum"], &["python3", "sha256sum"]] {
        let machine = Machine::with(programs);
        let server = Server::over(&machine.mirror);
        let archive = machine.archive();
        let whole = fs::read(&archive).expect("the archive");

        machine.install("9.9.9", &server.url).refused(4, "carnet 9.9.9 can't be downloaded");
        fs::write(&archive, &whole[..whole.len() / 2]).expect("a file");
        machine.install("", &server.url).refused(4, "another checksum");
        fs::write(&archive, "not what was signed").expect("a file");
        machine.install("", &server.url).refused(4, "another checksum");
        sign(&archive);
        machine.install("", &server.url).refused(4, "can't be unpacked");
        fs::write(&archive, &whole).expect("a file");
        fs::write(archive.with_file_name("sha256.sum"), "0000  other.tar.gz\n").expect("a file");
        machine.install("", &server.url).refused(4, "have none for");
        fs::remove_file(archive.with_file_name("sha256.sum")).expect("a file");
        machine.install("", &server.url).refused(4, "the checksums of carnet");
        assert!(!machine.installed().exists());
    }
}

fn a_binary_of_another_version_is_refused() {
    let machine = Machine::with(&["sha256sum"]);
    machine.env.mirror(&stand_in(&machine.env, "0.0.1"));
    let base = format!("file://{}", machine.mirror.display());
    machine.install("", &base).refused(4, "of another version");
    // One in the cache is not taken either.
    fs::create_dir_all(machine.installed().parent().expect("a parent")).expect("directories");
    program::install(&stand_in(&machine.env, "0.0.1"), &machine.installed());
    machine.env.mirror(&stand_in(&machine.env, version()));
    machine.install("", &base).found(&machine.installed());
    machine.install("", "http://127.0.0.1:9").found(&machine.installed());
}

fn no_version_is_a_path_a_command_or_another_output() {
    let machine = Machine::with(&["sha256sum"]);
    for wanted in [
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
        "path:",
        "path:relative",
        "path:/nowhere",
        "path:/",
        "path:/etc/passwd",
        "path:/bin/sh\nx",
    ] {
        let said = machine.install(wanted, "http://127.0.0.1:9");
        assert!(!said.log.contains("uid="), "{wanted}: {}", said.log);
        said.refused(2, "version");
    }
    for base in ["ftp://example.org", "$(id)", "-o x", "file://relative"] {
        machine.install("", base).refused(2, "CARNET_BASE_URL");
    }
}

fn a_binary_that_is_there_is_taken_as_it_is() {
    let machine = Machine::with(&[]);
    let binary = stand_in(&machine.env, "7.0.0-rc.1");
    machine.install(&format!("path:{}", binary.display()), "").found(&binary);
}

crate::support::harness::register!(
    [Tool("venv/bin/act")]:
    anything_that_downloads_will_do,
    a_directory_can_be_the_mirror_where_nothing_downloads,
    an_image_that_can_not_download_says_what_to_do,
    what_is_not_the_release_is_refused,
    a_binary_of_another_version_is_refused,
    no_version_is_a_path_a_command_or_another_output,
    a_binary_that_is_there_is_taken_as_it_is,
);
