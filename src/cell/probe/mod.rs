//! The environment snapshot, taken without running commands of the environment.
//!
//! Nearly everything is read from files. On a running system, the Python interpreters are queried for the rest, each in
//! its own process group and with a time limit. A value that cannot be read is unknown, with the reason.

mod cgroup;
mod cpu;
pub(super) mod elf;
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
mod unresponsive;
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

/// Options of a snapshot.
#[derive(Debug, Clone)]
pub struct Options {
    /// FileTree directory of the tree: `/` for the running system.
    pub root: PathBuf,
    /// Whether the tree is the running system, so interpreters may be started and kernel and user apply. Ignored unless
    /// `root` is `/`.
    pub live: bool,
    /// Environment variables of programs in the environment.
    pub env: BTreeMap<String, String>,
    /// Names of additional variables whose values may be recorded; a final `*` matches any suffix.
    pub allow_env: Vec<String>,
    /// Names of variables of carnet, which are excluded; a final `*` matches any suffix.
    pub own_env: Vec<String>,
    /// A virtual or conda environment; if set, other Pythons are ignored.
    pub python: Option<PathBuf>,
}

impl Options {
    /// Returns options for the running system with these environment variables.
    pub fn live(env: BTreeMap<String, String>) -> Self {
        Self { root: PathBuf::from("/"), live: true, env, allow_env: Vec::new(), own_env: Vec::new(), python: None }
    }

    /// Returns options for an unpacked tree, with the environment variables of its image.
    pub fn tree(root: impl Into<PathBuf>, env: BTreeMap<String, String>) -> Self {
        Self { root: root.into(), live: false, ..Self::live(env) }
    }
}

/// The context shared by all parts of the probe.
struct ProbeContext {
    root: Arc<FileTree>,
    live: bool,
    env: BTreeMap<String, String>,
    /// Entries of `PATH`, in order.
    path: Vec<String>,
}

/// Takes the snapshot. It never fails: values that cannot be read are unknown.
pub fn environment(options: &Options) -> Environment {
    let live = options.live && FileTree::new(&options.root).is_system();
    let mounts = if live { mounts(&options.root) } else { Vec::new() };
    let mut env = options.env.clone();
    env.retain(|name, _| !options.own_env.contains(name));
    // An interpreter splits a URL at its colons, and parts of it in `sys.path` cannot be distinguished from paths.
    env.entry("PYTHONPATH".to_owned()).and_modify(|value| *value = redact::redact(value));
    let path = path(&env);
    let unresponsive = if live { unresponsive::directories(&mounts, &env, &path) } else { Vec::new() };
    let root = FileTree::new(&options.root).without(unresponsive);
    let context = ProbeContext { root: Arc::new(root), live, env, path };
    let root = &context.root;
    let only = options.python.as_ref().map(|python| absolute(python));

    thread::scope(|scope| {
        let runtime = scope.spawn(|| runtime::runtime(root, live, &context.env, &mounts));
        let packages = scope.spawn(|| package::system_packages(root));
        let pythons = python::pythons(&context, only.as_deref());
        let prefixes: BTreeSet<String> = match &only {
            Some(only) => BTreeSet::from([only.display().to_string()]),
            None => python::conda_prefixes(&context, &pythons),
        };
        let prefixes: Vec<String> =
            prefixes.into_iter().filter(|prefix| root.is_dir(format!("{prefix}/conda-meta"))).collect();
        let mut packages = join(packages);
        packages.extend(package::conda_packages(root, &prefixes).map(|packages| (Ecosystem::Conda, packages)));
        let system = system(&context, &pythons, &packages, &prefixes);
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

/// Returns the result of a thread; a panic is propagated.
fn join<T>(part: thread::ScopedJoinHandle<'_, T>) -> T {
    part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn system(context: &ProbeContext, pythons: &[Python], packages: &package::Packages, conda: &[String]) -> System {
    let root = &context.root;
    let main = pythons.first().filter(|python| python.kind == PythonKind::Conda).and_then(|python| python.prefix.get());
    let active = context.env.get("CONDA_PREFIX").or(main).map(String::as_str);
    let (glibcxx, cxxabi) = library::libstdcxx(root, &context.env, active);
    let tools = tool::tools(context, packages);
    System {
        os: system::os(root),
        arch: library::arch(root).unwrap_or(std::env::consts::ARCH).to_owned(),
        libc: library::libc(root),
        glibcxx,
        cxxabi,
        locale: system::locale(&context.env),
        timezone: system::timezone(root, &context.env),
        roots: physics::installation::installations(context, pythons, conda, &tools),
        tools,
        releases: physics::release::releases(context),
    }
}

/// Returns a directory as an absolute path without trailing slash.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect()
}

/// Returns the entries of `PATH`; the default is that of the C library.
fn path(env: &BTreeMap<String, String>) -> Vec<String> {
    const DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let path = env.get("PATH").map_or(DEFAULT, String::as_str);
    variable::list(path).into_iter().filter(|entry| entry.starts_with('/')).collect()
}

fn mounts(root: &Path) -> Vec<Mount> {
    let text = FileTree::new(root)
        .read("/proc/self/mountinfo", file_tree::MAX_LARGE_FILE_SIZE)
        .map(file_tree::into_text)
        .unwrap_or_default();
    mount::parse(&text).into_iter().filter(|mount| !variable::is_own(&mount.point)).collect()
}
