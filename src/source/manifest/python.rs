//! `.python-version` (pyenv, uv) and `runtime.txt` (Heroku, Binder).

use super::found::{File, Found};

/// Reads `.python-version`: the first version stands for what is run.
pub(super) fn version_file(file: &File<'_>, found: &mut Found<'_>) {
    for (line, number) in file.text.lines().zip(1_u32..) {
        let version = line.split('#').next().unwrap_or_default().trim();
        if let Some(constraint) = exactly(version) {
            return found.push_python(file.path, number, &constraint);
        }
    }
}

/// Reads `runtime.txt`: `python-3.9`.
pub(super) fn runtime(file: &File<'_>, found: &mut Found<'_>) {
    let first = file.text.lines().next().unwrap_or_default().trim();
    if let Some(constraint) = first.strip_prefix("python-").and_then(exactly) {
        found.push_python(file.path, 1, &constraint);
    }
}

/// `3.9` as `==3.9.*`, `3.9.2` as `==3.9.2`; none for what is no version of CPython.
fn exactly(version: &str) -> Option<String> {
    let is_version = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    let any = if version.matches('.').count() < 2 { ".*" } else { "" };
    is_version.then(|| format!("=={}{any}", version.trim_end_matches('.')))
}
