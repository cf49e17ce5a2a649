//! Redacts the values of variables that may be secrets.

use std::collections::BTreeMap;

use crate::cell::probe;

/// Replacement for a redacted value.
const REDACTED: &str = "[redacted]";
/// Minimum length in bytes of a value that is searched for in texts. Shorter values occur by chance.
const MIN_SECRET_LEN: usize = 8;

/// Replaces the values of variables that may be secrets.
pub(super) fn redact_env(env: &mut BTreeMap<String, String>) {
    for (name, value) in env {
        *value = probe::recorded(name, value).unwrap_or_else(|| REDACTED.to_owned());
    }
}

/// Secret values that the programs of a cell receive and may print.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Collects the values of the variables that may be secrets.
    pub(super) fn from_env(env: &BTreeMap<String, String>) -> Self {
        let secret =
            env.iter().filter(|(name, value)| value.len() >= MIN_SECRET_LEN && probe::recorded(name, value).is_none());
        let mut values: Vec<String> = secret.map(|(_, value)| value.clone()).collect();
        // Longest first: a value may contain a shorter one, whose removal would leave the rest.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// Replaces every secret in the text.
    pub(super) fn redact(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), REDACTED);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Secrets, redact_env};

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn possible_secrets_are_redacted_and_their_names_are_kept() {
        let mut all =
            env(&[("API_KEY", "k"), ("LANG", "C.UTF-8"), ("PATH", "/bin:/usr/bin"), ("CC", "x://me:pw@h/gcc")]);
        redact_env(&mut all);
        let expected =
            env(&[("API_KEY", "[redacted]"), ("LANG", "C.UTF-8"), ("PATH", "/bin:/usr/bin"), ("CC", "x://h/gcc")]);
        assert_eq!(all, expected);
    }

    #[test]
    fn printed_secrets_are_redacted() {
        let secrets =
            Secrets::from_env(&env(&[("A", "hunter2hunter2"), ("B", "hunter2hunter2-and-more"), ("SHORT", "abc")]));
        let mut text = "x hunter2hunter2-and-more y hunter2hunter2 abc".to_owned();
        secrets.redact(&mut text);
        assert_eq!(text, "x [redacted] y [redacted] abc");
    }
}
