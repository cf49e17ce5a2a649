//! The files that Binder builds from, by the rules of repo2docker ("Configuration Files", repo2docker.readthedocs.io).

use crate::source::FileSet;

/// Directories of configuration files. The first that exists is used, else the top.
const DIRECTORIES: &[&str] = &["binder", ".binder"];
/// Build packs by priority. A pack is used if one of its files exists.
const PACKS: &[&[&str]] =
    &[&["Dockerfile"], &["environment.yml"], &["Pipfile", "Pipfile.lock"], &["requirements.txt", "setup.py"]];
/// Files that every build pack except a Dockerfile uses too.
const EXTRA: &[&str] = &["apt.txt", "postBuild", "start", "runtime.txt"];

/// Returns the files in that order. Empty if there are none.
pub(super) fn files(files: &dyn FileSet) -> Vec<String> {
    let paths = files.paths();
    let has_directory = |directory: &str| {
        paths.iter().any(|path| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')))
    };
    let directory = DIRECTORIES.iter().copied().find(|directory| has_directory(directory));
    let inside = |name: &str| directory.map_or_else(|| name.to_owned(), |directory| format!("{directory}/{name}"));
    let present = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| inside(name)).filter(|path| paths.binary_search(&path.as_str()).is_ok()).collect()
    };
    let Some((pack, mut found)) =
        PACKS.iter().map(|pack| present(pack)).enumerate().find(|(_, found)| !found.is_empty())
    else {
        return Vec::new();
    };
    // An environment that includes `requirements.txt` installs it itself.
    if pack == 3 {
        found.truncate(1);
    }
    if pack > 0 {
        found.extend(present(EXTRA));
    }
    found
}
