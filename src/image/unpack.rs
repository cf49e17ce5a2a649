//! Unpacks the layers of an image into a tree in the cache, shared by all processes.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use serde::{Deserialize, Serialize};

use super::disk::OnDisk;
use super::error::ImageError;
use super::layer::Layer;
use super::tree::{EntryError, Writer};
use crate::model::image::ImageIdentity;
use crate::sys::cache::{COMPLETE, Cache, ROOTFS, private_dir};
use crate::sys::lock::Lock;
use crate::sys::remove::remove_tree;
use crate::sys::sweep::{lock_path, sweep};

/// Reports whether to stop; called often, from one thread.
pub type Stop<'a> = &'a dyn Fn() -> bool;

const CHUNK: usize = 256 << 10;
const CHUNKS: usize = 16;
/// Maximum size of the headers of one entry in bytes, including long names and extended attributes.
const MAX_HEADER_SIZE: u64 = 4 << 20;

/// Returns the unpacked tree of an image; it is unpacked into the cache if necessary. For `dir:`, returns the tree
/// itself.
///
/// A damaged tree is unpacked again ([`is_damaged`]). Waits for another process that unpacks the same image. The tree is renamed to its final name when it is complete. It
/// is not synchronised to disk: after a power failure, the cache must be removed.
///
/// # Errors
/// If the image is damaged or malicious, the disk is full, or `stop` returns true.
pub fn unpack(image: &OnDisk, cache: &Cache, stop: Stop<'_>) -> Result<PathBuf, ImageError> {
    if let Some(tree) = image.as_tree() {
        return Ok(tree.to_owned());
    }
    let Some(config) = &image.identity().config_digest else {
        let reason = "has no configuration digest, so it cannot be cached".to_owned();
        return Err(ImageError::Unsupported { reference: image.identity().reference.clone(), reason });
    };
    let intact = || cache.tree(config).filter(|tree| is_intact(tree));
    if let Some(tree) = intact() {
        return Ok(tree);
    }
    let trees = cache.trees();
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |e| ImageError::io(&path, e)
    };
    private_dir(&trees).map_err(io_error(&trees))?;
    let done = trees.join(config.hex());
    let lock_path = lock_path(&done);
    let Some(_lock) = Lock::take(&lock_path, stop).map_err(io_error(&lock_path))? else {
        return Err(ImageError::Stopped);
    };
    if let Some(tree) = intact() {
        return Ok(tree);
    }
    // The lock is held, so these paths are damaged or leftovers of a killed process.
    let fresh = partial_tree(&done);
    for stale in [&fresh, &done] {
        remove_tree(stale).map_err(io_error(stale))?;
    }
    let filled = fill(image, &fresh, stop).and_then(|()| fs::rename(&fresh, &done).map_err(io_error(&done)));
    if let Err(failure) = filled {
        // The first error is returned, not one of the cleanup.
        let _ = remove_tree(&fresh);
        return Err(failure);
    }
    Ok(done.join(ROOTFS))
}

/// Content of the marker of a complete tree.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Record {
    identity: Option<ImageIdentity>,
    /// The upper paths of the tree, which exist as long as nobody removes a part of it. Empty if an older version unpacked
    /// it.
    paths: Vec<PathBuf>,
}

/// Number of directory levels in [`Record::paths`]. Deeper levels have too many files to check them before every run.
const OUTLINE_LEVELS: usize = 3;

/// Returns the paths in the upper levels of a tree, relative to it.
fn outline(rootfs: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut level = vec![PathBuf::new()];
    for _ in 0..OUTLINE_LEVELS {
        let mut below = Vec::new();
        for dir in &level {
            // Names that are not valid UTF-8 have no JSON form.
            let entries =
                fs::read_dir(rootfs.join(dir))?.flatten().filter(|entry| entry.file_name().to_str().is_some());
            for entry in entries {
                let path = dir.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    below.push(path.clone());
                }
                paths.push(path);
            }
        }
        level = below;
    }
    paths.sort();
    Ok(paths)
}

/// Reports whether the cache contains a tree of this image with missing parts.
pub fn is_damaged(image: &OnDisk, cache: &Cache) -> bool {
    let tree = image.identity().config_digest.as_ref().and_then(|config| cache.tree(config));
    tree.is_some_and(|tree| !is_intact(&tree))
}

/// Reports whether the upper paths of a complete tree exist.
fn is_intact(tree: &Path) -> bool {
    let Some(record) = tree.parent().and_then(|dir| fs::read(dir.join(COMPLETE)).ok()) else { return false };
    let Ok(record) = serde_json::from_slice::<Record>(&record) else { return false };
    let exists = |path: &PathBuf| tree.join(path).symlink_metadata().is_ok();
    tree.symlink_metadata().is_ok_and(|data| data.is_dir()) && record.paths.iter().all(exists)
}

