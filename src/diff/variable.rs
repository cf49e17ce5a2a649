//! Environment variables that are not search paths.

use std::collections::BTreeSet;

use crate::model::diff::Relevance;
use crate::model::environment::{Environment, Variables};

use super::compare::{Draft, Drafts, Fact};
use super::version::Grammar;

/// Compares recorded values, otherwise whether the variable is set. A value recorded only on one side is not compared.
pub(super) fn variables(envs: &[&Environment]) -> Vec<Draft> {
    let all: Vec<&Variables> = envs.iter().map(|environment| &environment.variables).collect();
    let names: BTreeSet<&String> =
        all.iter().flat_map(|variables| variables.values.keys().chain(&variables.names)).collect();
    let mut drafts = Drafts::default();
    for name in names {
        let has_value = all.iter().any(|variables| variables.values.contains_key(name));
        let facts = all.iter().map(|variables| fact(variables, name, has_value));
        drafts.add(name, facts, Grammar::None, Relevance::Rest);
    }
    drafts.0
}

fn fact(variables: &Variables, name: &str, has_value: bool) -> Fact {
    match variables.values.get(name) {
        // An empty value differs from an unset variable.
        Some(value) => Fact::is(if value.is_empty() { "\"\"" } else { value.as_str() }),
        None if !variables.names.contains(name) => Fact::Absent,
        None if has_value => Fact::Unknown("set, but its value is not recorded".to_owned()),
        None => Fact::is("set"),
    }
}
