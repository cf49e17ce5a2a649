//! The entries of the cache on disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::{InputKey, ResultKey, is_reproducible};
use crate::model::digest::Digest;
use crate::model::document::Cell;
use crate::model::environment::Environment;
use crate::model::limit;
use crate::sys::cache::{Cache, private_dir};
use crate::sys::clock;

/// Name and version of an entry.
const SCHEMA: &str = "carnet/result@1";
/// Maximum size of an entry in bytes.
const MAX_ENTRY_BYTES: u64 = 32 << 20;
/// Maximum size of all entries in bytes.
const MAX_TOTAL_BYTES: u64 = 256 << 20;
/// Maximum number of entries.
const MAX_ENTRIES: usize = 2000;
/// Maximum age of an entry. Some tests depend on the date.
const MAX_AGE: Duration = Duration::from_secs(14 * 24 * 3600);
/// Age from which an unfinished file counts as abandoned.
const ABANDONED_AGE: Duration = Duration::from_secs(3600);
/// Prefix of the names of unfinished files.
const UNFINISHED_PREFIX: &str = ".new-";
/// Maximum number of entries that are read for one input key.
const MAX_IMAGES: usize = 50;

/// The cached results of this user on this machine.
#[derive(Debug, Clone)]
pub(crate) struct ResultStore {
    dir: PathBuf,
}

/// An entry that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("ignored the cached result {}", path.display())]
pub(crate) struct EntryError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// A cached result.
#[derive(Debug)]
pub(crate) struct CachedResult {
    /// The cell, as recorded.
    pub(crate) cell: Cell,
    /// Its environment.
    pub(crate) environment: Option<Environment>,
    /// Time at which the result was cached.
    pub(crate) stored: Timestamp,
}

/// The first line of an entry.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    schema: String,
    version: String,
    key: String,
    /// Time in RFC 3339 format, in UTC.
    stored: String,
    body: Digest,
}

#[derive(Serialize)]
struct WriteBody<'a> {
    cell: &'a Cell,
    environment: Option<&'a Environment>,
}

#[derive(Deserialize)]
struct ReadBody {
    cell: Cell,
    environment: Option<Environment>,
}

impl ResultStore {
    /// Returns the store in a cache directory.
    pub(crate) fn new(cache: &Cache) -> Self {
        Self { dir: cache.results() }
    }

    /// Reports whether the store has no entries.
    pub(crate) fn is_empty(&self) -> bool {
        fs::read_dir(&self.dir).map_or(true, |mut entries| entries.next().is_none())
    }

    /// Returns the result with this key, or `None` if there is no usable entry.
    ///
    /// # Errors
    /// If the entry is damaged or can't be read.
    pub(crate) fn get(&self, key: &ResultKey) -> Result<Option<CachedResult>, EntryError> {
        let path = self.path(key);
        match read(&path, &key.name()) {
            Ok(result) => Ok(result),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(EntryError { path, source }),
        }
    }

    /// Returns the newest result with this input key, in any image.
    pub(crate) fn newest(&self, input: &InputKey) -> Option<CachedResult> {
        let dir = self.dir.join(input.as_str());
        let entries = fs::read_dir(dir).into_iter().flatten().flatten().take(MAX_IMAGES);
        let results = entries.filter_map(|entry| {
            let name = entry.file_name();
            let image = name.to_str()?.strip_suffix(".json")?;
            read(&entry.path(), &format!("{}/{image}", input.as_str())).ok().flatten()
        });
        results.max_by_key(|result| result.stored)
    }

