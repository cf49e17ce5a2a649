//! An image under a contract has the same environment on every engine. Only the part that the engine or the machine imposes may
//! differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use carnet::model::document::{Document, Status};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::engine::{ask, daemon, image};
use crate::support::{CARNET, CommandOutput};

/// Roles with the lines of their contract in `carnet.toml`.
const CONTRACTS: &[(&str, &str)] = &[
    ("plain", ""),
    ("user", "user = '1000:1000'\nhome = '/home/carnet'\nsetup = 'export FROM_PRELUDE=1; umask 027'\n"),
    (
        "batch",
        "user = '1234:4321'\nread_only = true\ntmp_size = '64m'\ntmp_noexec = true\nmemory = '1g'\npids = 200\n\
         cpus = 1.0\nenv = { LC_ALL = 'C.UTF-8', TZ = 'Europe/Zurich', LD_LIBRARY_PATH = '/opt/a:/opt/b' }\n\
         pass_env = ['CARNET_TEST_PASSED']\nmounts = ['/usr/share:/cvmfs/share']\n",
    ),
];

/// An analysis with a cell for each contract of an image.
struct Analysis(TempDir);

impl Analysis {
    fn new(image_name: &str, test: &str, contracts: &[(&str, &str)]) -> Self {
        let image = image(image_name);
        let dir = tempfile::tempdir().expect("a directory");
        let facility = |(role, contract): &(&str, &str)| {
            format!("[[facility]]\nid = 'here'\nrole = '{role}'\nimage = 'oci:{}'\n{contract}", image.display())
        };
        let text = format!("[test]\n{test}{}", contracts.iter().map(facility).collect::<String>());
        fs::create_dir_all(dir.path().join("analysis/cuts")).expect("a directory");
        fs::write(dir.path().join("analysis/cuts/loose"), "pt > 20\n").expect("a file");
        fs::write(dir.path().join("analysis/carnet.toml"), text).expect("a file");
        Self(dir)
    }

    /// Checks all cells on this engine. Returns the document and its path.
    fn check(&self, engine: &str, host: &str) -> (Document, PathBuf) {
        let out = self.0.path().join(engine);
        // The umask, home and locale of the user must have no effect.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask 077; exec \"$0\" \"$@\"", CARNET, "check", "--quiet"]);
        command.args(["--jobs", "1", "--fail-on", "never", "--format", "json", "--engine", engine, "--out"]);
        command.arg(&out).arg(self.0.path().join("analysis"));
        command.env("CARNET_CACHE", self.0.path().join("cache")).env("DOCKER_HOST", host);
        command.env("HOME", self.0.path().join(engine)).env("LC_ALL", "C.UTF-8").env("CARNET_TEST_PASSED", "1");
        let output = CommandOutput::run(&mut command).assert_code(0);
        let document: Document = serde_json::from_str(&output.stdout).expect("a document");
        for cell in &document.cells {
            assert_eq!(cell.engine, engine, "{}", cell.id);
            assert_eq!(cell.status, Status::Passed, "{} on {engine}: {:?} {:?}", cell.id, cell.reason, cell.steps);
        }
        (document, out.join("carnet.json"))
    }

    /// Runs all cells on both engines and compares their environments.
    fn assert_engines_agree(&self, host: &str) {
        let (embedded, first) = self.check("embedded", host);
        let (docker, second) = self.check("docker", host);
        assert_eq!(embedded.cells.len(), docker.cells.len());
        for (a, b) in embedded.cells.iter().zip(&docker.cells) {
            assert!(a.environment.is_some(), "{}: no environment", a.id);
            let column = |path: &Path| format!("{}#{}", path.display(), a.id);
            let columns = [column(&first), column(&second)];
            assert_eq!(a.environment, b.environment, "{}:\n{}", a.id, diff(&columns, "human"));
            let diff: Value = serde_json::from_str(&diff(&columns, "json")).expect("rows as data");
            let sections = diff["sections"].as_array().expect("sections");
            let others: Vec<_> = sections.iter().filter(|section| section["id"] != "imposed").collect();
            assert!(others.is_empty(), "{}: {others:#?}", a.id);
        }
    }
}

impl Drop for Analysis {
    fn drop(&mut self) {
        let _ = carnet::sys::remove::remove_tree(&self.0.path().join("cache"));
    }
}

fn diff(columns: &[String; 2], format: &str) -> String {
    CommandOutput::run(Command::new(CARNET).args(["diff", "--format", format]).args(columns)).assert_code(0).stdout
}

fn engines_agree_on_an_image_without_libc() {
    Analysis::new("busybox", "run = 'cat cuts/loose'\n", CONTRACTS).assert_engines_agree(&daemon());
}

fn engines_agree_on_an_image_with_rpm_packages() {
    Analysis::new("el9-rpm", "run = 'cat cuts/loose'\n", CONTRACTS).assert_engines_agree(&daemon());
}

fn engines_agree_on_an_image_with_coffea() {
    Analysis::new("bookworm-coffea", "run = 'cat cuts/loose'\n", CONTRACTS).assert_engines_agree(&daemon());
}

fn engines_agree_on_the_state_after_setup() {
    let host = daemon();
    let test = "setup = 'mkdir -p /cvmfs/sft && ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime && touch made'\n\
                run = 'test -d /cvmfs/sft && test -e made'\n";
    let analysis = Analysis::new("busybox", test, &[("plain", "")]);
    analysis.assert_engines_agree(&host);
    // The second check uses the saved state.
    analysis.assert_engines_agree(&host);
    let saved = ask(&host, &[], "/images/json?filters=%7B%22label%22%3A%5B%22carnet.kept%22%5D%7D");
    assert_ne!(saved.trim(), "[]", "the state is saved in the daemon");
}

crate::support::harness::register!(
    [Docker, Image("busybox")]:
    engines_agree_on_an_image_without_libc,
    engines_agree_on_the_state_after_setup,
);

crate::support::harness::register!([Docker, Image("el9-rpm")]: engines_agree_on_an_image_with_rpm_packages);
crate::support::harness::register!([Docker, Image("bookworm-coffea")]: engines_agree_on_an_image_with_coffea);
