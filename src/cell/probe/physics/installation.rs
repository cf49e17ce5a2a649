//! ROOT installations, detected from files: wheel, conda, system packages, releases and builds from source.

use std::path::Path;

use super::super::ProbeContext;
use super::super::file_tree::{FileTree, MAX_LARGE_FILE_SIZE, into_text};
use super::super::tool::which;
use crate::model::known::Known;
use crate::model::python::Python;
use crate::model::system::{RootInstallation, Tool};

/// Returns every ROOT installation, the one that `root` or `import ROOT` uses first.
pub(crate) fn installations(
    context: &ProbeContext,
    pythons: &[Python],
    conda: &[String],
    tools: &[Tool],
) -> Vec<RootInstallation> {
    let root = &context.root;
    let mut prefixes: Vec<String> = Vec::new();
    let on_path = ["root", "root-config"].iter().filter_map(|name| which(context, name));
    // The script of a version manager or of a wheel is not part of an installation and is dropped below.
    prefixes.extend(on_path.filter_map(|path| above(&root.resolve(Path::new(&path)).ok()?.display().to_string())));
    prefixes.extend(context.env.get("ROOTSYS").cloned());
    for python in pythons {
        for entry in python.path.get().into_iter().flatten() {
            if root.is_dir(format!("{entry}/ROOT")) {
                prefixes.push(format!("{entry}/ROOT"));
                prefixes.extend(above(entry));
            }
        }
    }
    prefixes.extend(conda.iter().cloned());
    prefixes.extend(["/usr", "/usr/local", "/opt/root"].map(str::to_owned));
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for prefix in prefixes.iter().map(|prefix| prefix.trim_end_matches('/')).filter(|prefix| prefix.starts_with('/')) {
        let Some(identity) = root.identity(prefix) else { continue };
        if seen.contains(&identity) || !is_root(root, prefix) {
            continue;
        }
        seen.push(identity);
        out.push(installation(context, prefix, tools));
    }
    out
}

fn above(path: &str) -> Option<String> {
    Path::new(path).parent()?.parent().map(|prefix| prefix.display().to_string()).or_else(|| Some("/".to_owned()))
}

/// Returns the directories of a prefix that may contain the headers of ROOT.
fn includes(prefix: &str) -> [String; 2] {
    [format!("{prefix}/include"), format!("{prefix}/include/root")]
}

/// Returns the directories of a prefix that may contain the libraries of ROOT.
fn libraries(prefix: &str) -> [String; 4] {
    ["lib", "lib64", "lib/root", "lib64/root"].map(|lib| format!("{prefix}/{lib}"))
}

fn is_root(root: &FileTree, prefix: &str) -> bool {
    root.exists(format!("{prefix}/bin/root-config"))
        || includes(prefix).iter().any(|include| root.exists(format!("{include}/RVersion.h")))
        || libraries(prefix).iter().any(|lib| root.exists(format!("{lib}/libCore.so")))
}

fn installation(context: &ProbeContext, prefix: &str, tools: &[Tool]) -> RootInstallation {
    let root = &context.root;
    let origin = origin(context, prefix);
    let unknown = |what: &str| Known::unknown(format!("no file in {prefix} contains {what}"));
    RootInstallation {
        version: version(root, prefix).map_or_else(|| unknown("its version"), Known::Known),
        cxx_standard: standard(root, prefix).map_or_else(|| unknown("its C++ standard"), Known::Known),
        python: python(root, prefix).map_or_else(|| unknown("its Python version"), Known::Known),
        jit: Known::Known(can_compile(root, prefix, tools)),
        origin: origin.to_owned(),
        prefix: prefix.to_owned(),
    }
}

fn origin(context: &ProbeContext, prefix: &str) -> &'static str {
    let root = &context.root;
    if prefix.ends_with("-packages/ROOT") {
        "wheel"
    } else if root.is_dir(format!("{prefix}/conda-meta")) {
        "conda"
    } else if prefix.contains("/cms/") || prefix.starts_with("/cvmfs/cms.cern.ch") {
        "cmssw"
    } else if prefix.starts_with("/cvmfs/atlas.cern.ch") || prefix.contains("/InstallArea/") {
        "atlas"
    } else if prefix.contains("/lcg/") {
        "lcg"
    } else if prefix == "/usr" {
        if root.exists("/var/lib/dpkg/status") { "dpkg" } else { "rpm" }
    } else {
        "source"
    }
}

