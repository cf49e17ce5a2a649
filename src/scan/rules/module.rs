//! Providers of imported modules: the analysis, Python, a distribution or a release.

mod table;

use std::collections::BTreeSet;

use super::context::{RepositoryInput, RuleContext};
use super::relative::{join, parent};
use crate::source::manifest::imports::is_standard;
use crate::source::manifest::normalized;
use table::TABLE;

/// The provider of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provider {
    /// Python, or the analysis.
    Local,
    /// A release of an experiment, ROOT or a grid client. No package index provides it.
    Release,
    /// A facility.
    Facility,
    /// A distribution with this name.
    Distribution(&'static str),
    /// No known provider.
    Unknown,
}

/// The modules of the analysis itself.
pub(super) struct OwnModules<'a> {
    names: BTreeSet<&'a str>,
    context: &'a RuleContext<'a>,
}

/// Extensions of files that can be imported.
const MODULE_EXTENSIONS: &[&str] = &[".py", ".pyx", ".so", ".pyi", ".ipynb", ".pyd"];

impl<'a> OwnModules<'a> {
    pub(super) fn new(input: &'a RepositoryInput<'a>) -> Self {
        let mut names = BTreeSet::new();
        // A link that leaves the repository provides no module.
        let dead: BTreeSet<&str> = input
            .links
            .iter()
            .filter(|(path, target)| !leads_inside(path, target, input.context))
            .map(|(path, _)| path.as_str())
            .collect();
        for path in input.context.paths.iter().filter(|path| !dead.contains(path.as_str())) {
            let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
            let stem = MODULE_EXTENSIONS.iter().find_map(|end| name.strip_suffix(end));
            if let Some(stem) = stem {
                // `x.cpython-39-….so`
                names.extend(stem.split('.').next());
                names.extend(dirs.split('/'));
            }
        }
        // The content of submodules and linked directories is not scanned.
        for submodule in &input.submodules {
            names.extend(submodule.path.rsplit('/').next());
        }
        for path in input.links.iter().map(|(path, _)| path).filter(|path| !dead.contains(path.as_str())) {
            let name = path.rsplit('/').next().unwrap_or(path);
            names.insert(name.strip_suffix(".py").unwrap_or(name));
        }
        names.remove("");
        Self { names, context: input.context }
    }

    /// Returns the provider of a module, by the first part of its name.
    pub(super) fn provider(&self, module: &str) -> Provider {
        let top = module.split('.').next().unwrap_or_default();
        if top.is_empty() || is_standard(top) || self.names.contains(top) {
            return Provider::Local;
        }
        self.other_provider(module)
    }

    /// Reports whether Python, a distribution or a release provides a module with this name.
    pub(super) fn is_provided_elsewhere(&self, module: &str) -> bool {
        let top = module.split('.').next().unwrap_or_default();
        is_standard(top) || self.other_provider(module) != Provider::Unknown
    }

    fn other_provider(&self, module: &str) -> Provider {
        let top = module.split('.').next().unwrap_or_default();
        // CMSSW configuration fragments.
        let is_fragment = module.split('.').any(|part| part.ends_with("_cfi") || part.ends_with("_cff"));
        if is_fragment || TABLE.is_of_release(top) {
            return Provider::Release;
        }
        let is_of_site =
            self.context.catalogue.facilities.iter().any(|site| site.modules.iter().any(|name| name == top));
        if is_of_site {
            return Provider::Facility;
        }
        TABLE.distribution(top).map_or(Provider::Unknown, Provider::Distribution)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Reports whether the target of a link is a file or directory of the repository.
pub(super) fn leads_inside(path: &str, target: &str, context: &RuleContext<'_>) -> bool {
    let resolved = if target.starts_with('/') { None } else { join(parent(path), target) };
    resolved.is_some_and(|path| path.is_empty() || context.has_file(&path) || context.has_directory(&path))
}

/// Distributions that the repository declares or locks, and their dependencies.
pub(super) struct Declared {
    names: BTreeSet<String>,
    dependencies: BTreeSet<&'static str>,
}

impl Declared {
    pub(super) fn new(context: &RuleContext<'_>) -> Self {
        let inventory = &context.inventory;
        let required = inventory.requirements.iter().map(|package| normalized(&package.name));
        let names: BTreeSet<String> =
            required.chain(inventory.locked.iter().map(|package| normalized(&package.name))).collect();
        let dependencies = names.iter().flat_map(|name| TABLE.dependencies(name)).map(String::as_str).collect();
        Self { names, dependencies }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Reports whether a distribution is declared, by its name, its module or its name in conda or Spack.
    pub(super) fn has(&self, distribution: &str, module: &str) -> bool {
        let distribution = normalized(distribution);
        self.names.contains(&distribution)
            || self.names.contains(&normalized(module))
            || TABLE.conda_names(&distribution).iter().any(|name| self.names.contains(name))
            // Spack names packages `py-x`.
            || self.names.contains(&format!("py-{distribution}"))
    }

    /// Reports whether a distribution is a dependency of a declared one.
    pub(super) fn is_dependency(&self, distribution: &str) -> bool {
        self.dependencies.contains(normalized(distribution).as_str())
    }
}
