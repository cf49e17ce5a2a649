//! `.python-version` (pyenv, uv) and `runtime.txt` (Heroku, Binder).

use super::builder::{File, InventoryBuilder};
use super::format::Format;

/// `.python-version`.
pub(super) static VERSION_FILE: Format =
    Format { is_recorded: |_| false, ..Format::declaration("python-version", &[".python-version"], read_version_file) };

/// `runtime.txt`.
pub(super) static RUNTIME: Format =
    Format { is_recorded: |_| false, ..Format::declaration("runtime", &["runtime.txt"], read_runtime) };

/// Reads `.python-version`. The first version is the default.
fn read_version_file(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    for (line, number) in file.text.lines().zip(1_u32..) {
        let version = line.split('#').next().unwrap_or_default().trim();
        if let Some(constraint) = exact_constraint(version) {
            return builder.push_python(file.path, number, &constraint);
        }
    }
}

/// Reads `runtime.txt`: `python-3.9`.
fn read_runtime(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    let first = file.text.lines().next().unwrap_or_default().trim();
    if let Some(constraint) = first.strip_prefix("python-").and_then(exact_constraint) {
        builder.push_python(file.path, 1, &constraint);
    }
}

/// Converts `3.9` to `==3.9.*` and `3.9.2` to `==3.9.2`. `None` for anything that is not a CPython version.
fn exact_constraint(version: &str) -> Option<String> {
    let is_version = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    let any = if version.matches('.').count() < 2 { ".*" } else { "" };
    is_version.then(|| format!("=={}{any}", version.trim_end_matches('.')))
}