/// Returns the version (`6.30.06`) from the headers or from the CMake files.
fn version(root: &FileTree, prefix: &str) -> Option<String> {
    for include in includes(prefix) {
        let hxx = root.text(format!("{include}/ROOT/RVersion.hxx")).unwrap_or_default();
        let number = |name: &str| {
            let value = hxx.lines().find_map(|line| {
                line.strip_prefix("#define ROOT_VERSION_")?.strip_prefix(name)?.split_whitespace().next()
            });
            value.and_then(|value| value.parse::<u32>().ok())
        };
        if let (Some(major), Some(minor), Some(patch)) = (number("MAJOR "), number("MINOR "), number("PATCH ")) {
            return Some(format!("{major}.{minor:02}.{patch:02}"));
        }
        let header = root.text(format!("{include}/RVersion.h")).unwrap_or_default();
        let release = header.lines().find_map(|line| line.strip_prefix("#define ROOT_RELEASE ")?.split('"').nth(1));
        if let Some(release) = release {
            return Some(release.replace('/', "."));
        }
    }
    cmake_directories(prefix).iter().find_map(|directory| {
        let text = root.text(format!("{directory}/ROOTConfig-version.cmake")).ok()?;
        let line = text.lines().find_map(|line| line.trim().strip_prefix("set(PACKAGE_VERSION"))?;
        let version = line.trim_matches([' ', ')', '"']);
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
    })
}

fn cmake_directories(prefix: &str) -> [String; 4] {
    ["cmake", "lib/cmake/ROOT", "lib64/cmake/ROOT", "share/root/cmake"].map(|directory| format!("{prefix}/{directory}"))
}

/// Returns the C++ standard (`17`) from the first flag `-std=c++17` in the recorded compiler options of ROOT.
fn standard(root: &FileTree, prefix: &str) -> Option<String> {
    let compiled = includes(prefix).map(|include| format!("{include}/compiledata.h"));
    let cmake = cmake_directories(prefix).map(|directory| format!("{directory}/ROOTConfig.cmake"));
    let config = [format!("{prefix}/bin/root-config")];
    compiled.iter().chain(&cmake).chain(&config).find_map(|path| {
        let text = into_text(root.read(path, MAX_LARGE_FILE_SIZE).ok()?);
        ["-std=c++", "-std=gnu++", "set(ROOT_CXX_STANDARD "].iter().find_map(|start| {
            let at = text.find(start)? + start.len();
            let digits: String = text[at..].chars().take_while(char::is_ascii_alphanumeric).collect();
            Some(match digits.as_str() {
                "1y" => "14".to_owned(),
                "1z" => "17".to_owned(),
                "2a" => "20".to_owned(),
                "2b" => "23".to_owned(),
                _ => digits,
            })
        })
    })
}

/// Returns the Python version (`3.11`) from the names of the Python bindings.
fn python(root: &FileTree, prefix: &str) -> Option<String> {
    let site = |lib: &str| {
        let directory = format!("{prefix}/{lib}");
        root.names(&directory).into_iter().filter(|name| name.starts_with("python3")).flat_map(move |name| {
            [format!("{directory}/{name}/site-packages"), format!("{directory}/{name}/site-packages/ROOT")]
        })
    };
    let wheel = prefix.strip_suffix("/ROOT").filter(|packages| packages.ends_with("-packages"));
    if let Some(found) = wheel.and_then(|packages| wheel_python(root, packages)) {
        return Some(found);
    }
    let own = libraries(prefix).into_iter().flat_map(|lib| [format!("{lib}/ROOT"), format!("{lib}/cppyy"), lib]);
    own.chain(site("lib")).chain(site("lib64")).find_map(|directory| {
        root.names(directory).iter().filter(|name| is_binding(name)).find_map(|name| suffix(name))
    })
}

