//! Virtual environments (PEP 405).

use std::path::Path;

use super::super::file_tree::FileTree;

/// The content of a `pyvenv.cfg`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Venv {
    pub(super) prefix: String,
    /// Directory of the interpreter that created it.
    pub(super) home: String,
    pub(super) system_site: bool,
    pub(super) version: Option<String>,
}

/// Returns the virtual environment whose `bin` contains an executable.
pub(super) fn venv_of_executable(root: &FileTree, executable: &str) -> Option<Venv> {
    let bin = Path::new(executable).parent()?;
    let prefix = bin.parent()?.display().to_string();
    venv_of(root, &prefix)
}

/// Returns the virtual environment at a prefix.
pub(super) fn venv_of(root: &FileTree, prefix: &str) -> Option<Venv> {
    let prefix = prefix.trim_end_matches('/');
    let text = root.text(format!("{prefix}/pyvenv.cfg")).ok()?;
    let mut venv = Venv { prefix: prefix.to_owned(), ..Venv::default() };
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "home" => value.clone_into(&mut venv.home),
            "include-system-site-packages" => venv.system_site = value.eq_ignore_ascii_case("true"),
            "version" | "version_info" => {
                let numbers: Vec<&str> = value.split('.').take(3).collect();
                venv.version = Some(numbers.join("."));
            }
            _ => {}
        }
    }
    Some(venv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyvenv_cfg_of_every_tool_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(
            dir.path().join("pyvenv.cfg"),
            "home = /usr/bin\ninclude-system-site-packages = True\nversion_info = 3.11.2.final.0\n",
        )
        .expect("a file");
        let venv = venv_of(&FileTree::new(dir.path()), "/").expect("a venv");
        assert_eq!((venv.home.as_str(), venv.system_site, venv.version.as_deref()), ("/usr/bin", true, Some("3.11.2")));
    }
}
