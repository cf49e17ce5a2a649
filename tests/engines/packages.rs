//! The snapshot of every image lists the same names and versions as the package managers of the image.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use carnet::engine::embedded::Embedded;
use carnet::engine::job::Job;
use carnet::engine::{Engine as _, ImageLocation, Opened};
use carnet::model::cell::End;
use carnet::model::environment::{Ecosystem, Environment};
use carnet::model::python::{Python, normalize};
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::job::shell_job;
use crate::probe::known;
use crate::support::{CARNET, CommandOutput, lasting_dir};

/// Names with versions.
type Listed = BTreeSet<(String, String)>;

/// An image with its snapshot, as `carnet snapshot` prints it.
struct Facility {
    layout: PathBuf,
    snapshot: Environment,
    runtime: Runtime,
    engine: Embedded,
    image: Opened,
}

impl Facility {
    fn new(name: &str) -> Self {
        let layout = crate::support::engine::image(name);
        // The unpacked image is used again when the tests run again.
        let cache = lasting_dir("packages");
        let snapshot = snapshot(&layout, &cache);
        let engine = Embedded::new(Cache::at(cache)).with_helper(PathBuf::from(CARNET));
        let runtime = Runtime::new().expect("a runtime");
        let reference = Reference::OciLayout(layout.clone(), Some("latest".to_owned()));
        let image = runtime.block_on(engine.open(&reference, CancellationToken::new())).expect("the image opens");
        Self { layout, snapshot, runtime, engine, image }
    }

