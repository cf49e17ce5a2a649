//! The table of modules and the packages that provide them, from `modules.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// The text of the table.
const TEXT: &str = include_str!("modules.toml");

/// The table, parsed at its first use.
pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(TEXT).expect("a test parses the built-in table"));

/// Modules and the packages that provide them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Table {
    release: BTreeSet<String>,
    release_prefixes: Vec<String>,
    same_name: BTreeSet<String>,
    distributions: BTreeMap<String, String>,
    conda: BTreeMap<String, Vec<String>>,
    dependencies: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// Reports whether a module comes with ROOT, an experiment's release or a grid client.
    pub(super) fn is_of_release(&self, module: &str) -> bool {
        self.release.contains(module) || self.release_prefixes.iter().any(|prefix| module.starts_with(prefix))
    }

    /// Returns the distribution that provides a module; `None` if the table doesn't list the module.
    pub(super) fn distribution(&self, module: &str) -> Option<&str> {
        let other = self.distributions.get(module);
        other.or_else(|| self.same_name.get(module)).map(String::as_str)
    }

    /// Returns the names of a distribution in conda channels if they differ. `distribution` is normalized.
    pub(super) fn conda_names(&self, distribution: &str) -> &[String] {
        self.conda.get(distribution).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the distributions that are installed with another one. `distribution` is normalized.
    pub(super) fn dependencies(&self, distribution: &str) -> &[String] {
        self.dependencies.get(distribution).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{TABLE, TEXT};
    use crate::source::manifest::normalized;

    #[test]
    fn table_is_sorted_without_duplicates() {
        let mut last = String::new();
        for line in TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let starts_list = line.starts_with('[') || line.ends_with("= [") || line == "]";
            if starts_list {
                last.clear();
                continue;
            }
            let entry = line.split(" = ").next().unwrap_or(line).trim().trim_matches([',', '"']).to_owned();
            assert!(last < entry, "`{entry}` must be before `{last}`");
            last = entry;
        }
    }

    #[test]
    fn module_has_one_distribution() {
        let both: Vec<_> = TABLE.distributions.keys().filter(|module| TABLE.same_name.contains(*module)).collect();
        assert!(both.is_empty(), "{both:?}");
    }

    #[test]
    fn names_of_distributions_are_normalized() {
        let dependencies = TABLE.dependencies.iter().flat_map(|(name, list)| list.iter().chain([name]));
        for name in dependencies.chain(TABLE.conda.keys()) {
            assert_eq!(*name, normalized(name));
        }
    }
}
