//! One image under one contract has one environment, whichever engine starts it: what an engine or the machine imposes
//! stands apart, and nothing else may depend on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::engine::{ask, busybox, daemon};
use carnet::model::document::{Document, Status};
use serde_json::Value;
use tempfile::TempDir;

/// Contracts as tables of `carnet.toml`, each with the name of its role.
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

/// An analysis whose cells are an image under these contracts.
struct Analysis(TempDir);

impl Analysis {
    fn new(image: &Path, test: &str, contracts: &[(&str, &str)]) -> Self {
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

    /// The document of a check in which this engine runs all cells, and its path.
    fn check(&self, engine: &str, host: &str) -> (Document, PathBuf) {
        let out = self.0.path().join(engine);
        // Nothing of who starts it may show: umask, home, locale, directory for temporary files.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask 077; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_carnet"), "check", "--quiet"]);
        command.args(["--jobs", "1", "--fail-on", "never", "--format", "json", "--engine", engine, "--out"]);
        command.arg(&out).arg(self.0.path().join("analysis"));
        command.env("CARNET_CACHE", self.0.path().join("cache")).env("DOCKER_HOST", host);
        command.env("HOME", self.0.path().join(engine)).env("LC_ALL", "C.UTF-8").env("CARNET_TEST_PASSED", "1");
        let output = command.output().expect("carnet starts");
        let said = || String::from_utf8_lossy(&output.stderr);
        let document: Document =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{engine}: {error}: {}", said()));
        for cell in &document.cells {
            assert_eq!(cell.engine, engine, "{}", cell.id);
            assert_eq!(cell.status, Status::Passed, "{} on {engine}: {:?} {:?}", cell.id, cell.reason, cell.steps);
        }
        (document, out.join("carnet.json"))
    }

    /// Runs all cells on both engines and compares what they found.
    fn agrees(&self, host: &str) {
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
    let output = Command::new(env!("CARGO_BIN_EXE_carnet")).args(["diff", "--format", format]).args(columns).output();
    let output = output.expect("carnet starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The directory of images that `examples/images/build.sh` made.
fn images() -> PathBuf {
    let carnet::model::reference::Reference::OciLayout(path, _) = busybox() else { panic!("busybox is a layout") };
    path.parent().expect("a directory of images").to_owned()
}

fn an_image_without_a_libc_is_one_environment_on_both_engines() {
    let host = daemon();
    Analysis::new(&images().join("busybox"), "run = 'cat cuts/loose'\n", CONTRACTS).agrees(&host);
}

fn an_image_of_rpm_packages_is_one_environment_on_both_engines() {
    let host = daemon();
    Analysis::new(&images().join("el9-rpm"), "run = 'cat cuts/loose'\n", CONTRACTS).agrees(&host);
}

fn an_image_with_a_physics_stack_is_one_environment_on_both_engines() {
    let host = daemon();
    let image = images().join("bookworm-coffea");
    if image.join("index.json").exists() {
        Analysis::new(&image, "run = 'cat cuts/loose'\n", CONTRACTS).agrees(&host);
    } else {
        println!("not compared: run `examples/images/build.sh bookworm-coffea` as root for {}", image.display());
    }
}

fn what_a_set_up_leaves_is_one_environment_on_both_engines() {
    let host = daemon();
    let test = "setup = 'mkdir -p /cvmfs/sft && ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime && touch made'\n\
                run = 'test -d /cvmfs/sft && test -e made'\n";
    let analysis = Analysis::new(&images().join("busybox"), test, &[("plain", "")]);
    analysis.agrees(&host);
    // A second time the state is found again, and is the same.
    analysis.agrees(&host);
    let labels = ask(&host, &[], "/images/json");
    assert!(labels.contains("carnet"), "the state is kept in the daemon: {labels}");
}

crate::support::harness::register!(
    [Docker, Image("busybox")]:
    an_image_without_a_libc_is_one_environment_on_both_engines,
    an_image_of_rpm_packages_is_one_environment_on_both_engines,
    an_image_with_a_physics_stack_is_one_environment_on_both_engines,
    what_a_set_up_leaves_is_one_environment_on_both_engines,
);
