//! Finds Python interpreters on `PATH` and in common directories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::ProbeContext;
use super::super::elf::is_elf;
use super::super::file_tree::FileTree;
use super::venv;

/// Maximum number of interpreters; those on `PATH` come first.
const MAX_CANDIDATES: usize = 48;

/// One interpreter, identified by the path that starts it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Path that starts it, without following links: it identifies a virtual environment.
    pub(super) path: String,
    /// Path after following links.
    pub(super) real: String,
    /// Commands that start it.
    pub(super) commands: BTreeSet<String>,
    /// Position of its directory on `PATH`.
    pub(super) on_path: Option<usize>,
    /// Whether it is a program; otherwise a script that may start one.
    pub(super) program: bool,
}

/// Returns every interpreter once, identified by virtual environment and file.
pub(super) fn candidates(context: &ProbeContext, only: Option<&Path>) -> Vec<Candidate> {
    let only = only.map(|only| vec![format!("{}/bin", only.display())]);
    let restricted = only.is_some();
    let path = only.unwrap_or_else(|| context.path.clone());
    let mut found: BTreeMap<(String, String), Candidate> = BTreeMap::new();
    let mut commands = BTreeSet::new();
    for (position, directory) in path.iter().enumerate() {
        for name in context.root.names(directory).into_iter().filter(|name| is_python(name)) {
            let candidate = candidate(&context.root, directory, &name, Some(position));
            let Some((key, mut candidate)) = candidate else { continue };
            // A command starts the first file with its name on `PATH`.
            if commands.insert(name.clone()) {
                candidate.commands.insert(name);
            } else if !candidate.program {
                continue;
            }
            add(&mut found, key, candidate);
        }
    }
    let elsewhere = if restricted { Vec::new() } else { directories(context) };
    for directory in elsewhere.iter().filter(|directory| !path.contains(directory)) {
        for name in context.root.names(directory).into_iter().filter(|name| is_python(name)) {
            let candidate = candidate(&context.root, directory, &name, None).filter(|(_, candidate)| candidate.program);
            if let Some((key, candidate)) = candidate {
                add(&mut found, key, candidate);
            }
        }
    }
    let mut found: Vec<Candidate> = found.into_values().collect();
    found.sort_by_key(|candidate| {
        (candidate.commands.is_empty(), candidate.on_path.unwrap_or(usize::MAX), candidate.path.clone())
    });
    found.truncate(MAX_CANDIDATES);
    found
}

fn add(found: &mut BTreeMap<(String, String), Candidate>, key: (String, String), candidate: Candidate) {
    match found.get_mut(&key) {
        Some(known) => known.commands.extend(candidate.commands),
        None => {
            found.insert(key, candidate);
        }
    }
}

fn candidate(
    root: &FileTree,
    directory: &str,
    name: &str,
    on_path: Option<usize>,
) -> Option<((String, String), Candidate)> {
    let path = format!("{}/{name}", directory.trim_end_matches('/'));
    let real = root.resolve(Path::new(&path)).ok()?.display().to_string();
    if !root.is_executable(&real) {
        return None;
    }
    let program = is_elf(&root.head(&real, 4).unwrap_or_default());
    let venv = venv::venv_of_executable(root, &path).map(|venv| venv.prefix).unwrap_or_default();
    Some(((venv, real.clone()), Candidate { path, real, commands: BTreeSet::new(), on_path, program }))
}

/// Returns directories that may contain interpreters and are not on `PATH`.
fn directories(context: &ProbeContext) -> Vec<String> {
    let root = &context.root;
    let mut out: Vec<String> = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/libexec"].map(str::to_owned).to_vec();
    out.extend(root.names("/opt").into_iter().map(|name| format!("/opt/{name}/bin")));
    out.extend(
        ["VIRTUAL_ENV", "CONDA_PREFIX"]
            .iter()
            .filter_map(|name| context.env.get(*name))
            .map(|prefix| format!("{prefix}/bin")),
    );
    out.extend(conda_prefixes(context).into_iter().map(|prefix| format!("{prefix}/bin")));
    let home = context.env.get("HOME").map(String::as_str).unwrap_or_default();
    let pyenv = context.env.get("PYENV_ROOT").cloned().unwrap_or_else(|| format!("{home}/.pyenv"));
    for versions in [format!("{pyenv}/versions"), format!("{home}/.local/share/uv/python")] {
        if versions.starts_with('/') {
            out.extend(root.names(&versions).into_iter().map(|name| format!("{versions}/{name}/bin")));
        }
    }
    let mut seen = BTreeSet::new();
    out.retain(|directory| root.is_dir(directory) && seen.insert(directory.clone()));
    out
}

/// Returns common prefixes that contain `conda-meta`.
pub(super) fn conda_prefixes(context: &ProbeContext) -> BTreeSet<String> {
    let root = &context.root;
    let home = context.env.get("HOME").map(String::as_str).filter(|home| home.starts_with('/')).unwrap_or("/root");
    let mut bases: Vec<String> = ["/usr/local", "/srv/conda"].map(str::to_owned).to_vec();
    bases.extend(root.names("/opt").into_iter().map(|name| format!("/opt/{name}")));
    let in_home = ["anaconda3", "miniconda3", "miniforge3", "mambaforge", "micromamba", ".conda", ".local/share/mamba"];
    bases.extend(in_home.iter().map(|name| format!("{home}/{name}")));
    bases.extend(["CONDA_PREFIX", "MAMBA_ROOT_PREFIX"].iter().filter_map(|name| context.env.get(*name).cloned()));
    let mut out = BTreeSet::new();
    for base in bases.into_iter().filter(|base| base.starts_with('/')) {
        let base = base.trim_end_matches('/').to_owned();
        out.extend(root.names(format!("{base}/envs")).into_iter().map(|name| format!("{base}/envs/{name}")));
        out.insert(base);
    }
    out.retain(|prefix| root.is_dir(format!("{prefix}/conda-meta")));
    out
}

/// Reports whether a command name is that of an interpreter: `python3.11`, `pypy3`, `python3.13t`.
fn is_python(name: &str) -> bool {
    let rest = ["python", "pypy", "platform-python"].iter().find_map(|start| name.strip_prefix(start));
    rest.is_some_and(|rest| {
        let rest = rest.strip_suffix('t').filter(|rest| rest.contains('.')).unwrap_or(rest);
        rest.is_empty()
            || rest.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::is_python;

    #[test]
    fn names_of_interpreters_are_recognized() {
        for name in ["python", "python3", "python3.11", "pypy3", "python3.13t", "platform-python3.6"] {
            assert!(is_python(name), "{name}");
        }
        for name in ["python3-config", "pythonw", "python3.11-config", "python3.", "ipython", "pythont", "python.exe"] {
            assert!(!is_python(name), "{name}");
        }
    }
}
