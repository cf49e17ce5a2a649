//! Modules that programs import: which are the analysis' own, which Python's, which a distribution or a release provides.

mod known;
mod same_name;

use std::collections::BTreeSet;

use super::context::{RepositoryInput, RuleContext};
use crate::source::manifest::imports::is_standard;
use crate::source::manifest::normalized;

/// Who provides a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provider {
    /// Python, or the analysis.
    Here,
    /// A release of an experiment or a ROOT installation: no index has it.
    Release,
    /// A site or a notebook server, as far as it is known.
    Place,
    /// A distribution of this name.
    Distribution(&'static str),
    /// Nobody who is known.
    Unknown,
}

/// The modules of the analysis itself.
pub(super) struct Own<'a> {
    names: BTreeSet<&'a str>,
    world: &'a RuleContext<'a>,
}

/// Ends of files that can be imported.
const ENDS: &[&str] = &[".py", ".pyx", ".so", ".pyi", ".ipynb", ".pyd"];

impl<'a> Own<'a> {
    pub(super) fn of(input: &'a RepositoryInput<'a>) -> Self {
        let mut names = BTreeSet::new();
        // A link that leads nowhere in the repository provides nothing.
        let dead: BTreeSet<&str> = input
            .links
            .iter()
            .filter(|(path, target)| !leads_inside(path, target, input.world))
            .map(|(path, _)| path.as_str())
            .collect();
        for path in input.world.paths.iter().filter(|path| !dead.contains(path.as_str())) {
            let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
            let stem = ENDS.iter().find_map(|end| name.strip_suffix(end));
            if let Some(stem) = stem {
                // `x.cpython-39-….so`
                names.extend(stem.split('.').next());
                names.extend(dirs.split('/'));
            }
        }
        // What a submodule or a link to a directory holds isn't seen.
        for submodule in &input.submodules {
            names.extend(submodule.path.rsplit('/').next());
        }
        for path in input.links.iter().map(|(path, _)| path).filter(|path| !dead.contains(path.as_str())) {
            let name = path.rsplit('/').next().unwrap_or(path);
            names.insert(name.strip_suffix(".py").unwrap_or(name));
        }
        names.remove("");
        Self { names, world: input.world }
    }

    /// Who provides a module, from the first part of its name.
    pub(super) fn provider(&self, module: &str) -> Provider {
        let top = module.split('.').next().unwrap_or_default();
        if top.is_empty() || is_standard(top) || self.names.contains(top) {
            return Provider::Here;
        }
        self.elsewhere(module)
    }

    /// Whether a module of this name is known that is not the analysis' own.
    pub(super) fn is_elsewhere(&self, module: &str) -> bool {
        let top = module.split('.').next().unwrap_or_default();
        is_standard(top) || self.elsewhere(module) != Provider::Unknown
    }

    fn elsewhere(&self, module: &str) -> Provider {
        let top = module.split('.').next().unwrap_or_default();
        // Fragments of configurations of CMSSW.
        let is_fragment = module.split('.').any(|part| part.ends_with("_cfi") || part.ends_with("_cff"));
        if is_fragment
            || known::RELEASE.contains(&top)
            || known::RELEASE_STARTS.iter().any(|start| top.starts_with(start))
        {
            return Provider::Release;
        }
        let is_of_site = self.world.catalogue.facilities.iter().any(|site| site.modules.iter().any(|name| name == top));
        if is_of_site {
            return Provider::Place;
        }
        match known::DISTRIBUTIONS.binary_search_by(|(name, _)| (*name).cmp(top)) {
            Ok(at) => Provider::Distribution(known::DISTRIBUTIONS[at].1),
            Err(_) => match same_name::SAME_NAME.binary_search(&top) {
                Ok(at) => Provider::Distribution(same_name::SAME_NAME[at]),
                Err(_) => Provider::Unknown,
            },
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Whether the target of a link is a file or a directory of the repository.
pub(super) fn leads_inside(path: &str, target: &str, world: &RuleContext<'_>) -> bool {
    if target.starts_with('/') {
        return false;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            part => parts.push(part),
        }
    }
    let place = parts.join("/");
    place.is_empty() || world.has_file(&place) || world.has_directory(&place)
}

/// Names of distributions that somebody declares, locks or gets with one of those.
pub(super) struct Declared {
    names: BTreeSet<String>,
    with: BTreeSet<&'static str>,
}

impl Declared {
    pub(super) fn of(world: &RuleContext<'_>) -> Self {
        let inventory = &world.inventory;
        let asked = inventory.requirements.iter().map(|one| normalized(&one.name));
        let names: BTreeSet<String> = asked.chain(inventory.locked.iter().map(|one| normalized(&one.name))).collect();
        let brought = known::BRINGS.iter().filter(|(name, _)| names.contains(*name));
        let with = brought.flat_map(|(_, brought)| brought.iter().copied()).collect();
        Self { names, with }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether one of these names is declared: of the distribution, or as conda spells it.
    pub(super) fn has(&self, distribution: &str, module: &str) -> bool {
        let distribution = normalized(distribution);
        let of_conda = known::CONDA.iter().filter(|(name, _)| *name == distribution).map(|(_, conda)| *conda);
        self.names.contains(&distribution)
            || self.names.contains(&normalized(module))
            || of_conda.into_iter().any(|conda| self.names.contains(conda))
            // `dask[complete]`, `ray-core` and `py-x` of Spack.
            || self.names.contains(&format!("py-{distribution}"))
    }

    /// Whether something that is declared brings it along.
    pub(super) fn is_brought(&self, distribution: &str) -> bool {
        self.with.contains(normalized(distribution).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{known, same_name};

    #[test]
    fn the_tables_are_sorted_for_the_search() {
        assert!(known::DISTRIBUTIONS.is_sorted_by_key(|(module, _)| *module));
        assert!(same_name::SAME_NAME.is_sorted());
    }
}
