//! The entries on the disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::{Key, Question, is_lasting};
use crate::model::digest::Digest;
use crate::model::document::Cell;
use crate::model::environment::Environment;
use crate::sys::cache::{Cache, private_dir};

/// Name and version of an entry.
const SCHEMA: &str = "carnet/result@1";
/// Bytes that an entry may have.
const LARGEST: u64 = 32 << 20;
/// Bytes that all entries together may have.
const MOST_BYTES: u64 = 256 << 20;
/// Entries there may be.
const MOST_ENTRIES: usize = 2000;
/// How long a result is believed: some tests look at the date.
const LONGEST: Duration = Duration::from_secs(14 * 24 * 3600);
/// How old a file is that nobody is writing any more.
const ABANDONED: Duration = Duration::from_secs(3600);
/// What names of files begin with that are being written.
const UNFINISHED: &str = ".new-";
/// Entries of one question that are looked at.
const MOST_IMAGES: usize = 50;

/// The results that this user has on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    dir: PathBuf,
}

/// A result of an earlier run.
#[derive(Debug)]
pub(crate) struct Hit {
    /// The cell as it was then.
    pub(crate) cell: Cell,
    /// Its environment.
    pub(crate) environment: Option<Environment>,
    /// When it was kept.
    pub(crate) stored: Timestamp,
}

/// The first line of an entry.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    schema: String,
    version: String,
    key: String,
    /// RFC 3339, in UTC.
    stored: String,
    body: Digest,
}

#[derive(Serialize)]
struct Written<'a> {
    cell: &'a Cell,
    environment: Option<&'a Environment>,
}

#[derive(Deserialize)]
struct Read {
    cell: Cell,
    environment: Option<Environment>,
}

impl Store {
    /// The results in this cache.
    pub(crate) fn of(cache: &Cache) -> Self {
        Self { dir: cache.results() }
    }

    /// Whether there is anything.
    pub(crate) fn is_empty(&self) -> bool {
        fs::read_dir(&self.dir).map_or(true, |mut entries| entries.next().is_none())
    }

    /// The result under this key, when there is one that can be believed. An entry that is there and can't be is an error, in
    /// words.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Hit>, String> {
        let path = self.path(key);
        match read(&path, &key.name()) {
            Ok(hit) => Ok(hit),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("the kept result {} is ignored: {error}", path.display())),
        }
    }

    /// The newest result for this question, in whatever image it was run.
    pub(crate) fn newest(&self, question: &Question) -> Option<Hit> {
        let dir = self.dir.join(question.as_str());
        let entries = fs::read_dir(dir).into_iter().flatten().flatten().take(MOST_IMAGES);
        let hits = entries.filter_map(|entry| {
            let name = entry.file_name();
            let image = name.to_str()?.strip_suffix(".json")?;
            read(&entry.path(), &format!("{}/{image}", question.as_str())).ok().flatten()
        });
        hits.max_by_key(|hit| hit.stored)
    }

    /// Keeps a result when it is one that lasts.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn put(&self, key: &Key, cell: &Cell, environment: Option<&Environment>) -> io::Result<()> {
        if !is_lasting(cell) {
            return Ok(());
        }
        let body = serde_json::to_vec(&Written { cell, environment })?;
        if body.len() as u64 > LARGEST / 2 {
            return Ok(());
        }
        let head = Head {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            key: key.name(),
            stored: Timestamp::now().to_string(),
            body: Digest::of(&body),
        };
        private_dir(&self.dir)?;
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.dir)?;
        file.write_all(&serde_json::to_vec(&head)?)?;
        file.write_all(b"\n")?;
        file.write_all(&body)?;
        let path = self.path(key);
        private_dir(path.parent().unwrap_or(&self.dir))?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes what is over the bounds of age, number and size, oldest first. What can't be removed is tried again next time.
    pub(crate) fn bound(&self) -> usize {
        let mut entries = self.entries();
        entries.sort_by_key(|(_, _, written)| std::cmp::Reverse(*written));
        let now = SystemTime::from(Timestamp::now());
        let (mut bytes, mut kept, mut removed) = (0, 0, 0);
        for (path, length, written) in entries {
            let age = now.duration_since(written).unwrap_or_default();
            let is_half = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED));
            bytes += length;
            kept += 1;
            let is_over = bytes > MOST_BYTES || kept > MOST_ENTRIES || age > LONGEST;
            if (is_over || is_half && age > ABANDONED) && fs::remove_file(&path).is_ok() {
                removed += 1;
                // It goes with its last entry, and stays with any other.
                let _ = path.parent().map(fs::remove_dir);
            }
        }
        removed
    }

    /// Every file below, with its length and the time it was written.
    fn entries(&self) -> Vec<(PathBuf, u64, SystemTime)> {
        let mut found = Vec::new();
        for top in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let is_dir = top.file_type().is_ok_and(|kind| kind.is_dir());
            let inside = is_dir.then(|| fs::read_dir(top.path()).ok()).flatten().into_iter().flatten().flatten();
            let own = (!is_dir).then_some(top);
            for entry in inside.chain(own) {
                let Ok(data) = entry.metadata() else { continue };
                found.push((entry.path(), data.len(), data.modified().unwrap_or(SystemTime::UNIX_EPOCH)));
            }
        }
        found
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.dir.join(key.question.as_str()).join(format!("{}.json", key.image))
    }
}

/// Reads an entry; none when it is of another version or too old.
fn read(path: &Path, key: &str) -> io::Result<Option<Hit>> {
    let bytes = contents(path)?;
    let wrong = |what: &str| io::Error::new(ErrorKind::InvalidData, what.to_owned());
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| wrong("it has no first line"))?;
    let (line, body) = (&bytes[..end], &bytes[end + 1..]);
    let head: Head = serde_json::from_slice(line).map_err(|_| wrong("its first line can't be read"))?;
    if head.schema != SCHEMA || head.version != env!("CARGO_PKG_VERSION") {
        return Ok(None);
    }
    if head.key != key {
        return Err(wrong("it is of another cell"));
    }
    if head.body != Digest::of(body) {
        return Err(wrong("its content doesn't fit its digest"));
    }
    let stored: Timestamp = head.stored.parse().map_err(|_| wrong("it has no date"))?;
    let age = Timestamp::now().duration_since(stored);
    if age.is_negative() || age.unsigned_abs() > LONGEST {
        return Ok(None);
    }
    let Read { cell, environment } = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
    if !is_lasting(&cell) {
        return Err(wrong("it is no verdict that is kept"));
    }
    Ok(Some(Hit { cell, environment, stored }))
}

/// The bytes of a file that is ours and no link.
fn contents(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let data = file.metadata()?;
    if !data.is_file() || data.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no file of this user"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

impl Hit {
    /// Makes the result part of a cell that was about to run.
    pub(crate) fn give(self, cell: &mut Cell) -> Option<Environment> {
        let was = self.cell;
        cell.status = was.status;
        cell.reason = was.reason;
        cell.hint = was.hint;
        cell.steps = was.steps;
        cell.inputs = was.inputs;
        cell.outputs = was.outputs;
        cell.not_enforced = was.not_enforced;
        cell.timing = was.timing;
        cell.cached = true;
        self.environment
    }
}
