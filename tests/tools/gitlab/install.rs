//! The lines of the template that find or download carnet, in several shells and with several tools.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use carnet::model::digest::Digest;
use flate2::{Compression, write::GzEncoder};
use insta::{allow_duplicates, assert_snapshot};
use tempfile::TempDir;

use crate::gitlab::lint::scripts;
use crate::support::CommandOutput;
use crate::support::program::install_script;

/// The lines of the job, and a line that prints the version.
fn lines() -> String {
    let install = &scripts(".gitlab-ci-template.yml")[".carnet-install"];
    format!("{install}\n\"$CARNET_BIN\" --version\n")
}

/// A directory with `bin`, the directory of a job, and the files of a server.
struct Machine {
    dir: TempDir,
}

impl Machine {
    /// Creates a machine that has only these tools.
    fn with(tools: &[&str]) -> Self {
        let machine = Self { dir: tempfile::tempdir().expect("a directory") };
        for dir in ["bin", "job", "www"] {
            fs::create_dir(machine.path(dir)).expect("a directory");
        }
        for tool in ["uname", "mkdir", "mv", "rm", "sh"].iter().chain(tools) {
            std::os::unix::fs::symlink(which(tool), machine.path("bin").join(tool)).expect("a link");
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Publishes a release whose program prints its version, and returns the directory of the release.
    fn release(&self, version: &str) -> PathBuf {
        let name = format!("carnet-v{version}-{}-unknown-linux-gnu", std::env::consts::ARCH);
        let program = self.path("program");
        install_script(&program, &format!("echo carnet {version}"));
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        archive.append_path_with_name(&program, format!("{name}/carnet")).expect("an entry");
        let bytes = archive.into_inner().and_then(GzEncoder::finish).expect("an archive");
        let dir = self.path("www").join(format!("v{version}"));
        fs::create_dir_all(&dir).expect("a directory");
        let sums = format!("{}  other.tar.gz\n{}  {name}.tar.gz\n", "0".repeat(64), Digest::of(&bytes).hex());
        fs::write(dir.join("sha256.sum"), sums).expect("a file");
        fs::write(dir.join(format!("{name}.tar.gz")), bytes).expect("a file");
        dir
    }

    /// Runs the lines in a shell.
    fn run(&self, shell: &[&str], variables: &[(&str, &str)]) -> CommandOutput {
        let address = serve(self.path("www"));
        let mut command = Command::new(which(shell[0]));
        command.args(&shell[1..]).arg("-c").arg(lines()).current_dir(self.path("job")).env_clear().stdin(Stdio::null());
        command
            .env("PATH", self.path("bin"))
            .env("CARNET_VERSION", "1.2.3")
            .env("CARNET_BASE_URL", format!("http://{address}"));
        let output = CommandOutput::run(command.envs(variables.iter().copied()));
        let stderr = output.stderr.replace(&address, "[ADDRESS]").replace(std::env::consts::ARCH, "[ARCH]");
        CommandOutput { stderr, ..output }
    }
}

fn which(tool: &str) -> PathBuf {
    if tool == "python3" {
        // The program on `PATH` may be a script that starts another one.
        let output = Command::new(tool).args(["-c", "import sys; print(sys.executable)"]).output();
        return String::from_utf8(output.expect("python3 is installed").stdout).expect("UTF-8").trim().into();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let found = path.split(':').map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{tool} is not installed"))
}

/// Serves the files of a directory on the loopback interface until the process ends.
fn serve(dir: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = BufReader::new(stream.try_clone().expect("a copy")).lines();
            let first = request.next().and_then(Result::ok).unwrap_or_default();
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
            let (status, body) = match fs::read(dir.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head = format!("HTTP/1.0 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}

/// Programs that verify and unpack an archive.
const UNPACK: [&str; 3] = ["sha256sum", "tar", "gzip"];

/// Fails unless the lines succeed and the program prints `text`.
#[track_caller]
fn assert_prints(output: CommandOutput, text: &str) {
    assert_eq!(output.assert_code(0).stdout, format!("{text}\n"));
}

fn lines_install_release_with_any_tool_and_shell() {
    for shell in [&["bash", "-eu", "-o", "pipefail"][..], &["sh", "-eu"], &["bash", "--posix", "-e"]] {
        for tools in [&["curl"][..], &["wget"], &["python3"]] {
            let machine = Machine::with(&[tools, &UNPACK].concat());
            machine.release("1.2.3");
            assert_prints(machine.run(shell, &[]), "carnet 1.2.3");
            let kit = machine.path("job/.carnet");
            let mut names: Vec<_> = fs::read_dir(&kit).expect("a directory").flatten().map(|e| e.file_name()).collect();
            names.sort();
            assert_eq!(names, [".gitignore", "carnet"], "{shell:?} {tools:?}");
            assert_eq!(fs::read_to_string(kit.join(".gitignore")).expect("a file"), "*\n");
        }
    }
}

fn lines_need_only_python_and_prefer_installed_program() {
    let machine = Machine::with(&["python3"]);
    let release = machine.release("1.2.3");
    assert_prints(machine.run(&["sh", "-eu"], &[]), "carnet 1.2.3");
    fs::remove_dir_all(release).expect("a release");
    assert_prints(machine.run(&["sh", "-eu"], &[]), "carnet 1.2.3");
    let own = machine.path("own carnet");
    install_script(&own, "echo own");
    assert_prints(machine.run(&["sh", "-eu"], &[("CARNET_BIN", own.to_str().expect("UTF-8"))]), "own");
}

fn lines_use_program_in_read_only_directory() {
    let machine = Machine::with(&[]);
    let kit = machine.path("job/.carnet");
    fs::create_dir(&kit).expect("a directory");
    fs::write(kit.join(".gitignore"), "*\n").expect("a file");
    install_script(&kit.join("carnet"), "echo artifact");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(kit.join("carnet"), mode(0o555)).expect("a mode");
    fs::set_permissions(&kit, mode(0o555)).expect("a mode");
    let output = machine.run(&["sh", "-eu"], &[]);
    fs::set_permissions(&kit, mode(0o755)).expect("a mode");
    assert_prints(output, "artifact");
}

fn lines_report_failed_downloads() {
    let machine = Machine::with(&UNPACK);
    machine.release("1.2.3");
    let output = machine.run(&["sh", "-eu"], &[]).assert_code(4);
    assert_snapshot!(output.text(), @"
    carnet: no curl, wget or python3 in this image; pass the program on as an artifact, or set CARNET_BIN to its path
    carnet: failed to download http://[ADDRESS]/v1.2.3/carnet-v1.2.3-[ARCH]-unknown-linux-gnu.tar.gz
    ");

    let machine = Machine::with(&[&["curl"][..], &UNPACK].concat());
    let output = machine.run(&["sh", "-eu"], &[]).assert_code(4);
    assert_snapshot!(output.text(), @"
    curl: (22) The requested URL returned error: 404
    carnet: failed to download http://[ADDRESS]/v1.2.3/carnet-v1.2.3-[ARCH]-unknown-linux-gnu.tar.gz
    ");

    let release = machine.release("1.2.3");
    let sums = fs::read_to_string(release.join("sha256.sum")).expect("a file");
    // The list has no checksum of the archive, or a wrong one.
    for sums in [sums.replace("carnet-v1.2.3", "carnet-v1.2.4"), sums.replace(|c: char| c.is_ascii_hexdigit(), "0")] {
        fs::write(release.join("sha256.sum"), sums).expect("a file");
        let output = machine.run(&["sh", "-eu"], &[]).assert_code(4);
        allow_duplicates! { assert_snapshot!(output.text(), @"carnet: checksum of carnet-v1.2.3-[ARCH]-unknown-linux-gnu.tar.gz does not match sha256.sum"); }
        assert!(!machine.path("job/.carnet/carnet").exists());
    }
}

fn lines_report_invalid_version() {
    let machine = Machine::with(&[&["curl", "touch"][..], &UNPACK].concat());
    machine.release("1.2.3");
    for version in ["$(touch pwned)", "`touch pwned`", "1;touch pwned", "../../x", "", "1 2", "1\n2"] {
        let output = machine.run(&["sh", "-eu"], &[("CARNET_VERSION", version)]).assert_code(2);
        assert_eq!(output.text(), format!("carnet: invalid CARNET_VERSION: {version}; expected X.Y.Z\n"));
        assert!(!machine.path("job/pwned").exists());
    }
    assert_prints(machine.run(&["sh", "-eu"], &[("CARNET_VERSION", "v1.2.3")]), "carnet 1.2.3");
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    lines_install_release_with_any_tool_and_shell,
    lines_need_only_python_and_prefer_installed_program,
    lines_report_failed_downloads,
    lines_report_invalid_version,
    lines_use_program_in_read_only_directory,
);
