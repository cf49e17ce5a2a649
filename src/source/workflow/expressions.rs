//! Evaluation of `${{ … }}` in GitHub workflows and of `$NAME` in commands and GitLab files, with the values that the files
//! contain.

use std::collections::BTreeMap;

use crate::model::text::excerpt;
use crate::source::manifest::node;
use crate::source::manifest::node::{Node, Value};

/// Maximum length of an expanded text in bytes.
const MAX_LEN: usize = 16 << 10;
/// Maximum number of nested values.
const MAX_DEPTH: usize = 6;

/// An expression, variable or substitution that is known only at run time, as written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is known only at run time")]
pub(super) struct Unresolved(pub(super) String);

/// Values that are known before a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'a> {
    /// The combination of the matrix.
    pub(super) matrix: BTreeMap<String, &'a Node>,
    /// `env:` of the workflow, the job and the step.
    pub(super) env: BTreeMap<String, &'a Node>,
    /// Defaults of the inputs of the workflow.
    pub(super) inputs: BTreeMap<String, &'a Node>,
}

/// Replaces all expressions of a text.
///
/// # Errors
/// The first expression that can't be evaluated.
pub(super) fn evaluate(text: &str, scope: &Scope<'_>) -> Result<String, Unresolved> {
    expanded(text, scope, 0)
}

