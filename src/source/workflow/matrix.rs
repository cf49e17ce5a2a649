//! Combinations of GitHub's `strategy.matrix` and GitLab's `parallel:matrix`.

use std::collections::BTreeMap;

use super::expressions;
use super::expressions::Unresolved;
use crate::source::manifest::node::{Node, Value};

/// Maximum number of combinations of a job, as in GitHub (docs.github.com, "Running variations of jobs in a workflow").
const MAX_COMBINATIONS: usize = 256;

/// A combination: a value for each name.
pub(super) type Combination = BTreeMap<String, Node>;

/// Returns the combinations of `strategy.matrix`. Without a matrix, returns one combination without values.
///
/// # Errors
/// The part of the matrix that is known only at run time.
pub(super) fn github(strategy: Option<&Node>) -> Result<Vec<Combination>, Unresolved> {
    let Some(matrix) = strategy.and_then(|strategy| strategy.get("matrix")) else {
        return Ok(vec![Combination::new()]);
    };
    if let Some(text) = matrix.text() {
        return Err(Unresolved(text.to_owned()));
    }
    let axes: Vec<_> = matrix.entries().filter(|(name, _)| !matches!(*name, "include" | "exclude")).collect();
    let mut combinations = vec![Combination::new()];
    for (name, values) in axes {
        let from_text = values.text().and_then(expressions::list);
        let values = from_text.as_ref().unwrap_or(values);
        if let Some(text) = values.text() {
            return Err(Unresolved(format!("{name}: {text}")));
        }
        combinations = multiply(&combinations, name, values.items());
    }
    if matrix.entries().all(|(name, _)| name == "include" || name == "exclude") {
        combinations.clear();
    }
    combinations.retain(|combination| !matrix.items_of("exclude").iter().any(|entry| is_in(combination, entry)));
    include(&mut combinations, matrix.items_of("include"));
    combinations.truncate(MAX_COMBINATIONS);
    Ok(if combinations.is_empty() { vec![Combination::new()] } else { combinations })
}

/// Returns the combinations of `parallel:matrix`, whose entries are lists of values by name.
pub(super) fn gitlab(parallel: Option<&Node>) -> Vec<Combination> {
    let entries = parallel.map(|parallel| parallel.items_of("matrix")).unwrap_or_default();
    let mut all = Vec::new();
    for entry in entries.iter().take(MAX_COMBINATIONS) {
        let mut combinations = vec![Combination::new()];
        for (name, value) in entry.entries() {
            let single = std::slice::from_ref(value);
            combinations = multiply(&combinations, name, if value.items().is_empty() { single } else { value.items() });
        }
        all.extend(combinations);
        all.truncate(MAX_COMBINATIONS);
    }
    if all.is_empty() { vec![Combination::new()] } else { all }
}

fn multiply(combinations: &[Combination], name: &str, values: &[Node]) -> Vec<Combination> {
    let mut product = Vec::new();
    for combination in combinations {
        for value in values {
            if product.len() >= MAX_COMBINATIONS {
                return product;
            }
            let mut combination = combination.clone();
            combination.insert(name.to_owned(), value.clone());
            product.push(combination);
        }
    }
    product
}

/// Reports whether a combination has every value of an entry.
fn is_in(combination: &Combination, entry: &Node) -> bool {
    let mut entries = entry.entries().peekable();
    entries.peek().is_some()
        && entries.all(|(name, value)| combination.get(name).is_some_and(|have| is_same(have, value)))
}

/// Reports whether two values are equal, regardless of their lines.
fn is_same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && is_same(a, b))
        }
        (a, b) => a == b,
    }
}

/// Adds the values of each entry to the combinations that it does not contradict, or adds the entry as a combination.
fn include(combinations: &mut Vec<Combination>, entries: &[Node]) {
    let axes: Vec<String> =
        combinations.first().map(|combination| combination.keys().cloned().collect()).unwrap_or_default();
    let original = combinations.len();
    for entry in entries.iter().take(MAX_COMBINATIONS) {
        let mut is_used = false;
        for combination in combinations.iter_mut().take(original) {
            let fits = entry.entries().all(|(name, value)| {
                !axes.iter().any(|axis| axis == name) || combination.get(name).is_some_and(|have| is_same(have, value))
            });
            if fits {
                is_used = true;
                combination.extend(entry.entries().map(|(name, value)| (name.to_owned(), value.clone())));
            }
        }
        if !is_used {
            combinations.push(entry.entries().map(|(name, value)| (name.to_owned(), value.clone())).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Combination, MAX_COMBINATIONS, Unresolved, github, gitlab};
    use crate::source::manifest::node::yaml;

    fn shown(combinations: &[Combination]) -> Vec<String> {
        let pair = |(name, node): (&String, &crate::source::manifest::node::Node)| {
            format!("{name}={}", node.text().unwrap_or("?"))
        };
        combinations.iter().map(|combination| combination.iter().map(pair).collect::<Vec<_>>().join(" ")).collect()
    }

    fn of(text: &str) -> Vec<String> {
        shown(&github(Some(&yaml(text).expect("YAML"))).expect("a static matrix"))
    }

    #[test]
    fn axes_are_multiplied_then_excluded_then_included() {
        let text = "matrix:\n  os: [a, b]\n  py: [1, 2]\n  exclude: [{os: a, py: 2}]\n  include:\n    - {os: b, extra: x}\n    \
                    - {os: c}\n";
        assert_eq!(of(text), ["os=a py=1", "extra=x os=b py=1", "extra=x os=b py=2", "os=c"]);
    }

    #[test]
    fn matrix_with_only_includes_has_these_combinations() {
        assert_eq!(of("matrix:\n  include:\n    - {image: a}\n    - {image: b}\n"), ["image=a", "image=b"]);
        assert_eq!(of("fail-fast: false\n"), [""]);
    }

    #[test]
    fn run_time_matrix_is_unresolved() {
        let strategy = yaml("matrix:\n  image: ${{ fromJSON(needs.plan.outputs.images) }}\n").expect("YAML");
        assert!(github(Some(&strategy)).is_err_and(|Unresolved(text)| text.contains("needs.plan")));
        assert_eq!(of("matrix:\n  image: ${{ fromJSON('[\"a\"]') }}\n"), ["image=a"]);
    }

    #[test]
    fn gitlab_lists_are_multiplied() {
        let parallel = yaml("matrix:\n  - IMAGE: [a, b]\n    X: 1\n  - IMAGE: c\n").expect("YAML");
        assert_eq!(shown(&gitlab(Some(&parallel))), ["IMAGE=a X=1", "IMAGE=b X=1", "IMAGE=c"]);
    }

    #[test]
    fn huge_matrix_is_truncated() {
        let axis =
            |name: &str| format!("  {name}: [{}]\n", (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        let text = format!("matrix:\n{}{}{}{}", axis("a"), axis("b"), axis("c"), axis("d"));
        assert_eq!(of(&text).len(), MAX_COMBINATIONS);
    }
}
