//! Layers as streams of uncompressed tar, checked while they are read.

use std::fs::File;
use std::io::{self, BufReader, Read, Take};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

use super::blob::{Blob, Hashed, Packing};
use super::error::ImageError;
use crate::model::digest::Digest;

/// Bytes a layer may have unpacked: far over any image, and an end for one that was made to never end.
const LAYER_CAP: u64 = 1 << 40;
const BUFFER: usize = 256 << 10;

/// A layer of an image on disk.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) blob: Blob,
    pub(super) packing: Packing,
    /// Digest of the layer as it is stored, when the image names one.
    pub(super) stored: Option<Digest>,
    /// Digest of the uncompressed layer.
    pub(super) diff_id: Digest,
    /// Counted from 1, for messages.
    pub(super) number: usize,
    /// Where the image lies, for messages.
    pub(super) image: PathBuf,
}

type Stored = BufReader<Hashed<Take<File>>>;

enum Decoder {
    Plain(Stored),
    Gzip(Box<MultiGzDecoder<Stored>>),
    Zstd(zstd::Decoder<'static, Stored>),
}

/// Reads one layer as uncompressed tar.
///
/// Digests are known to be right only at the end: call [`LayerReader::finish`] before trusting what was read.
pub struct LayerReader {
    decoder: Hashed<Decoder>,
    layer: Layer,
    length: u64,
}

impl Layer {
    /// Digest of the uncompressed layer.
    pub fn diff_id(&self) -> &Digest {
        &self.diff_id
    }

    /// Starts reading.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(&self) -> Result<LayerReader, ImageError> {
        let decoder = self.decoder().map_err(|source| self.failed(source))?;
        Ok(LayerReader { decoder: Hashed::new(decoder), layer: self.clone(), length: 0 })
    }

    pub(super) fn failed(&self, source: io::Error) -> ImageError {
        ImageError::Layer { path: self.image.clone(), layer: self.number, source }
    }

    fn decoder(&self) -> io::Result<Decoder> {
        let stored = BufReader::with_capacity(BUFFER, self.blob.hashed()?);
        Ok(match self.packing {
            Packing::Plain => Decoder::Plain(stored),
            Packing::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Packing::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(stored)?;
                // 128 MiB, what `zstd -19` needs at most; a hostile frame could ask for 2 GiB.
                decoder.window_log_max(27)?;
                Decoder::Zstd(decoder)
            }
        })
    }

    /// Compares the digest of the layer as stored with the one the image names, if it names one.
    pub(super) fn check_stored(&self, found: Digest) -> Result<(), ImageError> {
        // An uncompressed layer is named by its diff id even where the image has no digest of the stored form.
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
    /// Reads what is left and checks the digests.
    ///
    /// # Errors
    /// [`ImageError::Mismatch`] when the content isn't what the image names, [`ImageError::Layer`] when it can't be
    /// unpacked.
    pub fn finish(mut self) -> Result<(), ImageError> {
        let drained = drain(&mut self);
        let stored = self.decoder.inner_mut().stored();
        drain(stored).map_err(|e| self.layer.failed(e))?;
        let found = stored.get_ref().digest();
        // Checked first: a damaged file also fails to unpack, and this is the better word for it.
        self.layer.check_stored(found)?;
        drained.map_err(|e| self.layer.failed(e))?;
        self.layer.mismatch(", uncompressed,", &self.layer.diff_id, self.decoder.digest())
    }
}

impl Read for LayerReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buffer)?;
        self.length += n as u64;
        if self.length > LAYER_CAP {
            return Err(io::Error::other(format!("it has more than {LAYER_CAP} bytes unpacked")));
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
