//! The document of a check of a small analysis.

use std::collections::{BTreeMap, BTreeSet};

use carnet::diff::RelevantModules;
use carnet::diff::document::against;
use carnet::model::cell::{Captured, CellTiming, End, Outcome, Seconds, Step, TestCase};
use carnet::model::contract::Contract;
use carnet::model::digest::Digest;
use carnet::model::document::{self, Analysis, Cell, Document, RunTiming, Status, Timing};
use carnet::model::environment::{self, Ecosystem, Environment, Variables};
use carnet::model::image::ImageIdentity;
use carnet::model::known::Known;
use carnet::model::package::Package;
use carnet::model::plan::TestKind;
use carnet::model::python::{Distribution, DistributionFormat, Python, PythonKind};
use carnet::model::runtime::{Cgroup, Directory, Imposed, Runtime, SitePath};
use carnet::model::system::{Libc, OsRelease, RootInstallation, System, Tool};
use carnet::model::tree::Tree;

/// A distribution that pip installed.
pub(crate) fn distribution(name: &str, version: &str, modules: &[&str], requires: &[&str]) -> Distribution {
    Distribution {
        name: name.to_owned(),
        normalized: carnet::model::python::normalize(name),
        version: version.to_owned(),
        location: "/opt/venv/lib/python3.11/site-packages".to_owned(),
        format: DistributionFormat::DistInfo,
        installer: "pip".to_owned(),
        direct_url: None,
        editable: false,
        user_site: false,
        shadowed: false,
        modules: modules.iter().map(|&module| module.to_owned()).collect(),
        requires: requires.iter().map(|&name| name.to_owned()).collect(),
    }
}

fn directory(path: &str) -> Directory {
    Directory { path: path.to_owned(), exists: true, writable: Known::Known(true), noexec: Known::Known(false) }
}

