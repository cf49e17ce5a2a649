//! The snapshot of every facility image against what the package managers list there: complete names and versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use carnet::engine::embedded::Embedded;
use carnet::engine::job::Job;
use carnet::engine::{Engine as _, ImageLocation, Opened};
use carnet::model::cell::End;
use carnet::model::contract::Contract;
use carnet::model::environment::{Ecosystem, Environment};
use carnet::model::known::Known;
use carnet::model::python::{Python, normalize};
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const CARNET: &str = env!("CARGO_BIN_EXE_carnet");

/// Names with versions.
type Listed = BTreeSet<(String, String)>;

/// A facility image with its snapshot, as the program prints it.
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
        // It outlives the tests: an image is unpacked once and found unpacked from then on.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
        let snapshot = snapshot(&layout, &cache);
        let engine = Embedded::new(Cache::at(cache)).with_helper(PathBuf::from(CARNET));
        let runtime = Runtime::new().expect("a runtime");
        let reference = Reference::OciLayout(layout.clone(), Some("latest".to_owned()));
        let image = runtime.block_on(engine.open(&reference, CancellationToken::new())).expect("the image opens");
        Self { layout, snapshot, runtime, engine, image }
    }

    /// What a command prints inside; none when it fails.
    fn inside(&self, command: &str) -> Option<String> {
        // The facilities share a cache and their tests run at the same time: no two runs may have one name.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let input = tempfile::tempdir().expect("a directory");
        let job = Job {
            id: format!("packages-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
            argv: ["/bin/sh", "-c", &format!("{command} 2>/dev/null")].map(ToOwned::to_owned).into(),
            input: input.path().to_owned(),
            result: None,
            result_cap: 0,
            contract: Contract::default(),
            env: BTreeMap::new(),
            network: false,
            timeout: Duration::from_secs(120),
            output_cap: 4 << 20,
            save_as: None,
        };
        let (lines, _) = tokio::sync::mpsc::unbounded_channel();
        let done = self.runtime.block_on(self.engine.run(&self.image, &job, lines, CancellationToken::new()));
        let done = done.unwrap_or_else(|error| panic!("{}", carnet::error::chain(&error)));
        (done.end == End::Exit { code: 0 }).then_some(done.output.text)
    }

    fn tree(&self) -> &Path {
        let ImageLocation::Trees(trees) = &self.image.location else { panic!("an unpacked image is a tree") };
        &trees[0]
    }

    /// Names, versions and architectures that the snapshot has of one package manager.
    fn packages(&self, ecosystem: Ecosystem) -> BTreeSet<String> {
        let packages = known(&self.snapshot.packages[&ecosystem]);
        packages.iter().map(|one| format!("{} {} {}", one.name, one.version, one.arch)).collect()
    }

    /// Every Python of the image against what its own pip lists; gives the number of distributions of the first.
    #[track_caller]
    fn has_all_of_pip(&self) -> usize {
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

    /// What `pip list` says of a Python, or where it has no pip, its standard library.
    fn listed_by(&self, python: &Python) -> Listed {
        // A virtual environment is told by the path it is started with.
        let prefix = known(&python.prefix);
        let start =
            if python.base_prefix.is_some() { format!("{prefix}/bin/python") } else { python.executable.clone() };
        let pip = format!("{start} -m pip list --format json --disable-pip-version-check");
        let library = format!(
            "{start} -c 'import json, importlib.metadata as m; \
             print(json.dumps([dict(name=d.metadata[\"Name\"], version=d.version) for d in m.distributions()]))'"
        );
        let said = self.inside(&pip).or_else(|| self.inside(&library)).expect("the Python lists what it has");
        let listed: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(said.trim()).expect("JSON");
        let text = |one: &BTreeMap<String, serde_json::Value>, name: &str| one[name].as_str().expect("text").to_owned();
        listed.iter().map(|one| (normalize(&text(one, "name")), text(one, "version"))).collect()
    }

    /// Every package that `dpkg-query -W` lists; gives their number.
    #[track_caller]
    fn has_all_of_dpkg(&self) -> usize {
        let format = "${db:Status-Status} ${Package} ${Version} ${Architecture}\\n";
        let listed = self.inside(&format!("dpkg-query -W -f '{format}'")).expect("dpkg-query lists");
        let installed = listed.lines().filter_map(|line| line.strip_prefix("installed ")).map(str::to_owned);
        let installed: BTreeSet<String> = installed.collect();
        assert_eq!(self.packages(Ecosystem::Dpkg), installed, "{}", self.layout.display());
        installed.len()
    }
}

fn known<T>(value: &Known<T>) -> &T {
    value.get().unwrap_or_else(|| panic!("unknown: {:?}", value.reason()))
}

fn snapshot(layout: &Path, cache: &Path) -> Environment {
    let target = format!("oci:{}:latest", layout.display());
    let mut command = Command::new(CARNET);
    command.args(["snapshot", "--engine", "embedded", &target]).env("CARNET_CACHE", cache);
    serde_json::from_str(&printed(&mut command)).expect("a snapshot")
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn nothing_is_missed_in_bullseye_coffea07() {
    let facility = Facility::new("bullseye-coffea07");
    assert!(facility.has_all_of_pip() > 50);
    assert!(facility.has_all_of_dpkg() > 50);
}

fn nothing_is_missed_in_bookworm_coffea() {
    let facility = Facility::new("bookworm-coffea");
    assert!(facility.has_all_of_pip() > 50);
    assert!(facility.has_all_of_dpkg() > 50);
}

fn nothing_is_missed_in_trixie_coffea() {
    let facility = Facility::new("trixie-coffea");
    assert!(facility.has_all_of_pip() > 50);
    assert!(facility.has_all_of_dpkg() > 50);
}

fn nothing_is_missed_in_bookworm_root() {
    let facility = Facility::new("bookworm-root");
    assert!(facility.has_all_of_pip() > 5);
    assert!(facility.has_all_of_dpkg() > 50);
}

fn nothing_is_missed_in_el9_rpm() {
    let facility = Facility::new("el9-rpm");
    // The image has no rpm. The one of this machine may write beside the database that it reads: it gets a copy.
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

crate::support::harness::register!(
    [Image("bullseye-coffea07"), Image("bookworm-coffea"), Image("trixie-coffea"), Image("el9-rpm")]:
    nothing_is_missed_in_bullseye_coffea07,
    nothing_is_missed_in_bookworm_coffea,
    nothing_is_missed_in_trixie_coffea,
    nothing_is_missed_in_bookworm_root,
    nothing_is_missed_in_el9_rpm,
);
