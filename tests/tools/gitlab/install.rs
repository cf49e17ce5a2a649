//! The lines that find or download the program, in shells and with tools of all kinds.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use carnet::model::digest::Digest;
use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use crate::gitlab::lint::scripts;
use crate::support::program::install_script;

/// The lines as a job has them, and after them a sign of life.
fn lines() -> String {
    let all = scripts(".gitlab-ci-template.yml");
    let install = all.iter().find(|(name, _)| name == ".carnet-install").expect("the job");
    format!("{}\n\"$CARNET_BIN\" --version\n", install.1)
}

/// A directory for a job, tools, and what a server serves.
struct Machine {
    dir: TempDir,
}

impl Machine {
    /// With these tools and no other.
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

    /// Puts a release there that says its version.
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

    /// Runs the lines in a shell and gives back its code and what it said.
    fn run(&self, shell: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let address = serve(self.path("www"));
        let mut command = Command::new(which(shell[0]));
        command.args(&shell[1..]).arg("-c").arg(lines()).current_dir(self.path("job")).env_clear().stdin(Stdio::null());
        command
            .env("PATH", self.path("bin"))
            .env("CARNET_VERSION", "1.2.3")
            .env("CARNET_BASE_URL", format!("http://{address}"));
        let output = command.envs(variables.iter().copied()).output().expect("a shell");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }
}

fn which(tool: &str) -> PathBuf {
    if tool == "python3" {
        // What stands in the path may be a script that starts another one.
        let output = Command::new(tool).args(["-c", "import sys; print(sys.executable)"]).output();
        return String::from_utf8(output.expect("python3 is installed").stdout).expect("UTF-8").trim().into();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let found = path.split(':').map(|dir| Path::new(dir).join(tool)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{tool} is not installed"))
}

/// Serves the files of a directory on the loopback interface, as long as the test lives.
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

const UNPACK: [&str; 3] = ["sha256sum", "tar", "gzip"];

fn each_tool_that_an_image_may_have_gets_the_program_in_each_shell() {
    for shell in [&["bash", "-eu", "-o", "pipefail"][..], &["sh", "-eu"], &["bash", "--posix", "-e"]] {
        for tools in [&["curl"][..], &["wget"], &["python3"]] {
            let machine = Machine::with(&[tools, &UNPACK].concat());
            machine.release("1.2.3");
            assert_eq!(machine.run(shell, &[]), (0, "carnet 1.2.3\n".to_owned()), "{shell:?} {tools:?}");
            let kit = machine.path("job/.carnet");
            let mut left: Vec<_> = fs::read_dir(&kit).expect("a directory").flatten().map(|e| e.file_name()).collect();
            left.sort();
            assert_eq!(left, [".gitignore", "carnet"]);
            assert_eq!(fs::read_to_string(kit.join(".gitignore")).expect("a file"), "*\n");
        }
    }
}

fn python_alone_is_enough_and_a_program_that_is_there_is_taken() {
    let machine = Machine::with(&["python3"]);
    let release = machine.release("1.2.3");
    assert_eq!(machine.run(&["sh", "-eu"], &[]), (0, "carnet 1.2.3\n".to_owned()));
    fs::remove_dir_all(release).expect("it is there");
    assert_eq!(machine.run(&["sh", "-eu"], &[]), (0, "carnet 1.2.3\n".to_owned()));
    let own = machine.path("own carnet");
    install_script(&own, "echo mine");
    let named = own.to_str().expect("UTF-8");
    assert_eq!(machine.run(&["sh", "-eu"], &[("CARNET_BIN", named)]), (0, "mine\n".to_owned()));
}

fn an_artifact_that_can_not_be_written_to_is_taken_as_it_is() {
    let machine = Machine::with(&[]);
    let kit = machine.path("job/.carnet");
    fs::create_dir(&kit).expect("a directory");
    fs::write(kit.join(".gitignore"), "*\n").expect("a file");
    install_script(&kit.join("carnet"), "echo handed on");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(kit.join("carnet"), mode(0o555)).expect("a mode");
    fs::set_permissions(&kit, mode(0o555)).expect("a mode");
    assert_eq!(machine.run(&["sh", "-eu"], &[]), (0, "handed on\n".to_owned()));
    fs::set_permissions(&kit, mode(0o755)).expect("a mode");
}

fn what_can_not_be_had_is_said_with_the_way_out() {
    let machine = Machine::with(&UNPACK);
    machine.release("1.2.3");
    let (code, text) = machine.run(&["sh", "-eu"], &[]);
    assert!(code == 4 && text.contains("no curl, wget or python3") && text.contains("CARNET_BIN"), "{code} {text}");

    let machine = Machine::with(&[&["curl"][..], &UNPACK].concat());
    let (code, text) = machine.run(&["sh", "-eu"], &[]);
    assert!(code == 4 && text.contains("unknown-linux-gnu.tar.gz can't be downloaded"), "{code} {text}");

    let release = machine.release("1.2.3");
    let sums = fs::read_to_string(release.join("sha256.sum")).expect("a file");
    for sums in [sums.replace("carnet-v1.2.3", "carnet-v1.2.4"), sums.replace(|c: char| c.is_ascii_digit(), "0")] {
        fs::write(release.join("sha256.sum"), sums).expect("a file");
        let (code, text) = machine.run(&["sh", "-eu"], &[]);
        assert!(code == 4 && text.contains("is not that of sha256.sum"), "{code} {text}");
        assert!(!machine.path("job/.carnet/carnet").exists());
    }
}

fn a_version_is_a_version() {
    let machine = Machine::with(&[&["curl", "touch"][..], &UNPACK].concat());
    machine.release("1.2.3");
    for bad in ["$(touch pwned)", "`touch pwned`", "1;touch pwned", "../../x", "", "1 2", "1\n2"] {
        let (code, text) = machine.run(&["sh", "-eu"], &[("CARNET_VERSION", bad)]);
        assert!(code == 2 && text.contains("CARNET_VERSION is no version"), "{bad:?}: {code} {text}");
        assert!(!machine.path("job/pwned").exists());
    }
    assert_eq!(machine.run(&["sh", "-eu"], &[("CARNET_VERSION", "v1.2.3")]).0, 0);
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    each_tool_that_an_image_may_have_gets_the_program_in_each_shell,
    python_alone_is_enough_and_a_program_that_is_there_is_taken,
    an_artifact_that_can_not_be_written_to_is_taken_as_it_is,
    what_can_not_be_had_is_said_with_the_way_out,
    a_version_is_a_version,
);
