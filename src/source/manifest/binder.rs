//! What Binder builds from, by repo2docker's rules ("Configuration Files", repo2docker.readthedocs.io).

use crate::source::FileSet;

/// Where configuration lies: the first of these that exists, else the top.
const PLACES: &[&str] = &["binder", ".binder"];
/// Build packs in the order they are asked, with the files that make one the one that is used.
const PACKS: &[&[&str]] =
    &[&["Dockerfile"], &["environment.yml"], &["Pipfile", "Pipfile.lock"], &["requirements.txt", "setup.py"]];
/// Files that any pack but a Dockerfile takes as well.
const EXTRA: &[&str] = &["apt.txt", "postBuild", "start", "runtime.txt"];

/// The files, in that order; empty when there are none.
pub(super) fn files(files: &dyn FileSet) -> Vec<String> {
    let paths = files.paths();
    let has_place =
        |place: &str| paths.iter().any(|path| path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/')));
    let place = PLACES.iter().copied().find(|place| has_place(place));
    let inside = |name: &str| place.map_or_else(|| name.to_owned(), |place| format!("{place}/{name}"));
    let present = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| inside(name)).filter(|path| paths.binary_search(&path.as_str()).is_ok()).collect()
    };
    let Some((at, mut found)) = PACKS.iter().map(|pack| present(pack)).enumerate().find(|(_, found)| !found.is_empty())
    else {
        return Vec::new();
    };
    // `requirements.txt` is also installed beside an environment only when that one says so.
    if at == 3 {
        found.truncate(1);
    }
    if at > 0 {
        found.extend(present(EXTRA));
    }
    found
}
