//! Layers as streams of uncompressed tar, verified while they are read.

use std::io::{self, BufReader, Read, Take};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

use super::blob::{Blob, Hashed, Packing};
use super::error::ImageError;
use crate::model::digest::Digest;
use crate::sys::bounded::Reader;

/// Maximum uncompressed size of a layer in bytes, as a limit for malicious images.
const MAX_LAYER_SIZE: u64 = 1 << 40;
const BUFFER: usize = 256 << 10;

/// A layer of an image on disk.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) blob: Blob,
    pub(super) packing: Packing,
    /// Digest of the stored layer, if the image states one.
    pub(super) stored: Option<Digest>,
    /// Digest of the uncompressed layer.
    pub(super) diff_id: Digest,
    /// Number starting at 1, for messages.
    pub(super) number: usize,
    /// Path of the image, for messages.
    pub(super) image: PathBuf,
}

type Stored = BufReader<Hashed<Take<Reader>>>;

enum Decoder {
    Plain(Stored),
    Gzip(Box<MultiGzDecoder<Stored>>),
    Zstd(zstd::Decoder<'static, Stored>),
}

/// A reader of one layer as uncompressed tar.
///
/// Digests are verified at the end: the data is untrusted until [`LayerReader::finish`] returns.
pub struct LayerReader {
    decoder: Hashed<Decoder>,
    layer: Layer,
    length: u64,
}

impl Layer {
    /// Returns the digest of the uncompressed layer.
    pub fn diff_id(&self) -> &Digest {
        &self.diff_id
    }

    /// Opens the layer for reading.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(&self) -> Result<LayerReader, ImageError> {
        let decoder = self.decoder().map_err(|source| self.failed(source))?;
        Ok(LayerReader { decoder: Hashed::new(decoder), layer: self.clone(), length: 0 })
    }

    pub(super) fn failed(&self, source: io::Error) -> ImageError {
        ImageError::Layer { path: self.image.clone(), layer: self.number, source }
    }

    fn decoder(&self) -> io::Result<Decoder> {
        let stored = BufReader::with_capacity(BUFFER, self.blob.hashed());
        Ok(match self.packing {
            Packing::Plain => Decoder::Plain(stored),
            Packing::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Packing::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(stored)?;
                // 128 MiB, the maximum of `zstd -19`; a malicious frame could require 2 GiB.
                decoder.window_log_max(27)?;
                Decoder::Zstd(decoder)
            }
        })
    }

    /// Verifies the digest of the stored layer, if the image states one.
    pub(super) fn check_stored(&self, found: Digest) -> Result<(), ImageError> {
        // For an uncompressed layer, the diff id is also the digest of the stored layer.
        let plain = (self.packing == Packing::Plain).then_some(&self.diff_id);
        self.stored.as_ref().or(plain).map_or(Ok(()), |expected| self.mismatch("", expected, found))
    }

    fn mismatch(&self, form: &str, expected: &Digest, found: Digest) -> Result<(), ImageError> {
        if *expected == found {
            return Ok(());
        }
        let what = format!("layer {}{form}", self.number);
        Err(ImageError::Mismatch { path: self.image.clone(), what, expected: expected.clone(), found })
    }
}

impl LayerReader {
    /// Reads the remaining data and verifies the digests.
    ///
    /// # Errors
    /// [`ImageError::Mismatch`] if a digest does not match, [`ImageError::Layer`] if the layer cannot be decompressed.
    pub fn finish(mut self) -> Result<(), ImageError> {
        let drained = drain(&mut self);
        let stored = self.decoder.inner_mut().stored();
        drain(stored).map_err(|e| self.layer.failed(e))?;
        let found = stored.get_ref().digest();
        // Verified first: a damaged file also fails to decompress, and this error is more precise.
        self.layer.check_stored(found)?;
        drained.map_err(|e| self.layer.failed(e))?;
        self.layer.mismatch(", uncompressed,", &self.layer.diff_id, self.decoder.digest())
    }
}

impl Read for LayerReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buffer)?;
        self.length += n as u64;
        if self.length > MAX_LAYER_SIZE {
            return Err(io::Error::other(format!("uncompressed size exceeds {MAX_LAYER_SIZE} bytes")));
        }
        Ok(n)
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Gzip(reader) => reader.read(buffer),
            Self::Zstd(reader) => reader.read(buffer),
        }
    }
}

impl Decoder {
    fn stored(&mut self) -> &mut Stored {
        match self {
            Self::Plain(reader) => reader,
            Self::Gzip(reader) => reader.get_mut(),
            Self::Zstd(reader) => reader.get_mut(),
        }
    }
}

fn drain(reader: &mut impl Read) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    while reader.read(&mut buffer)? > 0 {}
    Ok(())
}
