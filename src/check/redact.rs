//! Redacts the values of variables that may be secrets.

use std::collections::BTreeMap;

use super::cache::passed_env;
use crate::cell::probe;
use crate::config::Facility;
use crate::model::redact::{REDACTED, Redactor};
use crate::sys::secret;

/// Replaces the values of variables that may be secrets.
pub(super) fn redact_env(env: &mut BTreeMap<String, String>) {
    for (name, value) in env {
        *value = probe::recorded(name, value).unwrap_or_else(|| REDACTED.to_owned());
    }
}

/// Returns the redactor of a check: with the secret variables of this process, and those that it passes to the cells.
pub(super) fn redactor(facilities: &[Facility]) -> Redactor {
    let mut passed: BTreeMap<String, String> = facilities.iter().flat_map(passed_env).collect();
    passed.retain(|name, value| probe::recorded(name, value).is_none());
    let variables: Vec<_> = secret::variables().into_iter().chain(secret::passed(&passed)).collect();
    Redactor::new(&variables)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::redact_env;

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
}
