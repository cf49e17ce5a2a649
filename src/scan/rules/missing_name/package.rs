//! Modules of the repository and the names that they provide.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::rules::context::RepositoryInput;
use crate::scan::rules::missing_module::is_generated;
use crate::source::lang::fact::Names;

/// Directories that programs are started in or that packages are installed from.
const ROOTS: &[&str] = &["", "src/", "python/", "lib/"];

/// A module whose names are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Module<'a> {
    /// Its file.
    pub(super) path: &'a str,
    names: &'a Names,
}

impl<'a> Module<'a> {
    /// Returns the directory of a package; `None` for a single file.
    fn directory(&self) -> Option<&'a str> {
        self.path.strip_suffix("/__init__.py")
    }

    /// Reports whether a name can be imported from the module: its own names, names that every module has, and submodules.
    pub(super) fn may_have(&self, name: &str, input: &RepositoryInput<'_>) -> bool {
        let is_of_every = name.starts_with("__") && name.ends_with("__");
        is_of_every
            || self.names.bound.contains(name)
            || self.directory().is_some_and(|dir| is_below(dir, name, input) || is_module_name(name) && compiles(input))
    }
}

/// Reports whether a package has a submodule with this name in any form, or may get one from a build, a link or a git
/// submodule.
fn is_below(dir: &str, name: &str, input: &RepositoryInput<'_>) -> bool {
    let location = format!("{dir}/{name}");
    let file = format!("{location}.");
    is_generated(name)
        || input.context.has_file(&location)
        || input.context.has_directory(&location)
        || input.context.paths.range(file.clone()..).next().is_some_and(|next| next.starts_with(&file))
        || input.submodules.iter().any(|submodule| submodule.path == location)
}

/// Reports whether a name looks like a module rather than a class.
fn is_module_name(name: &str) -> bool {
    !name.contains(|c: char| c.is_ascii_uppercase())
}

/// Reports whether a build of the repository may add compiled modules to its packages.
fn compiles(input: &RepositoryInput<'_>) -> bool {
    let mut paths = input.context.paths.iter();
    let has_setup = input.context.has_file("setup.py");
    paths.any(|path| {
        let (_, name) = path.rsplit_once('/').unwrap_or(("", path));
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        matches!(name, "CMakeLists.txt" | "meson.build" | "Cargo.toml")
            || matches!(extension, "pyx" | "pxd" | "i")
            || has_setup && matches!(extension, "c" | "cc" | "cpp" | "cxx" | "f" | "f90" | "cu")
    })
}

/// All modules of the repository.
pub(super) struct Modules<'a> {
    input: &'a RepositoryInput<'a>,
    /// Paths that can be imported, by their last part: files without their extension, and directories of packages.
    locations: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Modules<'a> {
    pub(super) fn new(input: &'a RepositoryInput<'a>) -> Self {
        let mut locations: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let submodules = input.submodules.iter().map(|submodule| submodule.path.as_str());
        for path in input.context.paths.iter().map(String::as_str).chain(submodules) {
            let start = path.rfind('/').map_or(0, |slash| slash + 1);
            // `x.cpython-39-x86_64-linux-gnu.so`
            let end = path[start..].find('.').map_or(path.len(), |dot| start + dot);
            let mut location = &path[..end];
            while !location.is_empty() {
                let (dir, name) = location.rsplit_once('/').unwrap_or(("", location));
                if !locations.entry(name).or_default().insert(location) {
                    break;
                }
                location = dir;
            }
        }
        Self { input, locations }
    }

    /// Returns the modules that a name in a file may refer to, in no order. `None` if there is none, or if one is unknown.
    pub(super) fn find(&self, file: &str, module: &str) -> Option<Vec<Module<'a>>> {
        let name = module.trim_start_matches('.');
        let dir = file.rsplit_once('/').map_or("", |(dir, _)| dir);
        let ups = module.len() - name.len();
        let below = name.replace('.', "/");
        if ups > 0 {
            let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
            parts.truncate((parts.len() + 1).checked_sub(ups)?);
            parts.extend(below.split('/').filter(|part| !part.is_empty()));
            let location = parts.join("/");
            // A file with the name of the module would import itself.
            let found = self.module_at(&location).filter(|found| found.path != file)?;
            return file.ends_with(".py").then(|| vec![found]);
        }
        let last = below.rsplit('/').next()?;
        let ends =
            |location: &str| location.strip_suffix(&below).is_some_and(|root| root.is_empty() || root.ends_with('/'));
        let locations = self.locations.get(last)?.iter().filter(|location| ends(location));
        let mut is_plausible = false;
        let mut found = Vec::new();
        for location in locations {
            let root = &location[..location.len() - below.len()];
            is_plausible |= ROOTS.contains(&root) || format!("{dir}/").starts_with(root);
            found.push(self.module_at(location).filter(|found| found.path != file)?);
        }
        is_plausible.then_some(found)
    }

    /// Returns the module at a path; `None` unless it is exactly one parsed Python file.
    fn module_at(&self, location: &str) -> Option<Module<'a>> {
        let context = self.input.context;
        let names = |path: String| self.input.names.get_key_value(&path);
        let (package, file) = (names(format!("{location}/__init__.py")), names(format!("{location}.py")));
        let forms = |start: String| {
            let all = context.paths.range(start.clone()..).take_while(move |path| path.starts_with(&start));
            all.filter(|path| is_importable(path)).count()
        };
        let is_mixed = forms(format!("{location}.")) > usize::from(file.is_some())
            || forms(format!("{location}/__init__.")) > usize::from(package.is_some());
        let is_link = self.input.links.iter().any(|(link, _)| location.starts_with(link.trim_end_matches(".py")));
        let has_directory = context.has_directory(location);
        if is_mixed || is_link || context.has_file(location) {
            return None;
        }
        let (path, names) = match (package, file) {
            (Some(package), None) => package,
            (None, Some(file)) if !has_directory => file,
            _ => return None,
        };
        Some(Module { path, names })
    }

    /// Returns a file in the same package that defines a name.
    pub(super) fn with_name(&self, module: &Module<'_>, name: &str) -> Option<&'a str> {
        let dir = module.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let files = self.input.names.iter().filter(|(path, _)| path.rsplit_once('/').map_or("", |(dir, _)| dir) == dir);
        let imports = |file: &str| {
            let mut own = self.input.imports.iter().filter(|(path, _, _)| path == file);
            own.any(|(_, _, import)| import.names.iter().any(|taken| taken == name))
        };
        let mut with = files.filter(|(_, names)| names.bound.contains(name)).map(|(path, _)| path.as_str());
        with.find(|path| !imports(path))
    }
}

/// Reports whether an import can load the file: source code or a compiled module.
fn is_importable(path: &str) -> bool {
    [".py", ".pyi", ".pyx", ".pyc", ".pyd", ".so"].iter().any(|end| path.ends_with(end))
}
