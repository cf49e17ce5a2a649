//! The rpm database in three formats: SQLite, ndb and Berkeley DB. All contain the same header blobs.

pub(crate) mod bdb;
pub(crate) mod header;
pub(crate) mod ndb;
pub(crate) mod sqlite;

use super::super::file_tree::{FileTree, reason};
use crate::model::known::Known;
use crate::model::package::Package;

/// Directories of the database: the first on Fedora 36 and newer and on SUSE, the second on other distributions.
const DIRECTORIES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
/// Maximum size of a database in bytes. A desktop system has about 300 MB.
const MAX_SIZE: u64 = 512 << 20;

/// A database cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RpmError {
    /// The file has a different format or is damaged.
    #[error("not {0}")]
    Format(&'static str),
    /// SQLite reported an error.
    #[error("sqlite: {0}")]
    Sqlite(String),
    /// The database exceeds a limit.
    #[error("too large")]
    TooLarge,
}

/// A reader of one format: takes the bytes of the database and of the write-ahead log, and returns header blobs.
type Reader = fn(Vec<u8>, Vec<u8>) -> Result<Vec<Vec<u8>>, RpmError>;

/// File names and readers of the three formats, the newest first.
const FORMATS: [(&str, Reader); 3] = [
    ("rpmdb.sqlite", sqlite::headers),
    ("Packages.db", |bytes, _| ndb::headers(&bytes)),
    ("Packages", |bytes, _| bdb::headers(&bytes)),
];

/// Returns the installed packages. `None` if there is no such database.
pub(crate) fn packages(root: &FileTree) -> Option<Known<Vec<Package>>> {
    let mut empty = None;
    for directory in DIRECTORIES {
        for (name, headers) in FORMATS {
            let path = format!("{directory}/{name}");
            if !root.exists(&path) {
                continue;
            }
            match read(root, &path, headers) {
                // After a conversion, an empty database in the old format may remain.
                Ok(packages) if packages.is_empty() => empty = Some(Known::Known(packages)),
                Ok(packages) => return Some(Known::Known(packages)),
                Err(reason) => return Some(Known::Unknown(reason)),
            }
        }
    }
    empty
}

fn read(root: &FileTree, path: &str, headers: Reader) -> Result<Vec<Package>, String> {
    let bytes = root.read(path, MAX_SIZE).map_err(|error| reason(path, &error))?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let log = root.read(format!("{path}-wal"), MAX_SIZE).unwrap_or_default();
    let blobs = headers(bytes, log).map_err(|error| format!("{path}: {error}"))?;
    blobs.iter().map(|blob| header::package(blob).map_err(|error| format!("{path}: {error}"))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    /// Returns a database written by rpm (see `rpm.sh` in the directory of the fixtures).
    fn fixture(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/data/probe/{name}.zst", env!("CARGO_MANIFEST_DIR"));
        zstd::decode_all(fs::File::open(path).expect("a fixture")).expect("zstd")
    }

    /// Returns the output of `rpm -qa`, in the order of our packages.
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
    fn every_format_matches_rpm() {
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
    fn invalid_database_is_unknown() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(dir.path().join("var/lib/rpm")).expect("directories");
        for name in ["rpmdb.sqlite", "Packages.db", "Packages"] {
            let path = dir.path().join("var/lib/rpm").join(name);
            fs::write(&path, "not a database").expect("a file");
            assert!(packages(&FileTree::new(dir.path())).is_some_and(|packages| packages.reason().is_some()), "{name}");
            fs::remove_file(path).expect("removes");
        }
        assert!(packages(&FileTree::new(dir.path())).is_none());
    }

    fn assert_no_panic(name: &str, headers: Reader, changes: &[(prop::sample::Index, u8)], cut: prop::sample::Index) {
        let mut bytes = fixture(name);
        for (offset, byte) in changes {
            let offset = offset.index(bytes.len());
            bytes[offset] = *byte;
        }
        // One in eight is also truncated.
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
        fn damaged_databases_do_not_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
            start in proptest::collection::vec((0..4096usize, any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            for (name, headers) in FORMATS {
                assert_no_panic(name, headers, &changes, cut);
                let mut bytes = fixture(name);
                // The start determines how the rest is read.
                start.iter().for_each(|(offset, byte)| bytes[*offset] = *byte);
                let _ = headers(bytes, Vec::new());
            }
        }
    }
}
