//! The environment snapshot, compared with the lists of package managers, and of directory trees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use carnet::cell::probe::{Options, environment};
use carnet::model::canonical;
use carnet::model::environment::{Ecosystem, Environment};
use carnet::model::known::Known;
use carnet::model::python::{DistributionFormat, Python, PythonKind, normalize};

use crate::support::CommandOutput;

fn own_env() -> BTreeMap<String, String> {
    std::env::vars_os().map(|(name, value)| (text(&name), text(&value))).collect()
}

/// Environment variables with which the snapshot finds only the Python of the system.
fn plain_env() -> BTreeMap<String, String> {
    [("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn text(os: &std::ffi::OsStr) -> String {
    os.to_string_lossy().into_owned()
}

fn output(command: &mut Command) -> String {
    CommandOutput::run(command).assert_code(0).stdout
}

/// A value that must be known.
pub(crate) fn known<T>(value: &Known<T>) -> &T {
    value.get().unwrap_or_else(|| panic!("unknown: {:?}", value.reason()))
}

fn snapshot_lists_all_packages_of_dpkg() {
    let format = "-f=${db:Status-Status} ${Package} ${Version} ${Architecture}\\n";
    let listed = output(Command::new("dpkg-query").args(["-W", format]));
    let expected: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_prefix("installed ")).collect();
    let snapshot = environment(&Options::live(plain_env()));
    let packages = known(&snapshot.packages[&Ecosystem::Dpkg]);
    let got: Vec<String> = packages.iter().map(|p| format!("{} {} {}", p.name, p.version, p.arch)).collect();
    assert_eq!(got.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    assert!(expected.len() > 50);
}

fn snapshot_lists_all_distributions_of_pip() {
    let dir = tempfile::tempdir().expect("a directory");
    let venv = dir.path().join("venv");
    output(Command::new("python3").args(["-m", "venv", "--system-site-packages"]).arg(&venv));
    let python = venv.join("bin/python");
    let prefix = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
    let site = output(Command::new(&python).args(["-c", prefix]));
    let info = Path::new(site.trim()).join("Own_Tool-0.3.dist-info");
    fs::create_dir(&info).expect("a directory");
    fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: Own.Tool\nVersion: 0.3\n").expect("a file");
    let listed =
        output(Command::new(&python).args(["-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]));
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let field = |one: &serde_json::Value, name: &str| one[name].as_str().expect("text").to_owned();
    let expected: BTreeSet<(String, String)> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (normalize(&field(one, "name")), field(one, "version")))
        .collect();

    let snapshot = environment(&Options { python: Some(venv.clone()), ..Options::live(own_env()) });
    assert_eq!(snapshot.pythons.len(), 1);
    let main = snapshot.main_python().expect("a Python");
    assert_eq!((main.kind, main.system_site), (PythonKind::Venv, true));
    assert_eq!(Path::new(known(&main.prefix)), venv);
    let seen = known(&main.distributions).iter().filter(|one| !one.shadowed);
    assert_eq!(seen.map(|one| (one.normalized.clone(), one.version.clone())).collect::<BTreeSet<_>>(), expected);
    let own = expected.iter().find(|(name, _)| name == "own-tool");
    assert_eq!(own.map(|(_, version)| version.as_str()), Some("0.3"));
}

fn virtual_environment_is_the_same_without_its_interpreter() {
    let dir = tempfile::tempdir().expect("a directory");
    let venv = dir.path().join("venv");
    output(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&venv));
    let live = environment(&Options { python: Some(venv.clone()), ..Options::live(own_env()) });
    let read = environment(&Options { python: Some(venv), live: false, ..Options::live(own_env()) });
    let (live, read) = (&live.pythons[0], &read.pythons[0]);
    assert_eq!(read, live);
}

fn repeated_snapshot_is_identical() {
    let options = Options::live(plain_env());
    let text = || {
        let mut snapshot = environment(&options);
        // The size of `/tmp` can change during the test.
        snapshot.imposed.tmp_size = Known::unknown("left out");
        canonical::to_string(&snapshot).expect("JSON")
    };
    assert_eq!(text(), text());
}

fn snapshot_contains_no_secrets() {
    let secret = "s3cr3t-v4lu3";
    let mut env = plain_env();
    for name in ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_PASSWORD", "KRB5CCNAME"] {
        env.insert(name.to_owned(), secret.to_owned());
    }
    env.insert("PYTHONPATH".to_owned(), format!("/nowhere:https://user:{secret}@host/x"));
    env.insert("CONDA_PREFIX".to_owned(), format!("https://user:{secret}@host/x"));
    env.insert("ALLOWED".to_owned(), format!("http://user:{secret}@host/"));
    let options = Options { allow_env: vec!["ALLOW*".to_owned()], ..Options::live(env) };
    let snapshot = environment(&options);
    assert_eq!(snapshot.variables.names.get("GITHUB_TOKEN").map(String::as_str), Some("GITHUB_TOKEN"));
    assert_eq!(snapshot.variables.values.get("ALLOWED").map(String::as_str), Some("http://host/"));
    let text = canonical::to_string(&snapshot).expect("JSON");
    assert!(!text.contains(secret), "{text}");
}

/// A directory tree like that of an image.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, content).expect("a file");
        self
    }

    /// A program that looks like an interpreter of this version.
    fn python(&self, path: &str, version: &str) -> &Self {
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(18, 0);
        elf.extend_from_slice(&183u16.to_le_bytes());
        elf.extend_from_slice(format!("\0{version}\0").as_bytes());
        self.file(path, elf);
        let path = self.0.path().join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
        self
    }

    fn link(&self, target: &str, path: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        symlink(target, path).expect("a link");
        self
    }

    fn distribution(&self, site: &str, name: &str, version: &str) -> &Self {
        self.file(&format!("{site}/{name}-{version}.dist-info/METADATA"), format!("Name: {name}\nVersion: {version}\n"))
    }

    fn snapshot(&self, env: &[(&str, &str)]) -> Environment {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        environment(&Options::tree(self.0.path(), env))
    }
}

