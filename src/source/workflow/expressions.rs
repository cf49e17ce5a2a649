//! What stands between `${{` and `}}` in GitHub's workflows, and `$NAME` in commands and in GitLab's files, as far as the
//! files themselves say it.

use std::collections::BTreeMap;

use crate::model::text::excerpt;
use crate::source::manifest::node;
use crate::source::manifest::node::{Node, Value};

/// Longest text that filling in may give.
const MOST: usize = 16 << 10;
/// How often a value may stand in a value.
const DEPTH: usize = 6;

/// Values that are known before anything runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'a> {
    /// The chosen combination of the matrix.
    pub(super) matrix: BTreeMap<String, &'a Node>,
    /// `env:` of the workflow, the job and the step.
    pub(super) env: BTreeMap<String, &'a Node>,
    /// Defaults of the inputs of the workflow.
    pub(super) inputs: BTreeMap<String, &'a Node>,
}

/// The text with its expressions replaced.
///
/// # Errors
/// The expression that only a run can tell, as it is written.
pub(super) fn expressions(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    expanded(text, scope, 0)
}

/// The text with those expressions replaced that are known; the others stay.
pub(super) fn lenient(text: &str, scope: &Scope<'_>) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        let Some(end) = rest[at..].find("}}").map(|end| at + end + 2) else { break };
        made.push_str(&rest[..at]);
        let written = &rest[at..end];
        let value = if made.len() <= MOST * 8 { expressions(written, scope).ok() } else { None };
        made.push_str(value.as_deref().unwrap_or(written));
        rest = &rest[end..];
    }
    made.push_str(rest);
    made
}

fn expanded(text: &str, scope: &Scope<'_>, depth: usize) -> Result<String, String> {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        made.push_str(&rest[..at]);
        let inside = &rest[at + 3..];
        let end = inside.find("}}").ok_or_else(|| excerpt(rest))?;
        let written = || excerpt(&rest[at..at + 3 + end + 2]);
        made.push_str(&evaluate(inside[..end].trim(), scope, depth).ok_or_else(written)?);
        if made.len() > MOST {
            return Err(written());
        }
        rest = &inside[end + 2..];
    }
    made.push_str(rest);
    Ok(made)
}

/// The value of an expression: a name, a text, or the first of several that has one.
fn evaluate(expression: &str, scope: &Scope<'_>, depth: usize) -> Option<String> {
    if depth >= DEPTH {
        return None;
    }
    let mut values = expression.split("||").map(str::trim);
    let first = values.next().unwrap_or("");
    // What a person may give when she starts the workflow is nothing when nobody does.
    let is_given = first.starts_with("inputs.") || first.starts_with("github.event.inputs.");
    let value = single(first, scope, depth);
    match value {
        Some(text) if !text.is_empty() || !expression.contains("||") => Some(text),
        None if !is_given => None,
        _ => values.find_map(|value| single(value, scope, depth)),
    }
}

fn single(name: &str, scope: &Scope<'_>, depth: usize) -> Option<String> {
    if let Some(text) = name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return (!text.contains('\'')).then(|| text.to_owned());
    }
    let path = name.replace("['", ".").replace("']", "");
    let mut keys = path.split('.').map(str::trim);
    let values = match keys.next()? {
        "matrix" => &scope.matrix,
        "env" => &scope.env,
        "inputs" => &scope.inputs,
        "github" if path.starts_with("github.event.inputs.") => {
            keys.nth(1)?;
            &scope.inputs
        }
        _ => return None,
    };
    let mut value = *values.get(keys.next()?)?;
    for key in keys {
        value = value.get(key)?;
    }
    match &value.value {
        Value::Text(text) => expanded(text, scope, depth + 1).ok(),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::None => Some(String::new()),
        Value::List(_) | Value::Map(_) => None,
    }
}

/// The list that `${{ fromJSON('[…]') }}` stands for.
pub(super) fn list(text: &str) -> Option<Node> {
    let inside = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let lower = inside.get(..9)?.to_ascii_lowercase();
    let literal = if lower == "fromjson(" { inside[9..].strip_suffix(')')?.trim() } else { return None };
    let literal = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    node::json(literal).ok().filter(|node| matches!(node.value, Value::List(_)))
}