/// Removes the partial trees of killed processes. Returns a line for each that was removed or could not be removed.
pub fn remove_partial_trees(cache: &Cache) -> Vec<String> {
    sweep(&cache.trees(), |tree| Some(partial_tree(tree)))
}

/// Returns the path at which a tree is unpacked before it is renamed.
fn partial_tree(tree: &Path) -> PathBuf {
    tree.with_extension("new")
}

fn fill(image: &OnDisk, fresh: &Path, stop: Stop<'_>) -> Result<(), ImageError> {
    let io = |e| ImageError::io(fresh, e);
    private_dir(fresh).map_err(io)?;
    let rootfs = fresh.join(ROOTFS);
    unpack_into(image, &rootfs, stop)?;
    let record = Record { identity: Some(image.identity().clone()), paths: outline(&rootfs).map_err(io)? };
    let record = serde_json::to_vec(&record).map_err(|e| io(e.into()))?;
    fs::write(fresh.join(COMPLETE), record).map_err(io)
}

/// Unpacks an image into a new directory.
///
/// # Errors
/// See [`unpack`]; the partial tree is not removed.
pub fn unpack_into(image: &OnDisk, rootfs: &Path, stop: Stop<'_>) -> Result<(), ImageError> {
    let io = |e| ImageError::io(rootfs, e);
    fs::create_dir(rootfs).map_err(io)?;
    let mut writer = Writer::open(rootfs).map_err(io)?;
    for layer in image.layers() {
        apply(layer, &mut writer, stop)?;
    }
    writer.finish().map_err(io)
}

/// Applies one layer. A second thread reads and verifies it, which takes as long as writing.
fn apply(layer: &Layer, writer: &mut Writer, stop: Stop<'_>) -> Result<(), ImageError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(CHUNKS);
        let reader = scope.spawn(move || send(layer, &sender));
        let written = write(layer, writer, receiver, stop);
        if matches!(written, Err(ImageError::Stopped)) {
            return written;
        }
        let read = reader.join().unwrap_or_else(|_| Err(layer.failed(io::Error::other("the reader thread panicked"))));
        // Damage is the cause of a failed write, so it is reported first.
        read.and(written)
    })
}

type Chunk = io::Result<Vec<u8>>;

fn send(layer: &Layer, sender: &SyncSender<Chunk>) -> Result<(), ImageError> {
    let mut reader = layer.open()?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        let last = !matches!(read, Ok(n) if n > 0);
        // The receiver is dropped after an error; `finish` reports whether damage is the cause.
        if last || sender.send(read.map(|_| chunk)).is_err() {
            return reader.finish();
        }
    }
}

fn write(layer: &Layer, writer: &mut Writer, receiver: Receiver<Chunk>, stop: Stop<'_>) -> Result<(), ImageError> {
    let budget = Rc::new(Cell::new(MAX_HEADER_SIZE));
    let metered = Metered { receiver, chunk: Vec::new(), position: 0, budget: Rc::clone(&budget), stop };
    let mut archive = tar::Archive::new(metered);
    let failed = |e: io::Error| if stop() { ImageError::Stopped } else { layer.failed(e) };
    writer.start_layer();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        budget.set(u64::MAX);
        writer.entry(&mut entry).map_err(|error| match error {
            EntryError::Invalid(reason) => ImageError::Entry {
                path: layer.image.clone(),
                layer: layer.number,
                entry: String::from_utf8_lossy(&entry.path_bytes()).escape_debug().take(200).collect(),
                reason,
            },
            EntryError::Io(e) => failed(e),
        })?;
        io::copy(&mut entry, &mut io::sink()).map_err(failed)?;
        budget.set(MAX_HEADER_SIZE);
    }
    Ok(())
}

/// A reader of the chunks of the other thread. It limits the data between two entries, which is small in a valid
/// archive.
struct Metered<'a> {
    receiver: Receiver<Chunk>,
    chunk: Vec<u8>,
    position: usize,
    budget: Rc<Cell<u64>>,
    stop: Stop<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.chunk.len() {
            if (self.stop)() {
                return Err(io::Error::other("interrupted"));
            }
            // The other thread stops sending at the end of the layer or after an error.
            let Ok(chunk) = self.receiver.recv() else { return Ok(0) };
            self.chunk = chunk?;
            self.position = 0;
        }
        let rest = &self.chunk[self.position..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.position += n;
        let budget = self.budget.get().checked_sub(n as u64);
        self.budget.set(budget.ok_or_else(|| io::Error::other("the header of an entry is too long"))?);
        Ok(n)
    }
}
