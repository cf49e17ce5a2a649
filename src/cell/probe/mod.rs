//! The environment snapshot: what a place offers, read without any command of the place.
//!
//! Files tell nearly everything. On a running system the Pythons themselves are asked for what files can't tell, each
//! in its own process group and with a time limit. Whatever could not be read is unknown, with the reason.

mod bounded;
mod cgroup;
mod cpu;
mod dead;
mod elf;
mod file_tree;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod library;
mod mount;
mod package;
mod physics;
mod python;
mod redact;
mod runtime;
mod site_path;
mod stanza;
mod system;
mod tool;
mod variable;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use crate::model::environment::{Ecosystem, Environment, SCHEMA};
use crate::model::python::{Python, PythonKind};
use crate::model::system::System;
use file_tree::FileTree;
use mount::Mount;
pub use variable::recorded;

/// What to take a snapshot of, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Root directory of the tree: `/` for the place where this process runs.
    pub root: PathBuf,
    /// Whether the tree is the running system: interpreters may be started, kernel and user are its own. Without effect
    /// where `root` is not `/`.
    pub live: bool,
    /// Environment variables of the programs that will run there.
    pub env: BTreeMap<String, String>,
    /// Names of more variables whose values may be kept; a final `*` stands for any ending.
    pub allow_env: Vec<String>,
    /// Names of variables that belong to this tool and are left out; a final `*` stands for any ending.
    pub own_env: Vec<String>,
    /// A virtual or conda environment: of all Pythons only that one is looked at.
    pub python: Option<PathBuf>,
}

impl Options {
    /// The running system with these environment variables.
    pub fn live(env: BTreeMap<String, String>) -> Self {
        Self { root: PathBuf::from("/"), live: true, env, allow_env: Vec::new(), own_env: Vec::new(), python: None }
    }

    /// An unpacked tree, with the environment variables that its image configures.
    pub fn tree(root: impl Into<PathBuf>, env: BTreeMap<String, String>) -> Self {
        Self { root: root.into(), live: false, ..Self::live(env) }
    }
}

/// What every part of the probe needs to know.
struct ProbeContext {
    root: Arc<FileTree>,
    live: bool,
    env: BTreeMap<String, String>,
    /// Entries of `PATH`, in order.
    path: Vec<String>,
}

/// Takes the snapshot. It never fails: what can't be read is unknown.
pub fn environment(options: &Options) -> Environment {
    let live = options.live && FileTree::new(&options.root).is_system();
    let mounts = if live { mounts(&options.root) } else { Vec::new() };
    let mut env = options.env.clone();
    env.retain(|name, _| !options.own_env.contains(name));
    // An interpreter would split the URL at its colons, and what `sys.path` then shows can't be told from a path.
    env.entry("PYTHONPATH".to_owned()).and_modify(|value| *value = redact::redact(value));
    let path = path(&env);
    let root =
        FileTree::new(&options.root).without(if live { dead::directories(&mounts, &env, &path) } else { Vec::new() });
    let place = ProbeContext { root: Arc::new(root), live, env, path };
    let root = &place.root;
    let only = options.python.as_ref().map(|python| absolute(python));

    thread::scope(|scope| {
        let runtime = scope.spawn(|| runtime::runtime(root, live, &place.env, &mounts));
        let packages = scope.spawn(|| package::of_system(root));
        let pythons = python::pythons(&place, only.as_deref());
        let prefixes: BTreeSet<String> = match &only {
            Some(only) => BTreeSet::from([only.display().to_string()]),
            None => python::conda_prefixes(&place, &pythons),
        };
        let prefixes: Vec<String> =
            prefixes.into_iter().filter(|prefix| root.is_dir(format!("{prefix}/conda-meta"))).collect();
        let mut packages = join(packages);
        packages.extend(package::of_conda(root, &prefixes).map(|packages| (Ecosystem::Conda, packages)));
        let system = system(&place, &pythons, &packages, &prefixes);
        Environment {
            schema: SCHEMA.to_owned(),
            system,
            pythons,
            packages,
            runtime: join(runtime),
            variables: variable::variables(&options.env, &options.allow_env, &options.own_env),
            imposed: runtime::imposed(root, live, &mounts),
        }
    })
}

/// The result of a part that runs beside the others; a panic in it is a bug and stays one.
fn join<T>(part: thread::ScopedJoinHandle<'_, T>) -> T {
    part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn system(place: &ProbeContext, pythons: &[Python], packages: &package::Packages, conda: &[String]) -> System {
    let root = &place.root;
    let main = pythons.first().filter(|python| python.kind == PythonKind::Conda).and_then(|python| python.prefix.get());
    let active = place.env.get("CONDA_PREFIX").or(main).map(String::as_str);
    let (glibcxx, cxxabi) = library::libstdcxx(root, &place.env, active);
    let tools = tool::tools(place, packages);
    System {
        os: system::os(root),
        arch: library::arch(root).unwrap_or(std::env::consts::ARCH).to_owned(),
        libc: library::libc(root),
        glibcxx,
        cxxabi,
        locale: system::locale(&place.env),
        timezone: system::timezone(root, &place.env),
        roots: physics::installation::installations(place, pythons, conda, &tools),
        tools,
        releases: physics::release::releases(place),
    }
}

/// A directory as given on a command line, from the root and without a final slash.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

/// The entries of `PATH`; a process without it gets what the C library searches.
fn path(env: &BTreeMap<String, String>) -> Vec<String> {
    const DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let path = env.get("PATH").map_or(DEFAULT, String::as_str);
    variable::list(path).into_iter().filter(|entry| entry.starts_with('/')).collect()
}

fn mounts(root: &Path) -> Vec<Mount> {
    let text = FileTree::new(root)
        .read("/proc/self/mountinfo", file_tree::LARGE)
        .map(file_tree::into_text)
        .unwrap_or_default();
    mount::parse(&text).into_iter().filter(|mount| !variable::is_own(&mount.point)).collect()
}
