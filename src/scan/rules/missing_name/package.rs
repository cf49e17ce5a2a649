//! Modules of the repository, and what can be taken from them.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::rules::context::RepositoryInput;
use crate::scan::rules::missing_module::is_generated;
use crate::source::lang::fact::Names;

/// Places that programs are started from and that packages are installed from.
const ROOTS: &[&str] = &["", "src/", "python/", "lib/"];

/// A module whose names are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Module<'a> {
    /// Its file.
    pub(super) path: &'a str,
    names: &'a Names,
}

impl<'a> Module<'a> {
    /// The directory of a package; none of a single file.
    fn directory(&self) -> Option<&'a str> {
        self.path.strip_suffix("/__init__.py")
    }

    /// Whether a name can be taken from it: one of its own, one that every module has, or a module below it.
    pub(super) fn may_have(&self, name: &str, input: &RepositoryInput<'_>) -> bool {
        let is_of_every = name.starts_with("__") && name.ends_with("__");
        is_of_every
            || self.names.bound.contains(name)
            || self.directory().is_some_and(|dir| is_below(dir, name, input) || is_module_name(name) && compiles(input))
    }
}

/// Whether a package has a module of this name, in any form, or may get one from a build, a link or a submodule.
fn is_below(dir: &str, name: &str, input: &RepositoryInput<'_>) -> bool {
    let place = format!("{dir}/{name}");
    let file = format!("{place}.");
    is_generated(name)
        || input.world.has_file(&place)
        || input.world.has_directory(&place)
        || input.world.paths.range(file.clone()..).next().is_some_and(|next| next.starts_with(&file))
        || input.submodules.iter().any(|one| one.path == place)
}

/// Whether a name looks like that of a module rather than of a class.
fn is_module_name(name: &str) -> bool {
    !name.contains(|c: char| c.is_ascii_uppercase())
}

/// Whether a build of the repository may add compiled modules to its packages.
fn compiles(input: &RepositoryInput<'_>) -> bool {
    let mut paths = input.world.paths.iter();
    let has_setup = input.world.has_file("setup.py");
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
    /// Places that can be imported, by their last part: what a file's path is without its ending, the directory of a package.
    places: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Modules<'a> {
    pub(super) fn of(input: &'a RepositoryInput<'a>) -> Self {
        let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let submodules = input.submodules.iter().map(|one| one.path.as_str());
        for path in input.world.paths.iter().map(String::as_str).chain(submodules) {
            let start = path.rfind('/').map_or(0, |slash| slash + 1);
            // `x.cpython-39-x86_64-linux-gnu.so`
            let end = path[start..].find('.').map_or(path.len(), |dot| start + dot);
            let mut place = &path[..end];
            while !place.is_empty() {
                let (dir, name) = place.rsplit_once('/').unwrap_or(("", place));
                if !places.entry(name).or_default().insert(place) {
                    break;
                }
                place = dir;
            }
        }
        Self { input, places }
    }

    /// The modules that a file may mean by a name, in no order; none when there is none, or one that nothing is known of.
    pub(super) fn find(&self, file: &str, module: &str) -> Option<Vec<Module<'a>>> {
        let name = module.trim_start_matches('.');
        let dir = file.rsplit_once('/').map_or("", |(dir, _)| dir);
        let ups = module.len() - name.len();
        let below = name.replace('.', "/");
        if ups > 0 {
            let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
            parts.truncate((parts.len() + 1).checked_sub(ups)?);
            parts.extend(below.split('/').filter(|part| !part.is_empty()));
            let place = parts.join("/");
            // A module of its own name is a module taken from itself.
            let found = self.at(&place).filter(|found| found.path != file)?;
            return file.ends_with(".py").then(|| vec![found]);
        }
        let last = below.rsplit('/').next()?;
        let ends = |place: &str| place.strip_suffix(&below).is_some_and(|root| root.is_empty() || root.ends_with('/'));
        let places = self.places.get(last)?.iter().filter(|place| ends(place));
        let mut is_plausible = false;
        let mut found = Vec::new();
        for place in places {
            let root = &place[..place.len() - below.len()];
            is_plausible |= ROOTS.contains(&root) || format!("{dir}/").starts_with(root);
            found.push(self.at(place).filter(|found| found.path != file)?);
        }
        is_plausible.then_some(found)
    }

    /// The module at a place; none when there is another than one file of Python that is known.
    fn at(&self, place: &str) -> Option<Module<'a>> {
        let world = self.input.world;
        let names = |path: String| self.input.names.get_key_value(&path);
        let (package, file) = (names(format!("{place}/__init__.py")), names(format!("{place}.py")));
        let forms = |start: String| {
            let all = world.paths.range(start.clone()..).take_while(move |path| path.starts_with(&start));
            all.filter(|path| is_importable(path)).count()
        };
        let is_mixed = forms(format!("{place}.")) > usize::from(file.is_some())
            || forms(format!("{place}/__init__.")) > usize::from(package.is_some());
        let is_link = self.input.links.iter().any(|(link, _)| place.starts_with(link.trim_end_matches(".py")));
        let has_directory = world.has_directory(place);
        if is_mixed || is_link || world.has_file(place) {
            return None;
        }
        let (path, names) = match (package, file) {
            (Some(package), None) => package,
            (None, Some(file)) if !has_directory => file,
            _ => return None,
        };
        Some(Module { path, names })
    }

    /// A file beside a module, in the same package, that defines a name.
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

/// Whether a file can be what an import finds: source, or compiled.
fn is_importable(path: &str) -> bool {
    [".py", ".pyi", ".pyx", ".pyc", ".pyd", ".so"].iter().any(|end| path.ends_with(end))
}
