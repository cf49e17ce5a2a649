//! The rpm database in its three forms: sqlite, ndb and Berkeley DB. Each holds the same header blobs.

pub(crate) mod bdb;
pub(crate) mod header;
pub(crate) mod ndb;
pub(crate) mod sqlite;

use super::super::file_tree::{FileTree, reason};
use crate::model::known::Known;
use crate::model::package::Package;

/// Where distributions keep it: Fedora 36 and newer, SUSE; everyone else.
const DIRECTORIES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
/// Bytes of a database: a full desktop has 300 MB.
const DATABASE: u64 = 512 << 20;

/// Why a database could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RpmError {
    /// A file that breaks its own format.
    #[error("not {0}")]
    Format(&'static str),
    /// SQLite refused it.
    #[error("sqlite: {0}")]
    Sqlite(String),
    /// More headers or bytes than any real database has.
    #[error("too large")]
    TooLarge,
}

/// A reader of one form: database bytes and write-ahead log in, header blobs out.
type Reader = fn(Vec<u8>, Vec<u8>) -> Result<Vec<Vec<u8>>, RpmError>;

/// File names and readers of the three forms, the newest first.
const FORMS: [(&str, Reader); 3] = [
    ("rpmdb.sqlite", sqlite::headers),
    ("Packages.db", |bytes, _| ndb::headers(&bytes)),
    ("Packages", |bytes, _| bdb::headers(&bytes)),
];

/// Installed packages; none when the image has no such database.
pub(crate) fn packages(root: &FileTree) -> Option<Known<Vec<Package>>> {
    let mut empty = None;
    for directory in DIRECTORIES {
        for (name, headers) in FORMS {
            let path = format!("{directory}/{name}");
            if !root.exists(&path) {
                continue;
            }
            match read(root, &path, headers) {
                // A converted database leaves its old form behind, emptied.
                Ok(packages) if packages.is_empty() => empty = Some(Known::Known(packages)),
                Ok(packages) => return Some(Known::Known(packages)),
                Err(reason) => return Some(Known::Unknown(reason)),
            }
        }
    }
    empty
}

fn read(root: &FileTree, path: &str, headers: Reader) -> Result<Vec<Package>, String> {
    let bytes = root.read(path, DATABASE).map_err(|error| reason(path, &error))?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let log = root.read(format!("{path}-wal"), DATABASE).unwrap_or_default();
    let blobs = headers(bytes, log).map_err(|error| format!("{path}: {error}"))?;
    blobs.iter().map(|blob| header::package(blob).map_err(|error| format!("{path}: {error}"))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    /// A database that rpm wrote (see `rpm.sh` beside the fixtures).
    fn fixture(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/data/probe/{name}.zst", env!("CARGO_MANIFEST_DIR"));
        zstd::decode_all(fs::File::open(path).expect("a fixture")).expect("zstd")
    }

    /// What `rpm -qa` says of it, in the order of our own packages.
    fn expected() -> Vec<[String; 4]> {
        let path = format!("{}/tests/data/probe/rpm.txt", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).expect("a list");
        let mut list: Vec<[String; 4]> = text
            .lines()
            .map(|line| line.splitn(4, '|').map(str::to_owned).collect::<Vec<_>>().try_into().expect("four"))
            .collect();
        list.sort();
        list
    }

    #[test]
    fn each_form_gives_what_rpm_lists() {
        for (directory, name) in
            [("var/lib/rpm", "rpmdb.sqlite"), ("usr/lib/sysimage/rpm", "Packages.db"), ("var/lib/rpm", "Packages")]
        {
            let dir = tempfile::tempdir().expect("a directory");
            fs::create_dir_all(dir.path().join(directory)).expect("directories");
            fs::write(dir.path().join(directory).join(name), fixture(name)).expect("a file");
            let packages = packages(&FileTree::new(dir.path())).expect("a database");
            let mut got: Vec<[String; 4]> = match packages {
                Known::Known(packages) => packages.into_iter().map(|p| [p.name, p.version, p.arch, p.origin]).collect(),
                Known::Unknown(reason) => panic!("{name}: {reason}"),
            };
            got.sort();
            assert_eq!(got, expected(), "{name}");
        }
    }

    #[test]
    fn a_database_that_is_none_is_unknown() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(dir.path().join("var/lib/rpm")).expect("directories");
        for name in ["rpmdb.sqlite", "Packages.db", "Packages"] {
            let path = dir.path().join("var/lib/rpm").join(name);
            fs::write(&path, "no database").expect("a file");
            assert!(packages(&FileTree::new(dir.path())).is_some_and(|packages| packages.reason().is_some()), "{name}");
            fs::remove_file(path).expect("removes");
        }
        assert!(packages(&FileTree::new(dir.path())).is_none());
    }

    fn survives(name: &str, headers: Reader, changes: &[(prop::sample::Index, u8)], cut: prop::sample::Index) {
        let mut bytes = fixture(name);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        // One in eight is cut short as well.
        if changes.len().is_multiple_of(8) {
            bytes.truncate(cut.index(bytes.len()));
        }
        for blob in headers(bytes, Vec::new()).unwrap_or_default() {
            let _ = header::package(&blob);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn damaged_databases_are_survived(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
            start in proptest::collection::vec((0..4096usize, any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            for (name, headers) in FORMS {
                survives(name, headers, &changes, cut);
                let mut bytes = fixture(name);
                // What stands at the start decides how the rest is read.
                start.iter().for_each(|(at, byte)| bytes[*at] = *byte);
                let _ = headers(bytes, Vec::new());
            }
        }
    }
}