/// Debian 12 with Python 3.11, coffea and its requirements. No fact is unknown.
pub(crate) fn environment() -> Environment {
    let distributions = vec![
        distribution("awkward", "2.6.9", &["awkward"], &["awkward-cpp", "numpy"]),
        distribution("awkward-cpp", "39", &["awkward_cpp"], &["numpy"]),
        distribution("coffea", "2025.7.3", &["coffea"], &["awkward", "numpy", "uproot", "scipy"]),
        distribution("numpy", "2.1.0", &["numpy"], &[]),
        distribution("PyYAML", "6.0.2", &["yaml", "_yaml"], &[]),
        distribution("scipy", "1.14.1", &["scipy"], &["numpy"]),
        distribution("uproot", "5.4.1", &["uproot"], &["awkward", "numpy"]),
        distribution("wheel", "0.44.0", &["wheel"], &[]),
    ];
    let python = Python {
        executable: "/usr/bin/python3.11".to_owned(),
        commands: vec!["python".to_owned(), "python3".to_owned()],
        implementation: Known::Known("cpython".to_owned()),
        version: Known::Known("3.11.7".to_owned()),
        abi: Known::Known("cpython-311-x86_64-linux-gnu".to_owned()),
        prefix: Known::Known("/opt/venv".to_owned()),
        base_prefix: Some("/usr".to_owned()),
        kind: PythonKind::Venv,
        system_site: false,
        path: Known::Known(vec![
            "/usr/lib/python311.zip".to_owned(),
            "/usr/lib/python3.11".to_owned(),
            "/opt/venv/lib/python3.11/site-packages".to_owned(),
        ]),
        distributions: Known::Known(distributions),
    };
    let package = |name: &str, version: &str| Package {
        name: name.to_owned(),
        version: version.to_owned(),
        arch: "amd64".to_owned(),
        origin: String::new(),
        prefix: String::new(),
    };
    Environment {
        schema: environment::SCHEMA.to_owned(),
        system: System {
            os: Known::Known(OsRelease {
                id: "debian".to_owned(),
                version: "12".to_owned(),
                name: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            }),
            arch: "x86_64".to_owned(),
            libc: Known::Known(Libc { name: "glibc".to_owned(), version: "2.36".to_owned() }),
            glibcxx: Known::Known("3.4.30".to_owned()),
            cxxabi: Known::Known("1.3.13".to_owned()),
            locale: "C.UTF-8".to_owned(),
            timezone: Known::Known("UTC".to_owned()),
            tools: vec![Tool {
                name: "gcc".to_owned(),
                path: "/usr/bin/x86_64-linux-gnu-gcc-12".to_owned(),
                version: Known::Known("12.2.0".to_owned()),
            }],
            roots: Vec::new(),
            releases: Vec::new(),
        },
        pythons: vec![python],
        packages: BTreeMap::from([(
            Ecosystem::Dpkg,
            Known::Known(vec![package("libc6", "2.36-9+deb12u8"), package("zlib1g", "1:1.2.13.dfsg-1")]),
        )]),
        runtime: Runtime {
            uid: 1000.into(),
            gid: 1000.into(),
            user: Some("analyst".to_owned()).into(),
            home: directory("/home/analyst"),
            root: directory("/"),
            tmp: directory("/tmp"),
            umask: Known::Known("0022".to_owned()),
            site_paths: BTreeMap::from([("/cvmfs".to_owned(), SitePath::Absent)]),
        },
        variables: Variables {
            lists: BTreeMap::from([(
                "PATH".to_owned(),
                vec!["/opt/venv/bin".to_owned(), "/usr/bin".to_owned(), "/bin".to_owned()],
            )]),
            values: BTreeMap::from([("LANG".to_owned(), "C.UTF-8".to_owned())]),
            names: BTreeSet::from(["TERM".to_owned()]),
        },
        imposed: Imposed {
            kernel: Known::Known("6.1.0-28-amd64".to_owned()),
            x86_64_level: Some(3),
            cpus: Known::Known(8),
            limits: BTreeMap::from([("nofile".to_owned(), "1024".to_owned())]),
            cgroup: Cgroup { memory: Known::Known(None), pids: Known::Known(None), milli_cpus: Known::Known(None) },
            tmp_size: Known::Known(10_000_000_000),
            system_calls: None,
        },
    }
}

/// The distributions of the main Python.
pub(crate) fn distributions(environment: &mut Environment) -> &mut Vec<Distribution> {
    match &mut environment.pythons[0].distributions {
        Known::Known(list) => list,
        Known::Unknown(reason) => panic!("the distributions of the fixture are unknown: {reason}"),
    }
}

/// AlmaLinux 9 with an old numpy, ROOT 6.30, a read-only home directory and an unknown time zone.
pub(crate) fn old_environment() -> Environment {
    let mut old = environment();
    old.system.os = Known::Known(OsRelease {
        id: "almalinux".to_owned(),
        version: "9.4".to_owned(),
        name: "AlmaLinux 9.4 (Seafoam Ocelot)".to_owned(),
    });
    old.system.libc = Known::Known(Libc { name: "glibc".to_owned(), version: "2.34".to_owned() });
    old.system.glibcxx = Known::Known("3.4.29".to_owned());
    old.system.timezone = Known::unknown("/etc/localtime leads nowhere");
    old.system.tools.clear();
    old.system.roots = vec![RootInstallation {
        version: Known::Known("6.30/04".to_owned()),
        origin: "rpm".to_owned(),
        prefix: "/usr".to_owned(),
        cxx_standard: Known::Known("17".to_owned()),
        python: Known::Known("3.9".to_owned()),
        jit: Known::Known(true),
    }];
    let python = &mut old.pythons[0];
    python.version = Known::Known("3.9.2".to_owned());
    python.abi = Known::Known("cpython-39-x86_64-linux-gnu".to_owned());
    python.commands = vec!["python3".to_owned()];
    python.kind = PythonKind::System;
    python.prefix = Known::Known("/usr".to_owned());
    for distribution in distributions(&mut old) {
        distribution.location = "/usr/lib/python3.9/site-packages".to_owned();
        match distribution.normalized.as_str() {
            "numpy" => distribution.version = "1.19.5".to_owned(),
            "awkward" => distribution.version = "1.10.3".to_owned(),
            "coffea" => distribution.version = "0.7.22".to_owned(),
            "scipy" => distribution.version = "1.5.4".to_owned(),
            "uproot" => distribution.installer = "conda".to_owned(),
            _ => {}
        }
    }
    distributions(&mut old).retain(|distribution| distribution.normalized != "awkward-cpp");
    old.packages = BTreeMap::from([(
        Ecosystem::Rpm,
        Known::Known(vec![Package {
            name: "glibc".to_owned(),
            version: "2.34-100.el9".to_owned(),
            arch: "x86_64".to_owned(),
            origin: "AlmaLinux".to_owned(),
            prefix: String::new(),
        }]),
    )]);
    old.runtime.home.writable = Known::Known(false);
    old.runtime.site_paths = BTreeMap::from([("/cvmfs".to_owned(), SitePath::Mount)]);
    old
}

