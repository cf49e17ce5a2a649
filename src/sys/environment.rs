//! The environment variables of this process. No other module reads them.

use std::ffi::OsString;

/// Returns the value of a variable, or `None` if it is unset or not UTF-8.
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the value of a variable, or `None` if it is unset, empty or not UTF-8.
pub fn non_empty(name: &str) -> Option<String> {
    var(name).filter(|value| !value.is_empty())
}

/// Returns the value of a variable, or `None` if it is unset.
pub fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns the value of a variable, or `None` if it is unset or empty.
pub fn non_empty_os(name: &str) -> Option<OsString> {
    var_os(name).filter(|value| !value.is_empty())
}

/// Returns every variable whose name and value are UTF-8.
pub fn vars() -> impl Iterator<Item = (String, String)> {
    vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Returns every variable.
pub fn vars_os() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}
