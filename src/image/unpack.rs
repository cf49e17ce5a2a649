//! Unpacks the layers of an image into one tree in the cache, once for all processes.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::disk::OnDisk;
use super::error::ImageError;
use super::layer::Layer;
use super::tree::{Refused, Writer};
use crate::sys::cache::{COMPLETE, Cache, ROOTFS, private_dir};
use crate::sys::lock::Lock;
use crate::sys::remove::remove_tree;

/// Whether to stop: asked often, from one thread.
pub type Stop<'a> = &'a dyn Fn() -> bool;

const CHUNK: usize = 256 << 10;
const CHUNKS: usize = 16;
/// Bytes that the headers of one entry may have, long names and extended attributes included.
const HEADER_CAP: u64 = 4 << 20;

/// The tree of an image, unpacked into the cache if it isn't there yet; of `dir:` the tree itself.
///
/// Another process that unpacks the same image is waited for. The tree appears under its name only when it is
/// complete. It is not forced to the disk: after a power failure, remove the cache.
///
/// # Errors
/// When the image is damaged or hostile, the disk is full, or `stop` said so.
pub fn unpack(image: &OnDisk, cache: &Cache, stop: Stop<'_>) -> Result<PathBuf, ImageError> {
    if let Some(tree) = image.as_tree() {
        return Ok(tree.to_owned());
    }
    let Some(config) = &image.identity().config_digest else {
        let reason = "has no configuration digest to be kept under".to_owned();
        return Err(ImageError::Unsupported { reference: image.identity().reference.clone(), reason });
    };
    if let Some(tree) = cache.tree(config) {
        return Ok(tree);
    }
    let trees = cache.trees();
    let at = |path: &Path| {
        let path = path.to_owned();
        move |e| ImageError::io(&path, e)
    };
    private_dir(&trees).map_err(at(&trees))?;
    let lock_path = trees.join(format!("{}.lock", config.hex()));
    let Some(_lock) = Lock::take(&lock_path, stop).map_err(at(&lock_path))? else { return Err(ImageError::Stopped) };
    if let Some(tree) = cache.tree(config) {
        return Ok(tree);
    }
    // The lock is held, so whatever lies under these names is left of a killed process.
    let (fresh, done) = (trees.join(format!("{}.new", config.hex())), trees.join(config.hex()));
    for stale in [&fresh, &done] {
        remove_tree(stale).map_err(at(stale))?;
    }
    let made = fill(image, &fresh, stop).and_then(|()| fs::rename(&fresh, &done).map_err(at(&done)));
    if let Err(failure) = made {
        // The failure that led here is the one to tell.
        let _ = remove_tree(&fresh);
        return Err(failure);
    }
    Ok(done.join(ROOTFS))
}

fn fill(image: &OnDisk, fresh: &Path, stop: Stop<'_>) -> Result<(), ImageError> {
    let io = |e| ImageError::io(fresh, e);
    private_dir(fresh).map_err(io)?;
    let rootfs = fresh.join(ROOTFS);
    unpack_into(image, &rootfs, stop)?;
    let record = serde_json::to_vec(image.identity()).map_err(|e| io(e.into()))?;
    fs::write(fresh.join(COMPLETE), record).map_err(io)
}

/// Unpacks an image into a new directory.
///
/// # Errors
/// As [`unpack`]; what was unpacked so far stays then.
pub fn unpack_into(image: &OnDisk, rootfs: &Path, stop: Stop<'_>) -> Result<(), ImageError> {
    let io = |e| ImageError::io(rootfs, e);
    fs::create_dir(rootfs).map_err(io)?;
    let mut writer = Writer::open(rootfs).map_err(io)?;
    for layer in image.layers() {
        apply(layer, &mut writer, stop)?;
    }
    writer.finish().map_err(io)
}

/// Applies one layer. Reading and checking it has its own thread, since both cost as much as writing.
fn apply(layer: &Layer, writer: &mut Writer, stop: Stop<'_>) -> Result<(), ImageError> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(CHUNKS);
        let reader = scope.spawn(move || send(layer, &sender));
        let written = write(layer, writer, receiver, stop);
        if matches!(written, Err(ImageError::Stopped)) {
            return written;
        }
        let read = reader.join().unwrap_or_else(|_| Err(layer.failed(io::Error::other("its reader panicked"))));
        // Damage explains a failure to write better than the failure itself.
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
        // A receiver that is gone has met a failure; whether damage is behind it shows at the end.
        if last || sender.send(read.map(|_| chunk)).is_err() {
            return reader.finish();
        }
    }
}

fn write(layer: &Layer, writer: &mut Writer, receiver: Receiver<Chunk>, stop: Stop<'_>) -> Result<(), ImageError> {
    let budget = Rc::new(Cell::new(HEADER_CAP));
    let metered = Metered { receiver, chunk: Vec::new(), at: 0, budget: Rc::clone(&budget), stop };
    let mut archive = tar::Archive::new(metered);
    let failed = |e: io::Error| if stop() { ImageError::Stopped } else { layer.failed(e) };
    writer.start_layer();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        budget.set(u64::MAX);
        writer.entry(&mut entry).map_err(|refused| match refused {
            Refused::Hostile(reason) => ImageError::Entry {
                path: layer.image.clone(),
                layer: layer.number,
                entry: String::from_utf8_lossy(&entry.path_bytes()).escape_debug().take(200).collect(),
                reason,
            },
            Refused::Io(e) => failed(e),
        })?;
        io::copy(&mut entry, &mut io::sink()).map_err(failed)?;
        budget.set(HEADER_CAP);
    }
    Ok(())
}

/// Reads the chunks of the other thread, within a budget: between two entries there is little to read in an honest tar.
struct Metered<'a> {
    receiver: Receiver<Chunk>,
    chunk: Vec<u8>,
    at: usize,
    budget: Rc<Cell<u64>>,
    stop: Stop<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            if (self.stop)() {
                return Err(io::Error::other("interrupted"));
            }
            // The other thread stops sending at the end of the layer, or when it can't read on.
            let Ok(chunk) = self.receiver.recv() else { return Ok(0) };
            self.chunk = chunk?;
            self.at = 0;
        }
        let left = &self.chunk[self.at..];
        let n = left.len().min(buffer.len());
        buffer[..n].copy_from_slice(&left[..n]);
        self.at += n;
        let budget = self.budget.get().checked_sub(n as u64);
        self.budget.set(budget.ok_or_else(|| io::Error::other("an entry's header is far too long"))?);
        Ok(n)
    }
}