/// A test case of `tests/test_yields.py`.
pub(crate) fn case(name: &str, outcome: Outcome, message: &str, output: &str) -> TestCase {
    TestCase {
        name: name.to_owned(),
        class: "tests.test_yields".to_owned(),
        file: Some("tests/test_yields.py".to_owned()),
        line: Some(14),
        outcome,
        message: message.to_owned(),
        output: (!output.is_empty()).then(|| Captured { text: output.to_owned(), dropped: 0 }),
        tried_network: false,
        timing: Seconds { seconds: 0.1234 },
    }
}

/// A pytest step with these cases.
pub(crate) fn step(cases: Vec<TestCase>) -> Step {
    let bad = cases.iter().any(|case| matches!(case.outcome, Outcome::Failed | Outcome::Errored));
    Step {
        name: "pytest".to_owned(),
        kind: Some(TestKind::Pytest),
        run: "pytest -q tests".to_owned(),
        end: End::Exit { code: i32::from(bad) },
        attempts: 1,
        output: None,
        cases,
        unread: None,
        timing: Seconds { seconds: 2.5 },
    }
}

/// A cell without an image.
pub(crate) fn cell(id: &str, status: Status, steps: Vec<Step>) -> Cell {
    let (facility, role) = id.split_once('/').map_or((id, None), |(facility, role)| (facility, Some(role)));
    Cell {
        id: id.to_owned(),
        facility: facility.to_owned(),
        role: role.map(str::to_owned),
        engine: "docker".to_owned(),
        image: None,
        contract: Contract::default(),
        status,
        reason: None,
        hint: None,
        expected_failure: None,
        cached: false,
        environment: None,
        steps,
        inputs: Vec::new(),
        outputs: Vec::new(),
        not_enforced: Vec::new(),
        timing: RunTiming { seconds: 6.04, inside: CellTiming::default() },
    }
}

/// A document with these cells and environments, and the differences between them.
pub(crate) fn assemble(cells: Vec<Cell>, environments: Vec<Environment>) -> Document {
    let environments: BTreeMap<Digest, Environment> =
        environments.into_iter().map(|env| (env.digest().expect("an environment is JSON"), env)).collect();
    let imports = ["awkward", "coffea", "numpy", "uproot", "yaml"].map(str::to_owned).to_vec();
    let reference = cells.iter().find(|cell| cell.environment.is_some()).map(|cell| cell.id.clone());
    let diffs = against(reference.as_deref(), &cells, &environments, &RelevantModules::new(imports.clone()));
    Document {
        schema: document::SCHEMA.to_owned(),
        version: "0.1.0".to_owned(),
        analysis: Analysis {
            name: "dimuon".to_owned(),
            directory: String::new(),
            commit: Some("3f2a1bc4d5e6f708192a3b4c5d6e7f8091a2b3c4".to_owned()),
            dirty: true,
            remote: Some("https://example.org/dimuon.git".to_owned()),
            tree: Tree {
                digest: Digest::of(b"tree"),
                entries: 42,
                bytes: 123_456,
                with_git: false,
                left_out: Vec::new(),
            },
            imports,
            locks: Vec::new(),
        },
        reference,
        cells,
        environments,
        diffs,
        scan: None,
        interrupted: false,
        timing: Timing { started: "2026-11-22T10:00:00Z".to_owned(), seconds: 21.3 },
    }
}

