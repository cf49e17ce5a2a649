//! Where the parts of an image lie: files of a directory or members of an uncompressed tar file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::ImageError;
use crate::model::digest::Digest;
use crate::sys::rooted::Rooted;

/// Bytes an index, a manifest or a configuration may have. Registries refuse manifests over 4 MiB.
const DOCUMENT_CAP: u64 = 16 << 20;
/// Members an image archive may have: a layer has three at most.
const MEMBER_CAP: usize = 100_000;

/// Names the parts of an image by their path.
#[derive(Debug)]
pub(super) enum Store {
    /// Files under a directory.
    Directory(PathBuf),
    /// Members of a tar file.
    Archive { path: PathBuf, members: BTreeMap<String, Member> },
}

/// What a name in an archive stands for.
#[derive(Debug)]
pub(super) enum Member {
    File {
        offset: u64,
        size: u64,
    },
    /// The name of another member: older `docker save` writes a link when two images share a layer.
    Link(String),
}

/// A part that is there.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) size: u64,
    offset: u64,
    file: PathBuf,
}

impl Store {
    /// Takes a directory as it is.
    pub(super) fn directory(path: &Path, expected: &'static str) -> Result<Self, ImageError> {
        let meta = path.metadata().map_err(|e| ImageError::io(path, e))?;
        if meta.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let hint = Some("for a file write `oci-archive:` or `docker-archive:`".to_owned());
        Err(ImageError::NotThat { path: path.to_owned(), expected, reason: "it is a file".to_owned(), hint })
    }

    /// Reads the table of contents of a tar file.
    pub(super) fn archive(path: &Path, expected: &'static str) -> Result<Self, ImageError> {
        let io = |e| ImageError::io(path, e);
        let not = |reason: &str, hint: Option<&str>| ImageError::NotThat {
            path: path.to_owned(),
            expected,
            reason: reason.to_owned(),
            hint: hint.map(ToOwned::to_owned),
        };
        if path.metadata().map_err(io)?.is_dir() {
            return Err(not("it is a directory", Some("for a directory write `oci:`")));
        }
        let mut file = File::open(path).map_err(io)?;
        let mut magic = [0; 6];
        let length = file.metadata().map_err(io)?.len();
        let got = read_up_to(&mut file, &mut magic).map_err(io)?;
        match Packing::of_magic(&magic[..got]) {
            Packing::Plain => {}
            Packing::Gzip => return Err(not("it is compressed with gzip", Some("unpack it with `gunzip` first"))),
            Packing::Zstd => return Err(not("it is compressed with zstd", Some("unpack it with `unzstd` first"))),
        }
        file.rewind().map_err(io)?;
        let members = members(&file, length, path, &not)?;
        Ok(Self::Archive { path: path.to_owned(), members })
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::Archive { path, .. } => path,
        }
    }

    /// Finds a part.
    pub(super) fn find(&self, name: &str) -> Result<Blob, ImageError> {
        let missing = || ImageError::Missing { path: self.path().to_owned(), part: name.to_owned() };
        match self {
            Self::Directory(path) => {
                if name.split('/').any(|part| part == "..") {
                    return Err(missing());
                }
                let file = path.join(name.trim_start_matches('/'));
                let meta = file.metadata().map_err(|e| match e.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => missing(),
                    _ => ImageError::io(&file, e),
                })?;
                if !meta.is_file() {
                    return Err(missing());
                }
                Ok(Blob { size: meta.len(), offset: 0, file })
            }
            Self::Archive { path, members } => {
                let mut at = normal(name);
                for _ in 0..8 {
                    match members.get(&at).ok_or_else(missing)? {
                        Member::File { offset, size } => {
                            return Ok(Blob { size: *size, offset: *offset, file: path.clone() });
                        }
                        Member::Link(target) => at.clone_from(target),
                    }
                }
                Err(missing())
            }
        }
    }

    /// Finds a part of the `blobs` directory.
    pub(super) fn find_digest(&self, digest: &Digest) -> Result<Blob, ImageError> {
        self.find(&format!("blobs/sha256/{}", digest.hex())).map_err(|e| match e {
            ImageError::Missing { path, .. } => ImageError::Missing { path, part: digest.to_string() },
            other => other,
        })
    }

    /// Reads a small part whole.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>, ImageError> {
        self.read(&self.find(name)?, name)
    }

    /// Reads a small part of the `blobs` directory whole and checks its digest.
    pub(super) fn verified(&self, digest: &Digest, what: &str) -> Result<Vec<u8>, ImageError> {
        let bytes = self.read(&self.find_digest(digest)?, what)?;
        self.check(digest, Digest::of(&bytes), what)?;
        Ok(bytes)
    }

    /// Compares two digests.
    pub(super) fn check(&self, expected: &Digest, found: Digest, what: &str) -> Result<(), ImageError> {
        if *expected == found {
            return Ok(());
        }
        let (path, what) = (self.path().to_owned(), what.to_owned());
        Err(ImageError::Mismatch { path, what, expected: expected.clone(), found })
    }

    fn read(&self, blob: &Blob, what: &str) -> Result<Vec<u8>, ImageError> {
        if blob.size > DOCUMENT_CAP {
            let reason = format!("it has {} bytes, and {DOCUMENT_CAP} are the most", blob.size);
            return Err(ImageError::Document { path: self.path().to_owned(), what: what.to_owned(), reason });
        }
        let mut bytes = Vec::new();
        blob.open().and_then(|mut part| part.read_to_end(&mut bytes)).map_err(|e| ImageError::io(&blob.file, e))?;
        if (bytes.len() as u64) < blob.size {
            return Err(ImageError::Truncated { path: self.path().to_owned(), reason: format!("{what} is cut off") });
        }
        Ok(bytes)
    }
}