    /// The output of a command in the image, or `None` if it fails.
    fn inside(&self, command: &str) -> Option<String> {
        // The tests share a cache and run at the same time, so every run needs its own id.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let input = tempfile::tempdir().expect("a directory");
        let id = format!("packages-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let job = Job { output_cap: 4 << 20, ..shell_job(&id, &format!("{command} 2>/dev/null"), input.path()) };
        let (lines, _) = tokio::sync::mpsc::unbounded_channel();
        let done = self.runtime.block_on(self.engine.run(&self.image, &job, lines, CancellationToken::new()));
        let done = done.unwrap_or_else(|error| panic!("{}", carnet::error::chain(&error)));
        (done.end == End::Exit { code: 0 }).then_some(done.output.text)
    }

    fn tree(&self) -> &Path {
        let ImageLocation::Trees(trees) = &self.image.location else { panic!("an unpacked image is a tree") };
        &trees[0]
    }

    /// Names, versions and architectures of one package manager in the snapshot.
    fn packages(&self, ecosystem: Ecosystem) -> BTreeSet<String> {
        let packages = known(&self.snapshot.packages[&ecosystem]);
        packages.iter().map(|one| format!("{} {} {}", one.name, one.version, one.arch)).collect()
    }

    /// Compares every Python with its own pip. Returns the number of distributions of the first.
    #[track_caller]
    fn compare_with_pip(&self) -> usize {
        let mut counts = Vec::new();
        for python in &self.snapshot.pythons {
            let seen = known(&python.distributions).iter().filter(|one| !one.shadowed);
            let seen: Listed = seen.map(|one| (one.normalized.clone(), one.version.clone())).collect();
            let listed = self.listed_by(python);
            assert_eq!(seen, listed, "{} in {}", python.executable, self.layout.display());
            counts.push(listed.len());
        }
        *counts.first().expect("a Python")
    }

    /// The output of `pip list`, or of the standard library if there is no pip.
    fn listed_by(&self, python: &Python) -> Listed {
        // Python detects a virtual environment by the path with which it is started.
        let prefix = known(&python.prefix);
        let start =
            if python.base_prefix.is_some() { format!("{prefix}/bin/python") } else { python.executable.clone() };
        let pip = format!("{start} -m pip list --format json --disable-pip-version-check");
        let library = format!(
            "{start} -c 'import json, importlib.metadata as m; \
             print(json.dumps([dict(name=d.metadata[\"Name\"], version=d.version) for d in m.distributions()]))'"
        );
        let output = self.inside(&pip).or_else(|| self.inside(&library)).expect("the Python lists its distributions");
        let listed: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(output.trim()).expect("JSON");
        let text = |one: &BTreeMap<String, serde_json::Value>, name: &str| one[name].as_str().expect("text").to_owned();
        listed.iter().map(|one| (normalize(&text(one, "name")), text(one, "version"))).collect()
    }

    /// Compares the packages with `dpkg-query -W`. Returns their number.
    #[track_caller]
    fn compare_with_dpkg(&self) -> usize {
        let format = "${db:Status-Status} ${Package} ${Version} ${Architecture}\\n";
        let listed = self.inside(&format!("dpkg-query -W -f '{format}'")).expect("dpkg-query lists");
        let installed = listed.lines().filter_map(|line| line.strip_prefix("installed ")).map(str::to_owned);
        let installed: BTreeSet<String> = installed.collect();
        assert_eq!(self.packages(Ecosystem::Dpkg), installed, "{}", self.layout.display());
        installed.len()
    }
}

fn snapshot(layout: &Path, cache: &Path) -> Environment {
    let target = format!("oci:{}:latest", layout.display());
    let mut command = Command::new(CARNET);
    command.args(["snapshot", "--engine", "embedded", &target]).env("CARNET_CACHE", cache);
    serde_json::from_str(&printed(&mut command)).expect("a snapshot")
}

fn printed(command: &mut Command) -> String {
    CommandOutput::run(command).assert_code(0).stdout
}

fn snapshot_of_bullseye_coffea07_is_complete() {
    let facility = Facility::new("bullseye-coffea07");
    assert!(facility.compare_with_pip() > 50);
    assert!(facility.compare_with_dpkg() > 50);
}

fn snapshot_of_bookworm_coffea_is_complete() {
    let facility = Facility::new("bookworm-coffea");
    assert!(facility.compare_with_pip() > 50);
    assert!(facility.compare_with_dpkg() > 50);
}

fn snapshot_of_trixie_coffea_is_complete() {
    let facility = Facility::new("trixie-coffea");
    assert!(facility.compare_with_pip() > 50);
    assert!(facility.compare_with_dpkg() > 50);
}

fn snapshot_of_bookworm_root_is_complete() {
    let facility = Facility::new("bookworm-root");
    assert!(facility.compare_with_pip() > 5);
    assert!(facility.compare_with_dpkg() > 50);
}

fn snapshot_of_el9_rpm_is_complete() {
    let facility = Facility::new("el9-rpm");
    // The image has no rpm. The rpm of this machine may write to the directory of the database, so it gets a copy.
    let copy = tempfile::tempdir().expect("a directory");
    for entry in fs::read_dir(facility.tree().join("var/lib/rpm")).expect("a database").flatten() {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("a copy");
    }
    let format = "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\\n";
    let mut rpm = Command::new("rpm");
    rpm.args(["-qa", "--qf", format, "--dbpath"]).arg(copy.path());
    let listed: BTreeSet<String> = printed(&mut rpm).lines().map(str::to_owned).collect();
    assert_eq!(facility.packages(Ecosystem::Rpm), listed);
    assert!(listed.len() > 50);
}

crate::support::harness::register!([Image("bullseye-coffea07")]: snapshot_of_bullseye_coffea07_is_complete);
crate::support::harness::register!([Image("bookworm-coffea")]: snapshot_of_bookworm_coffea_is_complete);
crate::support::harness::register!([Image("trixie-coffea")]: snapshot_of_trixie_coffea_is_complete);
crate::support::harness::register!([Image("bookworm-root")]: snapshot_of_bookworm_root_is_complete);
crate::support::harness::register!([Image("el9-rpm"), Program("rpm")]: snapshot_of_el9_rpm_is_complete);
