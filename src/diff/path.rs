//! Search paths, compared by their order.

use std::collections::BTreeSet;

use crate::model::diff::Relevance;
use crate::model::environment::Environment;

use super::compare::{Draft, Fact};
use super::text;
use super::version::Grammar;

/// Maximum number of diff lines of one path.
const MAX_LINES: usize = 60;

/// Compares every search path, including `sys.path` of the main Python.
pub(super) fn paths(envs: &[&Environment]) -> Vec<Draft> {
    let names: BTreeSet<&str> =
        envs.iter().flat_map(|environment| environment.variables.lists.keys()).map(String::as_str).collect();
    let mut drafts: Vec<Draft> = names
        .into_iter()
        .filter_map(|name| {
            let columns = envs.iter().map(|environment| variable(environment, name)).collect();
            row(name, columns, relevance(name))
        })
        .collect();
    drafts.extend(row("sys.path", envs.iter().map(|environment| sys_path(environment)).collect(), Relevance::Rest));
    drafts
}

/// Returns the relevance of a list; lists that add code to the installed software are more relevant.
fn relevance(name: &str) -> Relevance {
    match name {
        "PYTHONPATH" | "LD_LIBRARY_PATH" | "LD_PRELOAD" | "ROOT_INCLUDE_PATH" => Relevance::Required,
        _ => Relevance::Rest,
    }
}

type Column<'a> = Result<Option<&'a [String]>, &'a str>;

fn variable<'a>(environment: &'a Environment, name: &str) -> Column<'a> {
    Ok(environment.variables.lists.get(name).map(Vec::as_slice))
}

fn sys_path(environment: &Environment) -> Column<'_> {
    let Some(python) = environment.main_python() else { return Ok(None) };
    python.path.get().map_or_else(|| Err(python.path.reason().unwrap_or_default()), |path| Ok(Some(path.as_slice())))
}

fn row(name: &str, columns: Vec<Column<'_>>, relevance: Relevance) -> Option<Draft> {
    let facts: Vec<Fact> = columns.iter().map(fact).collect();
    let draft = Draft::new(name, facts, Grammar::List, relevance)?;
    Some(draft.with_lines(lines(&columns)))
}

fn fact(column: &Column<'_>) -> Fact {
    match column {
        // The elements are compared, not the joined text, because an element may contain a colon.
        Ok(Some(list)) => Fact::is(list.join(":")).with_identity(list.join("\0")),
        Ok(None) => Fact::Absent,
        Err(reason) => Fact::Unknown((*reason).to_owned()),
    }
}

/// Returns the diff lines from the first column to the last.
fn lines(columns: &[Column<'_>]) -> Vec<String> {
    let (Some(Ok(first)), Some(Ok(last))) = (columns.first(), columns.last()) else { return Vec::new() };
    let elements = |list: &Option<&[String]>| list.unwrap_or_default().to_vec();
    let (first, last) = (elements(first), elements(last));
    let (first, last): (Vec<&str>, Vec<&str>) =
        (first.iter().map(String::as_str).collect(), last.iter().map(String::as_str).collect());
    if first == last { Vec::new() } else { text::slices(&first, &last, 1, MAX_LINES) }
}