/// Numbered test cases that passed.
pub(crate) fn passed(number: usize) -> Vec<TestCase> {
    (0..number).map(|i| case(&format!("test_bin[{i}]"), Outcome::Passed, "", "")).collect()
}

const TRAPEZOID: &str = "AttributeError: module 'numpy' has no attribute 'trapezoid'";

/// Six cells: the reference passes, one fails because of its versions, one fails as expected, one has no image, one is not run,
/// and one is flaky.
pub(crate) fn document() -> Document {
    let (new, old) = (environment(), old_environment());
    let (new_digest, old_digest) = (new.digest().expect("JSON"), old.digest().expect("JSON"));

    let mut laptop = cell("laptop", Status::Passed, vec![step(passed(14))]);
    laptop.engine = "host".to_owned();
    laptop.environment = Some(new_digest.clone());
    laptop.timing.seconds = 4.1;

    let mut casa = cell("unl-coffea-casa/notebook", Status::Flaky, vec![step(passed(13))]);
    casa.steps[0].attempts = 2;
    casa.steps[0].cases.push(case("test_cluster", Outcome::Flaky, "", "TimeoutError: no worker after 5 s"));
    casa.environment = Some(new_digest);
    casa.cached = true;

    let trace = format!(
        "    def test_dimuon():\n>       area = np.trapezoid(y)\nE       {TRAPEZOID}\n\ntests/test_yields.py:14: AttributeError"
    );
    let mut naf = cell("desy-naf", Status::Failed, vec![step(passed(11))]);
    naf.steps[0].cases.extend([
        case("test_dimuon", Outcome::Failed, TRAPEZOID, &trace),
        case("test_dielectron", Outcome::Failed, TRAPEZOID, &trace),
        case("test_mass[loose]", Outcome::Errored, "fixture 'events' failed: TypeError: NanoEventsFactory.from_root() got an unexpected keyword argument 'mode'", "TypeError"),
        case("test_gpu", Outcome::Skipped, "no GPU available", ""),
    ]);
    naf.environment = Some(old_digest.clone());
    naf.image = Some(ImageIdentity {
        reference: "docker://registry.example.org/naf/el9:2026.1".to_owned(),
        manifest_digest: Some(Digest::of(b"manifest")),
        config_digest: Some(Digest::of(b"config")),
        platform: "linux/amd64".to_owned(),
        ..ImageIdentity::default()
    });
    naf.not_enforced = vec!["network: not disabled: operation not permitted".to_owned()];
    naf.timing.seconds = 67.3;

    let mut old_cluster =
        cell("old-cluster", Status::Failed, vec![step(vec![case("test_dimuon", Outcome::Failed, TRAPEZOID, &trace)])]);
    old_cluster.environment = Some(old_digest);
    old_cluster.expected_failure = Some("numpy 1 is installed until the upgrade in January".to_owned());

    let mut lpc = cell("fnal-lpc", Status::Error, Vec::new());
    lpc.reason = Some("no image: docker://registry.example.org/lpc/el8:latest: manifest unknown".to_owned());
    lpc.hint = Some("check the reference, or log in with `docker login registry.example.org`".to_owned());
    lpc.engine = String::new();
    lpc.timing.seconds = 0.4;

    let mut swan = cell("swan", Status::Skipped, Vec::new());
    swan.reason = Some("no available engine supports images in /cvmfs/unpacked.cern.ch".to_owned());

    assemble(vec![laptop, casa, naf, old_cluster, lpc, swan], vec![new, old])
}