/// Returns the Python version from the tag of a wheel: `Tag: cp311-cp311-manylinux_2_28_x86_64`.
fn wheel_python(root: &FileTree, packages: &str) -> Option<String> {
    let names = root.names(packages);
    let mut infos =
        names.iter().filter(|name| name.ends_with(".dist-info") && name.to_lowercase().starts_with("root-"));
    infos.find_map(|info| {
        let text = root.text(format!("{packages}/{info}/WHEEL")).ok()?;
        let tag = text.lines().find_map(|line| line.strip_prefix("Tag: cp"))?;
        let digits = tag.split('-').next()?;
        let minor =
            digits.get(1..).filter(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(format!("{}.{minor}", digits.get(..1)?))
    })
}

fn is_binding(name: &str) -> bool {
    ["libROOTPython", "libcppyy", "libCPyCppyy", "libPyROOT", "libJupyROOT"].iter().any(|start| name.starts_with(start))
        && name.contains(".so")
}

/// Returns the Python version in a library name: `libcppyy3_11.so`, `libcppyy.cpython-311-x86_64-linux-gnu.so`.
fn suffix(name: &str) -> Option<String> {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    if let Some(at) = name.find("cpython-") {
        let found = digits(&name[at + "cpython-".len()..]);
        return (found.len() > 1).then(|| format!("{}.{}", &found[..1], &found[1..]));
    }
    let (before, after) = name.split('.').next()?.rsplit_once('_')?;
    let major = before.chars().next_back().filter(char::is_ascii_digit)?;
    let minor = digits(after);
    (!minor.is_empty() && minor.len() == after.len()).then(|| format!("{major}.{minor}"))
}

/// Reports whether the interpreter of ROOT finds the headers of a compiler and of the C library. It queries the
/// compiler for their location, so both are required.
fn can_compile(root: &FileTree, prefix: &str, tools: &[Tool]) -> bool {
    let triples = ["x86_64-conda-linux-gnu", "aarch64-conda-linux-gnu", "x86_64-conda_cos6-linux-gnu"];
    let in_prefix = |triple: &&str| {
        root.exists(format!("{prefix}/bin/{triple}-g++"))
            && root.exists(format!("{prefix}/{triple}/sysroot/usr/include/stdlib.h"))
    };
    let compiler = tools.iter().any(|tool| matches!(tool.name.as_str(), "c++" | "g++" | "clang++"));
    triples.iter().any(in_prefix) || (compiler && root.exists("/usr/include/stdlib.h"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn python_version_is_read_from_library_names() {
        assert_eq!(suffix("libcppyy3_11.so").as_deref(), Some("3.11"));
        assert_eq!(suffix("libROOTPythonizations2_7.so").as_deref(), Some("2.7"));
        assert_eq!(suffix("libcppyy.cpython-313-x86_64-linux-gnu.so").as_deref(), Some("3.13"));
        assert_eq!(suffix("libcppyy_backend.so"), None);
    }

    #[test]
    fn system_installation_is_detected_from_files() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        };
        write("usr/include/root/RVersion.h", "#define ROOT_RELEASE \"6.24/06\"\n");
        write("usr/include/root/compiledata.h", "#define CXX \"g++ -O2 -std=c++1z -fPIC\"\n");
        write("usr/lib64/root/libcppyy3_9.so", "");
        let context = ProbeContext {
            root: Arc::new(FileTree::new(dir.path())),
            live: false,
            env: BTreeMap::new(),
            path: Vec::new(),
        };
        let got = installations(&context, &[], &[], &[]);
        assert_eq!(got.len(), 1);
        let seen = (
            got[0].version.get(),
            got[0].cxx_standard.get(),
            got[0].python.get(),
            got[0].origin.as_str(),
            got[0].jit.get(),
        );
        let text = |text: &str| text.to_owned();
        assert_eq!(seen, (Some(&text("6.24.06")), Some(&text("17")), Some(&text("3.9")), "rpm", Some(&false)));
    }
}
