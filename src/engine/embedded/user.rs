//! Users and groups of an image.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::model::contract::Ids;
use crate::sys::rooted::Rooted;

/// Maximum number of bytes read of `/etc/passwd` and `/etc/group`.
const MAX_BYTES: u64 = 4 << 20;

/// The account that a program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub ids: Ids,
    /// The home in `/etc/passwd`.
    pub home: Option<String>,
}

/// A user or group that the image does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum UnknownName {
    #[error("user `{0}` of the image is not in its /etc/passwd")]
    User(String),
    #[error("group `{0}` of the image is not in its /etc/group")]
    Group(String),
}

/// Returns the account of numeric ids.
pub(super) fn from_ids(trees: &[PathBuf], ids: Ids) -> Account {
    let passwd = read(trees, "etc/passwd");
    let home = entries(&passwd).find(|fields| number(fields, 2) == Some(ids.uid)).and_then(|fields| home(&fields));
    Account { ids, home }
}

/// Returns the account of the `User` of an image: `user[:group]`, names or numbers. An empty user is root.
pub(super) fn from_image(trees: &[PathBuf], user: &str) -> Result<Account, UnknownName> {
    let (name, group) = user.split_once(':').map_or((user, None), |(user, group)| (user, Some(group)));
    let name = if name.is_empty() { "0" } else { name };
    let passwd = read(trees, "etc/passwd");
    let numeric: Option<u32> = name.parse().ok();
    let found = entries(&passwd)
        .find(|fields| fields.first() == Some(&name))
        .or_else(|| entries(&passwd).find(|fields| numeric.is_some() && number(fields, 2) == numeric));
    let uid = found.as_ref().and_then(|fields| number(fields, 2)).or(numeric);
    let uid = uid.ok_or_else(|| UnknownName::User(name.to_owned()))?;
    let gid = match group.filter(|group| !group.is_empty()) {
        Some(group) => group_id(trees, group)?,
        None => found.as_ref().and_then(|fields| number(fields, 3)).unwrap_or(0),
    };
    Ok(Account { ids: Ids { uid, gid }, home: found.and_then(|fields| home(&fields)) })
}

fn group_id(trees: &[PathBuf], group: &str) -> Result<u32, UnknownName> {
    let file = read(trees, "etc/group");
    let named = entries(&file).find(|fields| fields.first() == Some(&group)).and_then(|fields| number(&fields, 2));
    named.or_else(|| group.parse().ok()).ok_or_else(|| UnknownName::Group(group.to_owned()))
}

fn entries(file: &str) -> impl Iterator<Item = Vec<&str>> {
    file.lines().map(|line| line.split(':').collect())
}

fn number(fields: &[&str], index: usize) -> Option<u32> {
    fields.get(index)?.parse().ok()
}

fn home(fields: &[&str]) -> Option<String> {
    fields.get(5).filter(|home| home.starts_with('/')).map(|home| (*home).to_owned())
}

/// Reads a file of the topmost tree that has it. Returns an empty text if none has a regular file there.
fn read(trees: &[PathBuf], path: &str) -> String {
    let mut bytes = Vec::new();
    for tree in trees {
        let found = Rooted::open(tree).and_then(|root| root.file(Path::new(path)));
        match found {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            // This entry can't be read but hides the file of a lower tree.
            Err(_) => break,
            Ok(file) => {
                let _ = file.take(MAX_BYTES).read_to_end(&mut bytes);
                break;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/sh\nana:x:1000:100:Ana:/home/ana:/bin/sh\nbroken\n7:x:8:9::/seven:\n";
        fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        fs::write(dir.path().join("etc/group"), "users:x:100:\ncms:x:1399:ana\n").unwrap();
        dir
    }

    fn resolve(user: &str) -> Result<(u32, u32, Option<String>), UnknownName> {
        let dir = tree();
        from_image(&[dir.path().to_owned()], user).map(|a| (a.ids.uid, a.ids.gid, a.home))
    }

    #[test]
    fn from_image_resolves_names_and_numbers() {
        let home = |path: &str| Some(path.to_owned());
        assert_eq!(resolve(""), Ok((0, 0, home("/root"))));
        assert_eq!(resolve("ana"), Ok((1000, 100, home("/home/ana"))));
        assert_eq!(resolve("1000"), Ok((1000, 100, home("/home/ana"))));
        assert_eq!(resolve("ana:cms"), Ok((1000, 1399, home("/home/ana"))));
        assert_eq!(resolve("ana:5"), Ok((1000, 5, home("/home/ana"))));
        assert_eq!(resolve("4321"), Ok((4321, 0, None)));
        assert_eq!(resolve("7"), Ok((8, 9, home("/seven"))));
    }

    #[test]
    fn from_image_rejects_unknown_names() {
        assert!(resolve("nobody").unwrap_err() == UnknownName::User("nobody".to_owned()));
        assert!(resolve("ana:atlas").unwrap_err() == UnknownName::Group("atlas".to_owned()));
        assert!(resolve("-1").is_err());
    }

    #[test]
    fn file_of_the_topmost_tree_is_read() {
        let (upper, lower) = (tempfile::tempdir().unwrap(), tree());
        let trees = [upper.path().to_owned(), lower.path().to_owned()];
        let ids = Ids { uid: 1000, gid: 1 };
        assert_eq!(from_ids(&trees, ids).home.as_deref(), Some("/home/ana"));
        fs::create_dir(upper.path().join("etc")).unwrap();
        fs::write(upper.path().join("etc/passwd"), "ana:x:1000:1::/elsewhere:\n").unwrap();
        assert_eq!(from_ids(&trees, ids).home.as_deref(), Some("/elsewhere"));
    }
}
