//! `setup.cfg` of setuptools ("Configuring setuptools using setup.cfg files", setuptools.pypa.io).

use super::builder::{File, InventoryBuilder};
use super::format::Format;

/// `setup.cfg`.
pub(super) static FORMAT: Format = Format::declaration("setup-cfg", &["setup.cfg"], read);

/// A value of an INI file.
struct Entry {
    section: String,
    key: String,
    lines: Vec<(u32, String)>,
}

fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    for entry in entries(file.text) {
        let group = match (entry.section.as_str(), entry.key.as_str()) {
            ("options", "install_requires") => None,
            ("options", "setup_requires") => Some("build"),
            ("options", "tests_require") => Some("test"),
            ("options.extras_require", extra) => Some(extra),
            ("options", "python_requires") => {
                if let Some((line, value)) = entry.lines.first() {
                    builder.push_python(file.path, *line, value);
                }
                continue;
            }
            _ => continue,
        };
        for (line, value) in &entry.lines {
            // The file of `file: requirements.txt` is read on its own.
            if value.starts_with("file:") || value.contains("%(") {
                continue;
            }
            builder.push_pep508(file.path, *line, value, group);
        }
    }
}

/// Parses entries like Python's configparser: indented lines continue a value, comments are whole lines.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = String::new();
    let mut is_open = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let trimmed = trimmed.split(" #").next().unwrap_or_default().trim_end();
        if line.starts_with([' ', '\t']) {
            if let Some(entry) = entries.last_mut().filter(|_| is_open) {
                entry.lines.push((number, trimmed.to_owned()));
            }
        } else if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.clone_into(&mut section);
            is_open = false;
        } else if let Some((key, value)) = trimmed.split_once(['=', ':']) {
            let value = value.trim();
            let lines = if value.is_empty() { Vec::new() } else { vec![(number, value.to_owned())] };
            entries.push(Entry { section: section.clone(), key: key.trim().to_owned(), lines });
            is_open = true;
        }
    }
    entries
}
