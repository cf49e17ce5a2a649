//! The files of an image: in a directory or in an uncompressed tar archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::ImageError;
use crate::model::digest::Digest;
use crate::sys::bounded::{self, Reader};
use crate::sys::file::{Links, open_regular, special};
use crate::sys::rooted::Rooted;

/// Maximum size of an index, a manifest or a configuration in bytes. Registries reject manifests over 4 MiB.
const MAX_DOCUMENT_SIZE: u64 = 16 << 20;
/// Maximum number of members of an image archive; a layer has at most three.
const MAX_MEMBERS: usize = 100_000;

/// The storage of an image, with files identified by path.
#[derive(Debug)]
pub(super) enum Store {
    /// Files in a directory.
    Directory(PathBuf),
    /// Members of a tar file.
    Archive { path: PathBuf, members: BTreeMap<String, Member> },
}

/// A member of an archive.
#[derive(Debug)]
pub(super) enum Member {
    File {
        offset: u64,
        size: u64,
    },
    /// A link to another member, written by older versions of `docker save` if two images share a layer.
    Link(String),
}

/// An existing file of an image.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) size: u64,
    offset: u64,
    file: PathBuf,
}

impl Store {
    /// Opens a directory.
    pub(super) fn directory(path: &Path, expected: &'static str) -> Result<Self, ImageError> {
        let meta = path.metadata().map_err(|e| ImageError::io(path, e))?;
        if meta.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let hint = Some("use `oci-archive:` or `docker-archive:` for a file".to_owned());
        let reason = format!("it is {}", special(meta.file_type()).unwrap_or("a file"));
        Err(ImageError::WrongFormat { path: path.to_owned(), expected, reason, hint })
    }

    /// Opens a tar archive and reads its list of members.
    pub(super) fn archive(path: &Path, expected: &'static str) -> Result<Self, ImageError> {
        let io = |e| ImageError::io(path, e);
        let not = |reason: &str, hint: Option<&str>| ImageError::WrongFormat {
            path: path.to_owned(),
            expected,
            reason: reason.to_owned(),
            hint: hint.map(ToOwned::to_owned),
        };
        let meta = path.metadata().map_err(io)?;
        if meta.is_dir() {
            return Err(not("it is a directory", Some("use `oci:` for a directory")));
        }
        if let Some(kind) = special(meta.file_type()) {
            return Err(not(&format!("it is {kind}"), Some("save the archive to a file")));
        }
        let mut file = open_regular(path, Links::Follow).map_err(io)?;
        let mut magic = [0; 6];
        let length = file.metadata().map_err(io)?.len();
        let read = read_up_to(&mut file, &mut magic).map_err(io)?;
        match Packing::from_magic(&magic[..read]) {
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

    /// Finds a file by path.
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
                let mut path_inside = normal(name);
                for _ in 0..8 {
                    match members.get(&path_inside).ok_or_else(missing)? {
                        Member::File { offset, size } => {
                            return Ok(Blob { size: *size, offset: *offset, file: path.clone() });
                        }
                        Member::Link(target) => path_inside.clone_from(target),
                    }
                }
                Err(missing())
            }
        }
    }

    /// Finds a file in the `blobs` directory.
    pub(super) fn find_digest(&self, digest: &Digest) -> Result<Blob, ImageError> {
        self.find(&format!("blobs/sha256/{}", digest.hex())).map_err(|e| match e {
            ImageError::Missing { path, .. } => ImageError::Missing { path, part: digest.to_string() },
            other => other,
        })
    }

    /// Reads a document.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>, ImageError> {
        self.read(&self.find(name)?, name)
    }

    /// Reads a document in the `blobs` directory and verifies its digest.
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
        if blob.size > MAX_DOCUMENT_SIZE {
            let reason = format!("size {} bytes exceeds the maximum of {MAX_DOCUMENT_SIZE} bytes", blob.size);
            return Err(ImageError::Document { path: self.path().to_owned(), what: what.to_owned(), reason });
        }
        let mut bytes = Vec::new();
        blob.open().read_to_end(&mut bytes).map_err(|e| ImageError::io(&blob.file, e))?;
        if (bytes.len() as u64) < blob.size {
            return Err(ImageError::Truncated {
                path: self.path().to_owned(),
                reason: format!("{what} is incomplete"),
            });
        }
        Ok(bytes)
    }
}

impl Blob {
    /// Returns a reader of the file, which may be on a network file system that does not respond.
    fn open(&self) -> Take<Reader> {
        let Self { size, offset, file } = self.clone();
        let open = move || {
            let mut file = open_regular(&file, Links::Follow)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file.take(size))
        };
        Reader::start(bounded::READ, open).take(size)
    }

    /// Returns a reader that computes a digest.
    pub(super) fn hashed(&self) -> Hashed<Take<Reader>> {
        Hashed::new(self.open())
    }
}

/// A reader that computes the digest of its data.
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

    /// Returns the digest of the data read so far.
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

/// Compression of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// Detects the compression from the first bytes (RFC 1952 and RFC 8878).
    pub(super) fn from_magic(start: &[u8]) -> Self {
        if start.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Zstd
        } else {
            Self::Plain
        }
    }

    /// Detects the compression of a file.
    pub(super) fn from_blob(blob: &Blob) -> io::Result<Self> {
        let mut magic = [0; 6];
        // Only the start of the file is read.
        let start = Blob { size: blob.size.min(magic.len() as u64), ..blob.clone() };
        let read = read_up_to(&mut start.open(), &mut magic)?;
        Ok(Self::from_magic(&magic[..read]))
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match reader.read(&mut buffer[read..])? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
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
            Err(_) if members.is_empty() => return Err(not("it is not a tar archive", None)),
            Err(e) => return Err(truncated(e.to_string())),
        };
        let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let (offset, size) = (entry.raw_file_position(), entry.size());
            if offset.checked_add(size).is_none_or(|end| end > length) {
                return Err(truncated(format!("`{name}` is incomplete")));
            }
            members.insert(name, Member::File { offset, size });
        } else if (kind.is_symlink() || kind.is_hard_link())
            && let Some(target) = entry.link_name_bytes()
        {
            let target = String::from_utf8_lossy(&target).into_owned();
            // The target of a hard link is relative to the archive root, that of a symbolic link to its directory.
            let parent = if kind.is_hard_link() { "" } else { name.rsplit_once('/').map_or("", |(parent, _)| parent) };
            let target = normal(&format!("{parent}/{target}"));
            members.insert(name, Member::Link(target));
        }
        if members.len() > MAX_MEMBERS {
            return Err(not("it has too many members", None));
        }
    }
    if members.is_empty() {
        return Err(not("it is empty", None));
    }
    Ok(members)
}

/// Normalises the name of a member: resolves `.`, `..` and repeated slashes; `..` at the root is dropped.
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

/// Opens a directory as the root of an unpacked tree.
pub(super) fn tree(path: &Path) -> Result<Rooted, ImageError> {
    Rooted::open(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotADirectory => ImageError::WrongFormat {
            path: path.to_owned(),
            expected: "unpacked image",
            reason: "it is not a directory".to_owned(),
            hint: None,
        },
        _ => ImageError::io(path, e),
    })
}
