//! What must not be read in a document: values of variables that may be secrets.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cell::probe;

/// Stands in a document for a value that isn't told.
const REDACTED: &str = "[redacted]";
/// Bytes from which on a value is looked for in texts: a shorter one stands in too many by chance.
const SHORTEST: usize = 8;

/// Keeps the names of variables and the values of those that can't be a secret.
pub(super) fn redact(env: &mut BTreeMap<String, String>) {
    for (name, value) in env {
        *value = probe::recorded(name, value).unwrap_or_else(|| REDACTED.to_owned());
    }
}

/// Values that were handed to the programs of a cell, which may print them.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// The values of these variables, apart from those that may be told.
    pub(super) fn of(env: &BTreeMap<String, String>) -> Self {
        let hidden =
            env.iter().filter(|(name, value)| value.len() >= SHORTEST && probe::recorded(name, value).is_none());
        let mut values: Vec<String> = hidden.map(|(_, value)| value.clone()).collect();
        // One may hold another: the longer one goes first, so that nothing of it stays.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without them.
    pub(super) fn cut(&self, text: &mut String) {
        for secret in self.0.iter().filter(|secret| text.contains(secret.as_str())).collect::<Vec<_>>() {
            *text = text.replace(secret.as_str(), REDACTED);
        }
    }

    /// Every text in a value without them; keys are names.
    pub(super) fn cut_all(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.cut(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.cut_all(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.cut_all(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{Secrets, redact};

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn names_stay_and_values_go_unless_they_can_be_told() {
        let mut all =
            env(&[("API_KEY", "k"), ("LANG", "C.UTF-8"), ("PATH", "/bin:/usr/bin"), ("CC", "x://me:pw@h/gcc")]);
        redact(&mut all);
        let told =
            env(&[("API_KEY", "[redacted]"), ("LANG", "C.UTF-8"), ("PATH", "/bin:/usr/bin"), ("CC", "x://h/gcc")]);
        assert_eq!(all, told);
    }

    #[test]
    fn values_that_programs_print_go_from_every_text() {
        let secrets = Secrets::of(&env(&[("A", "hunter2hunter2"), ("B", "hunter2hunter2-and-more"), ("SHORT", "abc")]));
        let mut value = json!({"a": ["x hunter2hunter2-and-more y", 1], "b": {"c": "hunter2hunter2 abc"}});
        secrets.cut_all(&mut value);
        assert_eq!(value, json!({"a": ["x [redacted] y", 1], "b": {"c": "[redacted] abc"}}));
    }
}
