//! The SQLite database `rpmdb.sqlite` of rpm 4.16 and newer.
//!
//! It is read from memory, so no files are created in its directory: rpm leaves it in write-ahead mode, which SQLite
//! only opens with a shared-memory file. The committed pages of the log are applied first.

use rusqlite::{Connection, MAIN_DB, config::DbConfig};

use super::RpmError;

/// Maximum number of headers.
const MAX_HEADERS: usize = 200_000;

/// Returns the header blobs of a database.
pub(crate) fn headers(mut bytes: Vec<u8>, log: Vec<u8>) -> Result<Vec<Vec<u8>>, RpmError> {
    let broken = RpmError::Format("a sqlite database");
    if bytes.len() < 100 || !bytes.starts_with(b"SQLite format 3\0") {
        return Err(broken);
    }
    apply(&log, &mut bytes);
    // File format version 2 is write-ahead mode, which is not supported in memory.
    bytes[18] = 1;
    bytes[19] = 1;
    let limit = bytes.len();
    read(&bytes, limit).map_err(|error| match error {
        ReadError::TooLarge => RpmError::TooLarge,
        ReadError::Sqlite(error) => RpmError::Sqlite(error.to_string()),
    })
}

enum ReadError {
    TooLarge,
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn read(bytes: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, ReadError> {
    let mut connection = Connection::open_in_memory()?;
    connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // A virtual table or view named `Packages` may never end, so only a real table is read.
    let tables = "select count(*) from sqlite_master where type = 'table' and name = 'Packages' and rootpage > 0";
    if connection.query_row(tables, [], |row| row.get::<_, i64>(0))? == 0 {
        return Err(rusqlite::Error::InvalidQuery.into());
    }
    let mut statement = connection.prepare("select blob from Packages not indexed order by hnum")?;
    let mut rows = statement.query([])?;
    let mut blobs = Vec::new();
    let mut total = 0usize;
    while let Some(row) = rows.next()? {
        let blob = row.get_ref(0)?.as_bytes().map_err(|_| rusqlite::Error::InvalidQuery)?;
        total = total.saturating_add(blob.len());
        if total > limit || blobs.len() == MAX_HEADERS {
            return Err(ReadError::TooLarge);
        }
        blobs.push(blob.to_vec());
    }
    Ok(blobs)
}

/// Applies the committed pages of a write-ahead log to the database (SQLite, "WAL-mode File Format").
fn apply(log: &[u8], database: &mut Vec<u8>) {
    let word =
        |offset: usize| log.get(offset..offset + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes);
    let (Some(magic @ (0x377f_0682 | 0x377f_0683)), Some(size)) = (word(0), word(8)) else { return };
    let size = size as usize;
    if log.len() < 32 || !size.is_power_of_two() || !(512..=65_536).contains(&size) {
        return;
    }
    let big = magic == 0x377f_0683;
    let mut sum = checksum(&log[..24], (0, 0), big);
    if (word(24), word(28)) != (Some(sum.0), Some(sum.1)) {
        return;
    }
    let salt = log.get(16..24);
    let mut pending: Vec<(usize, &[u8])> = Vec::new();
    for frame in log[32..].chunks_exact(24 + size) {
        let word = |offset: usize| frame[offset..offset + 4].try_into().map(u32::from_be_bytes).unwrap_or_default();
        sum = checksum(&frame[..8], sum, big);
        sum = checksum(&frame[24..], sum, big);
        if frame.get(8..16) != salt || (word(16), word(20)) != sum {
            break;
        }
        pending.push((word(0) as usize, &frame[24..]));
        if word(4) != 0 {
            commit(database, pending.drain(..), word(4) as usize, size, log.len());
        }
    }
}

fn commit<'a>(
    database: &mut Vec<u8>,
    pages: impl Iterator<Item = (usize, &'a [u8])>,
    count: usize,
    size: usize,
    log: usize,
) {
    // A commit can add at most the pages of the log to the database.
    if count.saturating_mul(size) > database.len().saturating_add(log) {
        return;
    }
    database.resize(count * size, 0);
    for (number, page) in pages {
        if let Some(target) = number.checked_sub(1).and_then(|index| database.get_mut(index * size..(index + 1) * size))
        {
            target.copy_from_slice(page);
        }
    }
}

fn checksum(bytes: &[u8], (mut a, mut b): (u32, u32), big: bool) -> (u32, u32) {
    let word = |bytes: &[u8]| {
        let bytes = bytes.try_into().unwrap_or_default();
        if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(word(&pair[..4])).wrapping_add(b);
        b = b.wrapping_add(word(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn database(mode: &str) -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().expect("a directory");
        let connection = Connection::open(dir.path().join("db")).expect("a database");
        connection.pragma_update(None, "journal_mode", mode).expect("a mode");
        connection
            .execute_batch("create table Packages (hnum integer primary key, blob blob not null)")
            .expect("a table");
        for blob in [b"one".as_slice(), b"three"] {
            connection.execute("insert into Packages (blob) values (?)", [blob]).expect("a row");
        }
        (dir, connection)
    }

    #[test]
    fn database_in_write_ahead_mode_is_read_with_its_log() {
        let (dir, connection) = database("wal");
        let bytes = std::fs::read(dir.path().join("db")).expect("a file");
        let log = std::fs::read(dir.path().join("db-wal")).expect("a log");
        assert!(!log.is_empty());
        drop(connection);
        assert_eq!(headers(bytes, log).expect("reads"), [b"one".to_vec(), b"three".to_vec()]);
    }

    #[test]
    fn view_instead_of_the_table_is_rejected() {
        let mut connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch("create view Packages as with recursive n(hnum, blob) as (select 1, 'a' union all select hnum + 1, 'a' from n) select * from n")
            .expect("a view");
        let bytes = connection.serialize(MAIN_DB).expect("bytes").to_vec();
        assert!(headers(bytes, Vec::new()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_database_does_not_panic(changes in proptest::collection::vec((0..8192usize, any::<u8>()), 1..30)) {
            let (dir, connection) = database("delete");
            drop(connection);
            let mut bytes = std::fs::read(dir.path().join("db")).expect("a file");
            for (offset, byte) in changes {
                if let Some(target) = bytes.get_mut(offset) {
                    *target = byte;
                }
            }
            let _ = headers(bytes, Vec::new());
        }
    }
}
