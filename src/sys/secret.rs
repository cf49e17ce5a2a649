//! The secrets in the environment of this process.

use std::sync::OnceLock;

use super::environment;
use crate::model::redact::{Redactor, Variable};

/// Returns the variables of this process whose names mark a secret and whose values are not paths.
pub fn variables() -> Vec<Variable> {
    environment::vars().filter_map(|(name, value)| Variable::secret(&name, &value, &|path| path.exists())).collect()
}

/// Returns the variables of a map that are passed to a program and may be secrets.
pub fn passed<'a>(env: impl IntoIterator<Item = (&'a String, &'a String)>) -> impl Iterator<Item = Variable> {
    env.into_iter().filter_map(|(name, value)| Variable::passed(name, value, &|path| path.exists()))
}

/// Returns the redactor with the secret variables of this process.
pub fn redactor() -> &'static Redactor {
    static REDACTOR: OnceLock<Redactor> = OnceLock::new();
    REDACTOR.get_or_init(|| Redactor::new(&variables()))
}
