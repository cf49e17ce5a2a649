//! `strategy.matrix` of GitHub and `parallel:matrix` of GitLab, combination by combination.

use std::collections::BTreeMap;

use super::expressions;
use crate::source::manifest::node::{Node, Value};

/// Most combinations of one job; GitHub makes no more (docs.github.com, "Running variations of jobs in a workflow").
const MOST: usize = 256;

/// One combination: a value for every name.
pub(super) type Choice = BTreeMap<String, Node>;

/// The combinations of `strategy.matrix`; one without values when there is none.
///
/// # Errors
/// The part that only a run can tell.
pub(super) fn github(strategy: Option<&Node>) -> Result<Vec<Choice>, String> {
    let Some(matrix) = strategy.and_then(|strategy| strategy.get("matrix")) else { return Ok(vec![Choice::new()]) };
    if let Some(text) = matrix.text() {
        return Err(text.to_owned());
    }
    let axes: Vec<_> = matrix.entries().filter(|(name, _)| !matches!(*name, "include" | "exclude")).collect();
    let mut choices = vec![Choice::new()];
    for (name, values) in axes {
        let from_text = values.text().and_then(expressions::list);
        let values = from_text.as_ref().unwrap_or(values);
        if let Some(text) = values.text() {
            return Err(format!("{name}: {text}"));
        }
        choices = times(&choices, name, values.items());
    }
    if matrix.entries().all(|(name, _)| name == "include" || name == "exclude") {
        choices.clear();
    }
    choices.retain(|choice| !matrix.items_of("exclude").iter().any(|entry| is_in(choice, entry)));
    include(&mut choices, matrix.items_of("include"));
    choices.truncate(MOST);
    Ok(if choices.is_empty() { vec![Choice::new()] } else { choices })
}

/// The combinations of `parallel:matrix`, whose entries are lists of values by name.
pub(super) fn gitlab(parallel: Option<&Node>) -> Vec<Choice> {
    let entries = parallel.map(|parallel| parallel.items_of("matrix")).unwrap_or_default();
    let mut all = Vec::new();
    for entry in entries.iter().take(MOST) {
        let mut choices = vec![Choice::new()];
        for (name, value) in entry.entries() {
            let single = std::slice::from_ref(value);
            choices = times(&choices, name, if value.items().is_empty() { single } else { value.items() });
        }
        all.extend(choices);
        all.truncate(MOST);
    }
    if all.is_empty() { vec![Choice::new()] } else { all }
}

fn times(choices: &[Choice], name: &str, values: &[Node]) -> Vec<Choice> {
    let mut made = Vec::new();
    for choice in choices {
        for value in values {
            if made.len() >= MOST {
                return made;
            }
            let mut choice = choice.clone();
            choice.insert(name.to_owned(), value.clone());
            made.push(choice);
        }
    }
    made
}

/// Whether every value of an entry is that of a combination.
fn is_in(choice: &Choice, entry: &Node) -> bool {
    let mut entries = entry.entries().peekable();
    entries.peek().is_some() && entries.all(|(name, value)| choice.get(name).is_some_and(|have| is_same(have, value)))
}

/// Whether values are the same, wherever they stand.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && is_same(a, b))
        }
        (a, b) => a == b,
    }
}

/// Adds the values of an entry to the combinations that it contradicts in nothing, or makes one of it.
fn include(choices: &mut Vec<Choice>, entries: &[Node]) {
    let axes: Vec<String> = choices.first().map(|choice| choice.keys().cloned().collect()).unwrap_or_default();
    let original = choices.len();
    for entry in entries.iter().take(MOST) {
        let mut is_used = false;
        for choice in choices.iter_mut().take(original) {
            let fits = entry.entries().all(|(name, value)| {
                !axes.iter().any(|axis| axis == name) || choice.get(name).is_some_and(|have| is_same(have, value))
            });
            if fits {
                is_used = true;
                choice.extend(entry.entries().map(|(name, value)| (name.to_owned(), value.clone())));
            }
        }
        if !is_used {
            choices.push(entry.entries().map(|(name, value)| (name.to_owned(), value.clone())).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, MOST, github, gitlab};
    use crate::source::manifest::node::yaml;

    fn shown(choices: &[Choice]) -> Vec<String> {
        let pair = |(name, node): (&String, &crate::source::manifest::node::Node)| {
            format!("{name}={}", node.text().unwrap_or("?"))
        };
        choices.iter().map(|choice| choice.iter().map(pair).collect::<Vec<_>>().join(" ")).collect()
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
    fn a_matrix_of_inclusions_alone_has_those() {
        assert_eq!(of("matrix:\n  include:\n    - {image: a}\n    - {image: b}\n"), ["image=a", "image=b"]);
        assert_eq!(of("fail-fast: false\n"), [""]);
    }

    #[test]
    fn what_a_run_decides_is_named() {
        let strategy = yaml("matrix:\n  image: ${{ fromJSON(needs.plan.outputs.images) }}\n").expect("YAML");
        assert!(github(Some(&strategy)).is_err_and(|text| text.contains("needs.plan")));
        assert_eq!(of("matrix:\n  image: ${{ fromJSON('[\"a\"]') }}\n"), ["image=a"]);
    }

    #[test]
    fn lists_of_gitlab_are_multiplied() {
        let parallel = yaml("matrix:\n  - IMAGE: [a, b]\n    X: 1\n  - IMAGE: c\n").expect("YAML");
        assert_eq!(shown(&gitlab(Some(&parallel))), ["IMAGE=a X=1", "IMAGE=b X=1", "IMAGE=c"]);
    }

    #[test]
    fn a_huge_matrix_is_cut() {
        let axis =
            |name: &str| format!("  {name}: [{}]\n", (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
        let text = format!("matrix:\n{}{}{}{}", axis("a"), axis("b"), axis("c"), axis("d"));
        assert_eq!(of(&text).len(), MOST);
    }
}