/// The text with `$NAME` and `${NAME}` replaced.
///
/// # Errors
/// The variable, or the substitution, that these values don't tell.
pub(super) fn variables(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    substituted(text, values, 0)
}

fn substituted(text: &str, values: &BTreeMap<String, String>, depth: usize) -> Result<String, String> {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '`']) {
        made.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if rest.as_bytes()[at] == b'`' {
            return Err(excerpt(&rest[at..]));
        }
        let (name, length) = match after.strip_prefix('{') {
            Some(inside) => {
                let end = inside.find('}').ok_or_else(|| excerpt(&rest[at..]))?;
                (&inside[..end], end + 2)
            }
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        let known = values.get(name).filter(|_| depth < DEPTH).and_then(|v| substituted(v, values, depth + 1).ok());
        let written = || match length {
            0 => rest[at..].chars().take(2).collect(),
            _ => excerpt(&rest[at..at + 1 + length]),
        };
        match known {
            Some(value) if made.len() + value.len() <= MOST => made.push_str(&value),
            _ => return Err(written()),
        }
        rest = &after[length..];
    }
    made.push_str(rest);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::proptest;

    use super::{Scope, expressions, list, variables};
    use crate::source::manifest::node::yaml;

    #[test]
    fn names_of_the_matrix_and_of_the_environment_are_filled_in() {
        let node = yaml("image: {name: 'a/b', tag: 1.20}\nX: 'x-${{ matrix.image.name }}'\n").expect("YAML");
        let image = node.get("image").expect("image");
        let scope = Scope {
            matrix: [("image".to_owned(), image)].into(),
            env: [("X".to_owned(), node.get("X").expect("X"))].into(),
            ..Scope::default()
        };
        assert_eq!(expressions("${{ matrix.image.name }}:${{matrix.image.tag}}", &scope), Ok("a/b:1.2".to_owned()));
        assert_eq!(expressions("${{ env.X }}/${{ env['X'] }}", &scope), Ok("x-a/b/x-a/b".to_owned()));
        assert_eq!(expressions("${{ inputs.image || 'c:1' }}", &scope), Ok("c:1".to_owned()));
        for open in
            ["${{ secrets.X }}", "${{ matrix.other }}", "${{ needs.a.outputs.b }}", "${{ github.sha }}", "${{ x"]
        {
            assert!(expressions(open, &scope).is_err(), "{open}");
        }
    }

    #[test]
    fn a_value_that_means_itself_ends() {
        let node = yaml("A: '${{ env.A }}${{ env.A }}'\n").expect("YAML");
        let scope = Scope { env: [("A".to_owned(), node.get("A").expect("A"))].into(), ..Scope::default() };
        assert!(expressions("${{ env.A }}", &scope).is_err());
        let values: BTreeMap<String, String> = [("A".to_owned(), "$A$A$A".to_owned())].into();
        assert!(variables("$A", &values).is_err());
    }

    #[test]
    fn variables_are_filled_in_or_named() {
        let values: BTreeMap<String, String> =
            [("TAG".to_owned(), "1".to_owned()), ("IMAGE".to_owned(), "a/b:${TAG}".to_owned())].into();
        assert_eq!(variables("$IMAGE-$TAG", &values), Ok("a/b:1-1".to_owned()));
        assert_eq!(variables("x:${CI_COMMIT_SHORT_SHA}", &values), Err("${CI_COMMIT_SHORT_SHA}".to_owned()));
        assert_eq!(variables("x:$(date)", &values), Err("$(".to_owned()));
        assert!(variables("x:${TAG::8}", &values).is_err());
    }

    #[test]
    fn a_list_in_json_is_a_list() {
        assert_eq!(list("${{ fromJSON('[\"a\",\"b\"]') }}").map(|node| node.items().len()), Some(2));
        assert_eq!(list("${{ fromJSON(needs.a.outputs.b) }}"), None);
    }

    proptest! {
        #[test]
        fn any_text_can_be_filled(text in "\\PC{0,60}") {
            let _ = expressions(&text, &Scope::default());
            let _ = variables(&text, &BTreeMap::new());
            let _ = list(&text);
        }
    }
}