fn names(python: &Python) -> Vec<&str> {
    known(&python.distributions).iter().map(|one| one.name.as_str()).collect()
}

fn tree_of_debian_is_read() {
    let tree = Tree::new();
    tree.link("usr/bin", "bin")
        .python("usr/bin/python3.11", "3.11.2")
        .link("python3.11", "usr/bin/python3")
        .file("usr/lib/python3.11/os.py", "")
        .file("usr/lib/python3.11/lib-dynload/_x.cpython-311-aarch64-linux-gnu.so", "")
        .file("usr/lib/python3/dist-packages/six-1.16.0.egg-info", "Name: six\nVersion: 1.16.0\n")
        .distribution("usr/local/lib/python3.11/dist-packages", "numpy", "1.26.4")
        .file("opt/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n")
        .link("/usr/bin/python3", "opt/venv/bin/python3")
        .link("python3", "opt/venv/bin/python")
        .distribution("opt/venv/lib/python3.11/site-packages", "numpy", "2.1.0")
        .link("lib", "opt/venv/lib64")
        .file("root/.local/lib/python3.11/site-packages/own-1.dist-info/METADATA", "Name: own\nVersion: 1\n")
        .file("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        .file("usr/bin/env", "\x7fELF");
    let got = tree.snapshot(&[("PATH", "/opt/venv/bin:/usr/bin:/bin")]);
    let [venv, system] = got.pythons.as_slice() else { panic!("{:#?}", got.pythons) };

    assert_eq!(
        (venv.kind, venv.commands.as_slice()),
        (PythonKind::Venv, ["python".to_owned(), "python3".to_owned()].as_slice())
    );
    assert_eq!((known(&venv.version).as_str(), known(&venv.prefix).as_str()), ("3.11.2", "/opt/venv"));
    assert_eq!(known(&venv.abi), "cpython-311-aarch64-linux-gnu");
    assert_eq!(names(venv), ["numpy", "numpy", "own", "six"]);
    let numpy: Vec<_> =
        known(&venv.distributions).iter().take(2).map(|one| (one.version.as_str(), one.shadowed)).collect();
    assert_eq!(numpy, [("2.1.0", false), ("1.26.4", true)]);

    assert_eq!((system.kind, system.executable.as_str()), (PythonKind::System, "/usr/bin/python3.11"));
    assert_eq!(system.commands, ["python3.11"]);
    assert_eq!(names(system), ["numpy", "own", "six"]);
    let own = &known(&system.distributions)[1];
    assert!(own.user_site && own.format == DistributionFormat::DistInfo);
    let six = &known(&system.distributions)[2];
    assert_eq!((six.format, six.installer.as_str()), (DistributionFormat::EggInfo, "debian"));
    assert_eq!(known(&system.path).last().map(String::as_str), Some("/usr/lib/python3/dist-packages"));
}

fn tree_of_red_hat_has_two_library_directories() {
    let tree = Tree::new();
    tree.python("usr/bin/python3.9", "3.9.18")
        .link("./python3.9", "usr/bin/python3")
        .link("./python3", "usr/bin/python")
        .file("usr/lib64/python3.9/os.py", "")
        .distribution("usr/lib64/python3.9/site-packages", "numpy", "1.23.5")
        .distribution("usr/lib/python3.9/site-packages", "six", "1.15.0")
        .distribution("usr/local/lib/python3.9/site-packages", "uproot", "5.0");
    let got = tree.snapshot(&[("PATH", "/usr/bin")]);
    let python = got.main_python().expect("a Python");
    assert_eq!(known(&python.version), "3.9.18");
    assert_eq!(names(python), ["numpy", "six", "uproot"]);
    assert_eq!(python.commands, ["python", "python3", "python3.9"]);
}

fn conda_environments_are_found() {
    let tree = Tree::new();
    let record = |name: &str, version: &str| {
        format!(
            r#"{{"name":"{name}","version":"{version}","build":"h0","subdir":"linux-64","channel":"https://conda.anaconda.org/conda-forge"}}"#
        )
    };
    tree.python("opt/conda/bin/python3.12", "3.12.1")
        .link("python3.12", "opt/conda/bin/python")
        .file("opt/conda/lib/python3.12/os.py", "")
        .file("opt/conda/conda-meta/python-3.12.1-h0.json", record("python", "3.12.1"))
        .file("opt/conda/conda-meta/history", "")
        .python("opt/conda/envs/ana/bin/python3.10", "3.10.4")
        .file("opt/conda/envs/ana/lib/python3.10/os.py", "")
        .file("opt/conda/envs/ana/conda-meta/root-6.30.2-h0.json", record("root", "6.30.2"))
        .file("opt/conda/envs/ana/bin/root-config", "exec c++ -std=c++20\n")
        .file("opt/conda/envs/ana/lib/libcppyy3_10.so", "")
        .file("opt/conda/envs/ana/lib/cmake/ROOT/ROOTConfig-version.cmake", "set(PACKAGE_VERSION 6.30.02)\n");
    let got = tree.snapshot(&[("PATH", "/opt/conda/bin:/usr/bin")]);
    let found: Vec<_> = got.pythons.iter().map(|p| (p.kind, known(&p.version).as_str())).collect();
    assert_eq!(found, [(PythonKind::Conda, "3.12.1"), (PythonKind::Conda, "3.10.4")]);
    let packages: Vec<_> = known(&got.packages[&Ecosystem::Conda])
        .iter()
        .map(|p| (p.name.as_str(), p.prefix.as_str(), p.origin.as_str()))
        .collect();
    assert_eq!(
        packages,
        [("python", "/opt/conda", "conda-forge h0"), ("root", "/opt/conda/envs/ana", "conda-forge h0")]
    );
    let [root] = got.system.roots.as_slice() else { panic!("{:?}", got.system.roots) };
    assert_eq!(
        (root.origin.as_str(), known(&root.version).as_str(), known(&root.cxx_standard).as_str()),
        ("conda", "6.30.02", "20")
    );
    assert_eq!((known(&root.python).as_str(), known(&root.jit)), ("3.10", &false));
}

fn links_out_of_a_tree_are_not_followed() {
    let outside = Tree::new();
    outside
        .file("os-release", "ID=leaked\n")
        .file("status", "Package: leaked\nStatus: install ok installed\nVersion: 1\n")
        .distribution("site", "leaked", "1");
    let at = outside.0.path().display().to_string();
    let climb = format!("{}{at}", "../".repeat(24));
    let tree = Tree::new();
    tree.link(&format!("{at}/os-release"), "etc/os-release")
        .link(&format!("{climb}/status"), "var/lib/dpkg/status")
        .python("usr/bin/python3.11", "3.11.2")
        .file("usr/lib/python3.11/os.py", "")
        .link(&format!("{climb}/site"), "usr/lib/python3.11/site-packages")
        .file("usr/local/lib/python3.11/site-packages/x.pth", format!("{at}/site\n{climb}/site\n"))
        .link("b", "opt/a")
        .link("a", "opt/b");
    let python_path = format!("{at}/site:{climb}/site:/opt/a");
    let got = tree.snapshot(&[("PATH", &format!("/usr/bin:{climb}")), ("PYTHONPATH", &python_path), ("HOME", &at)]);
    let mut written = serde_json::to_value(&got).expect("JSON");
    written["variables"] = serde_json::Value::Null;
    assert!(!written.to_string().contains("leaked"), "{written:#}");
    assert!(got.system.os.reason().is_some());
    assert_eq!(got.pythons.len(), 1);
}

fn snapshot_of_an_empty_tree_has_unknown_values() {
    let got = Tree::new().snapshot(&[]);
    assert!(got.pythons.is_empty() && got.packages.is_empty() && got.system.tools.is_empty());
    assert_eq!(known(&got.system.libc).name, "none");
    assert!(got.runtime.uid.reason().is_some() && got.imposed.kernel.reason().is_some());
    assert!(got.digest().is_ok());
}

crate::support::harness::register!([Program("dpkg-query")]: snapshot_lists_all_packages_of_dpkg);

crate::support::harness::register!(
    [Program("python3")]:
    snapshot_lists_all_distributions_of_pip,
    virtual_environment_is_the_same_without_its_interpreter,
);

crate::support::harness::register!(
    []:
    repeated_snapshot_is_identical,
    snapshot_contains_no_secrets,
    tree_of_debian_is_read,
    tree_of_red_hat_has_two_library_directories,
    conda_environments_are_found,
    links_out_of_a_tree_are_not_followed,
    snapshot_of_an_empty_tree_has_unknown_values,
);
