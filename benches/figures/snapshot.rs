//! Environment snapshots of a directory tree and of a running cell.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use carnet::cell::probe::{Options, environment};
use carnet::model::environment::Ecosystem;

use crate::measure::{Times, output, times};
use crate::room::{Room, facility};
use crate::table::{Limit, Row, Table};

const DISTRIBUTIONS: usize = 300;
const PACKAGES: usize = 600;
const SITE: &str = "usr/lib/python3.11/site-packages";

pub(crate) fn figures(table: &mut Table) {
    of_files(table);
    of_a_place(table);
}

/// Measures the snapshot of a generated tree, compared with the package managers of this machine on the same tree.
fn of_files(table: &mut Table) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    make_tree(dir.path());
    let env = [("PATH".to_owned(), "/usr/bin".to_owned())];
    let options = Options::tree(dir.path(), env.into());
    let found = environment(&options);
    let distributions = found.pythons.first().and_then(|python| python.distributions.get()).map(Vec::len);
    let packages = found.packages.get(&Ecosystem::Dpkg).and_then(|packages| packages.get()).map(Vec::len);
    assert_eq!((distributions, packages), (Some(DISTRIBUTIONS), Some(PACKAGES)));
    let ours = times(11, || drop(environment(&options)));
    let peer = times(5, || {
        let pip = ["-m", "pip", "list", "--disable-pip-version-check", "--format", "json", "--path"];
        output(Command::new("/usr/bin/python3").args(pip).arg(dir.path().join(SITE)));
        output(Command::new("dpkg-query").arg("--admindir").arg(dir.path().join("var/lib/dpkg")).arg("-W"));
    });
    table.push(Row {
        what: format!("snapshot of a tree, {DISTRIBUTIONS} distributions, {PACKAGES} packages"),
        figure: ours.median() * 1e3,
        least: Some(ours.least() * 1e3),
        unit: "ms",
        peer: Some(("pip list, dpkg-query", peer.median() * 1e3)),
        limit: Limit::Ratio(0.2),
    });
}

fn make_tree(root: &Path) {
    let write = |path: PathBuf, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    };
    write("usr/lib/python3.11/os.py".into(), "");
    write("usr/include/python3.11/patchlevel.h".into(), "#define PY_VERSION \"3.11.2\"\n");
    write("usr/bin/python3.11".into(), "\u{7f}ELF\u{2}\u{1}\u{1}");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(root.join("usr/bin/python3.11"), mode).expect("a mode");
    std::os::unix::fs::symlink("python3.11", root.join("usr/bin/python3")).expect("a link");
    // As in a coffea image: 8 kB of metadata per distribution, and records of 8 kB on average, mostly in a few large ones.
    let description = "What it is, and how it is used.\n".repeat(200);
    for n in 0..DISTRIBUTIONS {
        let info = PathBuf::from(format!("{SITE}/package_{n}-1.{n}.dist-info"));
        let requires: String =
            (0..n % 20).map(|r| format!("Requires-Dist: package-{r} >=1; extra == \"x\"\n")).collect();
        let head = format!("Metadata-Version: 2.1\nName: package-{n}\nVersion: 1.{n}\n{requires}");
        write(info.join("METADATA"), &format!("{head}\n{description}"));
        let files = if n % 20 == 0 { 1000 } else { 50 };
        let line =
            |f: usize| format!("package_{n}/module_{f}.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,{f}\n");
        write(info.join("RECORD"), &(0..files).map(line).collect::<String>());
        write(info.join("INSTALLER"), "pip\n");
        write(info.join("WHEEL"), "Wheel-Version: 1.0\n");
    }
    let package = |n: usize| {
        format!(
            "Package: package-{n}\nStatus: install ok installed\nPriority: optional\nSection: libs\nMaintainer: A <a@b.c>\n\
             Architecture: amd64\nVersion: 1.{n}-1\nDepends: libc6 (>= 2.36)\nDescription: a package\n More of it.\n\n"
        )
    };
    write("var/lib/dpkg/status".into(), &(0..PACKAGES).map(package).collect::<String>());
    write("var/lib/dpkg/info/format".into(), "1\n");
}

/// Measures the snapshot in a cell with many distributions, which a setup adds to the coffea image. Includes starting interpreters.
fn of_a_place(table: &mut Table) {
    let room =
        Room::new(&format!("[test]\nrun = \"true\"\nsetup = \"sh grow.sh\"\n{}", facility("place", "bookworm-coffea")));
    let script = format!(
        "cd /opt/venv/lib/python3.11/site-packages\nset -- *.dist-info\nn=$#\nfor round in 1 2 3 4 5 6 7 8 9; do\n\
         for d; do\n[ $n -lt {DISTRIBUTIONS} ] || exit 0\nn=$((n + 1))\nc=copy${{n}}_$d\ncp -r $d $c\n\
         sed -i \"s/^Name: /Name: copy$n-/\" $c/METADATA\ndone\ndone\n"
    );
    fs::write(room.path("analysis/grow.sh"), script).expect("a file");
    room.check(&[]);
    let seconds = |_| {
        room.check_anew(&[]);
        room.document()["cells"][0]["timing"]["inside"]["snapshot"].as_f64().expect("seconds")
    };
    let took = Times::new((0..11).map(seconds).collect());
    let document = room.document();
    let found = document["environments"].as_object().and_then(|all| all.values().next()).expect("an environment");
    assert_eq!(found["pythons"][0]["distributions"].as_array().map(Vec::len), Some(DISTRIBUTIONS));
    table.push(Row {
        what: format!("snapshot in a cell, bookworm-coffea with {DISTRIBUTIONS} distributions"),
        figure: took.median() * 1e3,
        least: Some(took.least() * 1e3),
        unit: "ms",
        peer: None,
        limit: Limit::Figure(100.0),
    });
}