/// Replaces the expressions of a text that can be evaluated. The rest is kept.
pub(super) fn evaluate_known(text: &str, scope: &Scope<'_>) -> String {
    let mut output = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${{") {
        let Some(end) = rest[start..].find("}}").map(|end| start + end + 2) else { break };
        output.push_str(&rest[..start]);
        let written = &rest[start..end];
        let value = if output.len() <= MAX_LEN * 8 { evaluate(written, scope).ok() } else { None };
        output.push_str(value.as_deref().unwrap_or(written));
        rest = &rest[end..];
    }
    output.push_str(rest);
    output
}

fn expanded(text: &str, scope: &Scope<'_>, depth: usize) -> Result<String, Unresolved> {
    let mut output = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${{") {
        output.push_str(&rest[..start]);
        let inside = &rest[start + 3..];
        let end = inside.find("}}").ok_or_else(|| clip(rest))?;
        let written = || clip(&rest[start..start + 3 + end + 2]);
        output.push_str(&value(inside[..end].trim(), scope, depth).ok_or_else(written)?);
        if output.len() > MAX_LEN {
            return Err(written());
        }
        rest = &inside[end + 2..];
    }
    output.push_str(rest);
    Ok(output)
}

/// Returns the value of an expression: a name, a literal, or the first of several alternatives that has a value.
fn value(expression: &str, scope: &Scope<'_>, depth: usize) -> Option<String> {
    if depth >= MAX_DEPTH {
        return None;
    }
    let mut values = expression.split("||").map(str::trim);
    let first = values.next().unwrap_or("");
    // Without a manual start, an input has no value.
    let is_input = first.starts_with("inputs.") || first.starts_with("github.event.inputs.");
    let value = single(first, scope, depth);
    match value {
        Some(text) if !text.is_empty() || !expression.contains("||") => Some(text),
        None if !is_input => None,
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

/// Returns the list of `${{ fromJSON('[…]') }}`.
pub(super) fn list(text: &str) -> Option<Node> {
    let inside = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let lower = inside.get(..9)?.to_ascii_lowercase();
    let literal = if lower == "fromjson(" { inside[9..].strip_suffix(')')?.trim() } else { return None };
    let literal = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    node::json(literal).ok().filter(|node| matches!(node.value, Value::List(_)))
}

/// Replaces `$NAME` and `${NAME}`.
///
/// # Errors
/// The first variable without a value, or the first command substitution.
pub(super) fn expand_variables(text: &str, values: &BTreeMap<String, String>) -> Result<String, Unresolved> {
    substituted(text, values, 0)
}

fn substituted(text: &str, values: &BTreeMap<String, String>, depth: usize) -> Result<String, Unresolved> {
    let mut output = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['$', '`']) {
        output.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        if rest.as_bytes()[start] == b'`' {
            return Err(clip(&rest[start..]));
        }
        let (name, length) = match after.strip_prefix('{') {
            Some(inside) => {
                let end = inside.find('}').ok_or_else(|| clip(&rest[start..]))?;
                (&inside[..end], end + 2)
            }
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        let value = values.get(name).filter(|_| depth < MAX_DEPTH).and_then(|v| substituted(v, values, depth + 1).ok());
        let written = || match length {
            0 => Unresolved(rest[start..].chars().take(2).collect()),
            _ => clip(&rest[start..start + 1 + length]),
        };
        match value {
            Some(value) if output.len() + value.len() <= MAX_LEN => output.push_str(&value),
            _ => return Err(written()),
        }
        rest = &after[length..];
    }
    output.push_str(rest);
    Ok(output)
}

fn clip(text: &str) -> Unresolved {
    Unresolved(excerpt(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::proptest;

    use super::{Scope, Unresolved, evaluate, expand_variables, list};
    use crate::source::manifest::node::yaml;

    #[test]
    fn matrix_and_env_values_are_inserted() {
        let node = yaml("image: {name: 'a/b', tag: 1.20}\nX: 'x-${{ matrix.image.name }}'\n").expect("YAML");
        let image = node.get("image").expect("image");
        let scope = Scope {
            matrix: [("image".to_owned(), image)].into(),
            env: [("X".to_owned(), node.get("X").expect("X"))].into(),
            ..Scope::default()
        };
        assert_eq!(evaluate("${{ matrix.image.name }}:${{matrix.image.tag}}", &scope), Ok("a/b:1.2".to_owned()));
        assert_eq!(evaluate("${{ env.X }}/${{ env['X'] }}", &scope), Ok("x-a/b/x-a/b".to_owned()));
        assert_eq!(evaluate("${{ inputs.image || 'c:1' }}", &scope), Ok("c:1".to_owned()));
        for open in
            ["${{ secrets.X }}", "${{ matrix.other }}", "${{ needs.a.outputs.b }}", "${{ github.sha }}", "${{ x"]
        {
            assert!(evaluate(open, &scope).is_err(), "{open}");
        }
    }

    #[test]
    fn recursive_value_is_unresolved() {
        let node = yaml("A: '${{ env.A }}${{ env.A }}'\n").expect("YAML");
        let scope = Scope { env: [("A".to_owned(), node.get("A").expect("A"))].into(), ..Scope::default() };
        assert!(evaluate("${{ env.A }}", &scope).is_err());
        let values: BTreeMap<String, String> = [("A".to_owned(), "$A$A$A".to_owned())].into();
        assert!(expand_variables("$A", &values).is_err());
    }

    #[test]
    fn variables_are_expanded_or_reported() {
        let values: BTreeMap<String, String> =
            [("TAG".to_owned(), "1".to_owned()), ("IMAGE".to_owned(), "a/b:${TAG}".to_owned())].into();
        assert_eq!(expand_variables("$IMAGE-$TAG", &values), Ok("a/b:1-1".to_owned()));
        assert_eq!(
            expand_variables("x:${CI_COMMIT_SHORT_SHA}", &values),
            Err(Unresolved("${CI_COMMIT_SHORT_SHA}".to_owned()))
        );
        assert_eq!(expand_variables("x:$(date)", &values), Err(Unresolved("$(".to_owned())));
        assert!(expand_variables("x:${TAG::8}", &values).is_err());
    }

    #[test]
    fn json_list_is_parsed() {
        assert_eq!(list("${{ fromJSON('[\"a\",\"b\"]') }}").map(|node| node.items().len()), Some(2));
        assert_eq!(list("${{ fromJSON(needs.a.outputs.b) }}"), None);
    }

    proptest! {
        #[test]
        fn any_text_can_be_evaluated(text in "\\PC{0,60}") {
            let _ = evaluate(&text, &Scope::default());
            let _ = expand_variables(&text, &BTreeMap::new());
            let _ = list(&text);
        }
    }
}
