//! Compilers and build tools on `PATH`, and their versions, without running them.

use std::path::Path;

use super::ProbeContext;
use super::elf::numbers;
use super::file_tree::FileTree;
use super::package::{Packages, upstream_version};
use crate::model::environment::Ecosystem;
use crate::model::known::Known;
use crate::model::system::Tool;

/// Names of the commands, sorted.
const NAMES: [&str; 12] =
    ["bash", "c++", "clang", "clang++", "cmake", "g++", "gcc", "gfortran", "git", "make", "ninja", "nvcc"];

/// Returns the tools on `PATH`.
pub(super) fn tools(context: &ProbeContext, packages: &Packages) -> Vec<Tool> {
    NAMES
        .iter()
        .filter_map(|name| {
            let path = which(context, name)?;
            let path = context.root.resolve(Path::new(&path)).map_or(path, |path| path.display().to_string());
            let version = version(&context.root, name, &path, packages);
            Some(Tool { name: (*name).to_owned(), path, version })
        })
        .collect()
}

/// Returns the path of a command on `PATH`.
pub(super) fn which(context: &ProbeContext, name: &str) -> Option<String> {
    context.path.iter().map(|directory| format!("{directory}/{name}")).find(|path| context.root.is_executable(path))
}

fn version(root: &FileTree, name: &str, path: &str, packages: &Packages) -> Known<String> {
    // Tools in system directories have the version of their package. For other tools, the version is read from files.
    let system = ["/usr/bin/", "/bin/", "/usr/lib/", "/usr/lib64/"].iter().any(|start| path.starts_with(start));
    let package =
        || system.then(|| upstream_version(packages, |ecosystem| package_names(ecosystem, name, path))).flatten();
    let files = || version_from_files(root, name, path);
    let found = package().or_else(files);
    found.map_or_else(|| Known::unknown("version not found in packages or files"), Known::Known)
}

/// Returns the names of packages that may contain a command; for Debian, from the target of the link: `gcc-12`.
fn package_names(ecosystem: Ecosystem, name: &str, path: &str) -> Vec<String> {
    let file = path.rsplit('/').next().unwrap_or_default();
    let compilers = ["gcc-", "g++-", "gfortran-", "clang-", "clang++-"];
    let versioned = compilers
        .iter()
        .find_map(|start| file.find(start).map(|start_index| &file[start_index..]))
        .map(|found| found.replace("clang++", "clang"));
    let plain: &[&str] = match (ecosystem, name) {
        (Ecosystem::Dpkg, "ninja") => &["ninja-build"],
        (Ecosystem::Dpkg, "nvcc") => &["nvidia-cuda-toolkit"],
        (Ecosystem::Rpm, "g++" | "c++") => &["gcc-c++"],
        (Ecosystem::Rpm, "gfortran") => &["gcc-gfortran"],
        (Ecosystem::Rpm, "ninja") => &["ninja-build"],
        (Ecosystem::Rpm, "git") => &["git-core", "git"],
        (Ecosystem::Apk, "ninja") => &["ninja-build", "samurai", "ninja"],
        (_, "c++") => &["g++"],
        (_, "clang++") => &["clang"],
        (_, name) => return versioned.into_iter().chain([name.to_owned()]).collect(),
    };
    versioned.into_iter().chain(plain.iter().map(|&name| name.to_owned())).collect()
}

/// Returns the version from files next to a tool: GCC's `lib/gcc/TRIPLE/VERSION`, `share/cmake-VERSION`, CUDA's
/// `version.json`.
fn version_from_files(root: &FileTree, name: &str, path: &str) -> Option<String> {
    let prefix = Path::new(path).parent()?.parent()?.display().to_string();
    match name {
        "gcc" | "g++" | "c++" | "gfortran" => {
            let libraries = ["lib/gcc", "lib64/gcc", "libexec/gcc"].map(|lib| format!("{prefix}/{lib}"));
            let triples = libraries
                .iter()
                .flat_map(|library| root.names(library).into_iter().map(move |triple| format!("{library}/{triple}")));
            highest(triples.flat_map(|triple| root.names(triple)))
        }
        "clang" | "clang++" => highest(root.names(format!("{prefix}/lib/clang")).into_iter()),
        "cmake" => highest(
            root.names(format!("{prefix}/share"))
                .into_iter()
                .filter_map(|name| name.strip_prefix("cmake-").map(str::to_owned)),
        ),
        "nvcc" => {
            let text = root.text(format!("{prefix}/version.json")).ok()?;
            let value: serde_json::Value = serde_json::from_str(&text).ok()?;
            value.pointer("/cuda_nvcc/version").or(value.pointer("/cuda/version"))?.as_str().map(str::to_owned)
        }
        _ => version_from_conda(root, &prefix, name),
    }
}

/// Returns the version of the package in the conda prefix of the tool.
fn version_from_conda(root: &FileTree, prefix: &str, name: &str) -> Option<String> {
    root.names(format!("{prefix}/conda-meta")).iter().find_map(|file| {
        let rest = file.strip_suffix(".json")?.strip_prefix(name)?.strip_prefix('-')?;
        let (version, build) = rest.split_once('-')?;
        (version.starts_with(|c: char| c.is_ascii_digit()) && !build.is_empty()).then(|| version.to_owned())
    })
}

fn highest(versions: impl Iterator<Item = String>) -> Option<String> {
    versions.filter_map(|version| Some((numbers(&version)?, version))).max().map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::sync::Arc;

    use super::*;
    use crate::model::package::Package;

    fn package(name: &str, version: &str) -> Package {
        let empty = String::new;
        Package { name: name.to_owned(), version: version.to_owned(), arch: empty(), origin: empty(), prefix: empty() }
    }

    #[test]
    fn version_is_read_from_the_system_package_or_from_files() {
        let dir = tempfile::tempdir().expect("a directory");
        let program = |path: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(&path, "x").expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
        };
        program("usr/bin/x86_64-linux-gnu-gcc-12");
        symlink("x86_64-linux-gnu-gcc-12", dir.path().join("usr/bin/gcc")).expect("a link");
        program("opt/gcc/bin/g++");
        fs::create_dir_all(dir.path().join("opt/gcc/lib/gcc/x86_64-linux-gnu/13.1.0")).expect("directories");
        program("usr/bin/make");
        let context = ProbeContext {
            root: Arc::new(FileTree::new(dir.path())),
            live: false,
            env: BTreeMap::new(),
            path: vec!["/opt/gcc/bin".to_owned(), "/usr/bin".to_owned()],
        };
        let packages = BTreeMap::from([(Ecosystem::Dpkg, Known::Known(vec![package("gcc-12", "12.2.0-14")]))]);
        let got: Vec<_> =
            tools(&context, &packages).into_iter().map(|tool| (tool.name, tool.version.get().cloned())).collect();
        let expected = [("g++", Some("13.1.0")), ("gcc", Some("12.2.0")), ("make", None)];
        assert_eq!(got, expected.map(|(name, version)| (name.to_owned(), version.map(str::to_owned))));
    }
}