impl Blob {
    fn open(&self) -> io::Result<Take<File>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(file.take(self.size))
    }

    /// A reader that hashes what passes through.
    pub(super) fn hashed(&self) -> io::Result<Hashed<Take<File>>> {
        Ok(Hashed::new(self.open()?))
    }
}

/// Hashes and counts what is read.
#[derive(Debug)]
pub(super) struct Hashed<R> {
    inner: R,
    hasher: Sha256,
}

impl<R> Hashed<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hasher: Sha256::new() }
    }

    pub(super) fn inner_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The digest of what was read so far.
    pub(super) fn digest(&self) -> Digest {
        Digest::finish(self.hasher.clone())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }
}

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// Told from the first bytes (RFC 1952 and RFC 8878).
    pub(super) fn of_magic(start: &[u8]) -> Self {
        if start.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Zstd
        } else {
            Self::Plain
        }
    }

    /// Told from the first bytes of a part.
    pub(super) fn of_blob(blob: &Blob) -> io::Result<Self> {
        let mut magic = [0; 6];
        let got = read_up_to(&mut blob.open()?, &mut magic)?;
        Ok(Self::of_magic(&magic[..got]))
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

type Not<'a> = &'a dyn Fn(&str, Option<&str>) -> ImageError;

fn members(file: &File, length: u64, path: &Path, not: Not<'_>) -> Result<BTreeMap<String, Member>, ImageError> {
    let truncated = |reason: String| ImageError::Truncated { path: path.to_owned(), reason };
    let mut archive = tar::Archive::new(file);
    let mut members = BTreeMap::new();
    let entries = archive.entries_with_seek().map_err(|e| ImageError::io(path, e))?;
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(_) if members.is_empty() => return Err(not("it is no tar file", None)),
            Err(e) => return Err(truncated(e.to_string())),
        };
        let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let (offset, size) = (entry.raw_file_position(), entry.size());
            if offset.checked_add(size).is_none_or(|end| end > length) {
                return Err(truncated(format!("`{name}` is cut off")));
            }
            members.insert(name, Member::File { offset, size });
        } else if (kind.is_symlink() || kind.is_hard_link())
            && let Some(target) = entry.link_name_bytes()
        {
            let target = String::from_utf8_lossy(&target).into_owned();
            // The target of a hard link is named from the archive's root, that of a symbolic link from its own folder.
            let folder = if kind.is_hard_link() { "" } else { name.rsplit_once('/').map_or("", |(folder, _)| folder) };
            let target = normal(&format!("{folder}/{target}"));
            members.insert(name, Member::Link(target));
        }
        if members.len() > MEMBER_CAP {
            return Err(not("it has too many members for an image", None));
        }
    }
    if members.is_empty() {
        return Err(not("it holds nothing", None));
    }
    Ok(members)
}

/// A member's name without `.`, `..` and doubled slashes; `..` at the top stays there.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Opens a directory as the root of a tree.
pub(super) fn tree(path: &Path) -> Result<Rooted, ImageError> {
    Rooted::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotADirectory => ImageError::NotThat {
            path: path.to_owned(),
            expected: "unpacked image",
            reason: "it is no directory".to_owned(),
            hint: None,
        },
        _ => ImageError::io(path, e),
    })
}