    /// Caches a result, if it is reproducible and not too large.
    ///
    /// # Errors
    /// If the entry can't be written.
    pub(crate) fn put(&self, key: &ResultKey, cell: &Cell, environment: Option<&Environment>) -> io::Result<()> {
        if !is_reproducible(cell) {
            return Ok(());
        }
        let body = serde_json::to_vec(&WriteBody { cell, environment })?;
        if body.len() as u64 > MAX_ENTRY_BYTES / 2 {
            return Ok(());
        }
        let head = Head {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            key: key.name(),
            stored: clock::now().to_string(),
            body: Digest::of(&body),
        };
        private_dir(&self.dir)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempfile_in(&self.dir)?;
        file.write_all(&serde_json::to_vec(&head)?)?;
        file.write_all(b"\n")?;
        file.write_all(&body)?;
        let path = self.path(key);
        private_dir(path.parent().unwrap_or(&self.dir))?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes entries that exceed the limits of age, number and size, oldest first. Returns their number.
    pub(crate) fn evict(&self) -> usize {
        let mut entries = self.entries();
        entries.sort_by_key(|(_, _, written)| std::cmp::Reverse(*written));
        let now = clock::system_now();
        let (mut bytes, mut count, mut removed) = (0, 0, 0);
        for (path, length, written) in entries {
            let age = now.duration_since(written).unwrap_or_default();
            let is_unfinished =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED_PREFIX));
            bytes += length;
            count += 1;
            let exceeds_limit = bytes > MAX_TOTAL_BYTES || count > MAX_ENTRIES || age > MAX_AGE;
            if (exceeds_limit || is_unfinished && age > ABANDONED_AGE) && fs::remove_file(&path).is_ok() {
                removed += 1;
                // Only succeeds for the last entry of a directory.
                let _ = path.parent().map(fs::remove_dir);
            }
        }
        removed
    }

    /// Returns every file of the store with its size and modification time.
    fn entries(&self) -> Vec<(PathBuf, u64, SystemTime)> {
        let mut found = Vec::new();
        for top in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let is_dir = top.file_type().is_ok_and(|kind| kind.is_dir());
            let inside = is_dir.then(|| fs::read_dir(top.path()).ok()).flatten().into_iter().flatten().flatten();
            let file = (!is_dir).then_some(top);
            for entry in inside.chain(file) {
                let Ok(data) = entry.metadata() else { continue };
                found.push((entry.path(), data.len(), data.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
            }
        }
        found
    }

    fn path(&self, key: &ResultKey) -> PathBuf {
        self.dir.join(key.input.as_str()).join(format!("{}.json", key.image))
    }
}

/// Reads an entry. Returns `None` if it is of another version or too old.
fn read(path: &Path, key: &str) -> io::Result<Option<CachedResult>> {
    let bytes = read_own_file(path)?;
    let invalid = |what: &str| io::Error::new(ErrorKind::InvalidData, what.to_owned());
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| invalid("the first line is missing"))?;
    let (line, body) = (&bytes[..end], &bytes[end + 1..]);
    let head: Head = serde_json::from_slice(line).map_err(|_| invalid("invalid first line"))?;
    if head.schema != SCHEMA || head.version != env!("CARGO_PKG_VERSION") {
        return Ok(None);
    }
    if head.key != key {
        return Err(invalid("the entry belongs to another cell"));
    }
    if head.body != Digest::of(body) {
        return Err(invalid("digest mismatch"));
    }
    let stored: Timestamp = head.stored.parse().map_err(|_| invalid("invalid date"))?;
    let age = clock::now().duration_since(stored);
    if age.is_negative() || age.unsigned_abs() > MAX_AGE {
        return Ok(None);
    }
    let read = limit::read(body, &limit::RESULT).map_err(|error| invalid(&error.to_string()))?;
    let ReadBody { cell, environment } = read;
    let limits = cell.check_limits().and(environment.as_ref().map_or(Ok(()), Environment::check_limits));
    limits.map_err(|error| invalid(&error.to_string()))?;
    if !is_reproducible(&cell) {
        return Err(invalid("the result is not reproducible"));
    }
    Ok(Some(CachedResult { cell, environment, stored }))
}

/// Reads a file of this user, without following links.
fn read_own_file(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let data = file.metadata()?;
    if !data.is_file() || data.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(ErrorKind::InvalidData, "not a regular file owned by this user"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_ENTRY_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_ENTRY_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "the file is too large"));
    }
    Ok(bytes)
}

impl CachedResult {
    /// Copies the result into a cell and returns its environment.
    pub(crate) fn apply_to(self, cell: &mut Cell) -> Option<Environment> {
        let cached = self.cell;
        cell.status = cached.status;
        cell.reason = cached.reason;
        cell.hint = cached.hint;
        cell.steps = cached.steps;
        cell.inputs = cached.inputs;
        cell.outputs = cached.outputs;
        cell.not_enforced = cached.not_enforced;
        cell.timing = cached.timing;
        cell.cached = true;
        self.environment
    }
}
