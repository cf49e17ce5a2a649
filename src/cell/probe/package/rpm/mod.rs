//! The rpm database in its three forms: sqlite, ndb and Berkeley DB. Each holds the same header blobs.

pub(crate) mod bdb;
pub(crate) mod header;
pub(crate) mod ndb;
pub(crate) mod sqlite;

use super::super::root::{Root, reason};
use crate::model::known::Known;
use crate::model::package::Package;

/// Where distributions keep it: Fedora 36 and newer, SUSE; everyone else.
const DIRECTORIES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
/// Bytes of a database: a full desktop has 300 MB.
const DATABASE: u64 = 1 << 30;

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

/// Installed packages; none when the image has no such database.
pub(crate) fn packages(root: &Root) -> Option<Known<Vec<Package>>> {
    let forms: [(&str, Reader); 3] = [
        ("rpmdb.sqlite", sqlite::headers),
        ("Packages.db", |bytes, _| ndb::headers(&bytes)),
        ("Packages", |bytes, _| bdb::headers(&bytes)),
    ];
    let mut empty = None;
    for directory in DIRECTORIES {
        for (name, headers) in forms {
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

fn read(root: &Root, path: &str, headers: Reader) -> Result<Vec<Package>, String> {
    let bytes = root.read(path, DATABASE).map_err(|error| reason(path, &error))?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let log = root.read(format!("{path}-wal"), DATABASE).unwrap_or_default();
    let blobs = headers(bytes, log).map_err(|error| format!("{path}: {error}"))?;
    blobs.iter().map(|blob| header::package(blob).map_err(|error| format!("{path}: {error}"))).collect()
}
