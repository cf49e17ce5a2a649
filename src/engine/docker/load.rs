//! Images on disk, loaded into the daemon's store once.

use std::io::{self, Write};
use std::time::Duration;

use bollard::body_try_stream;
use bollard::models::ImageInspect;
use bollard::query_parameters::ImportImageOptionsBuilder;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::client::{Client, failed};
use super::image;
use crate::engine::EngineError;
use crate::error::Failure as _;
use crate::image::disk::OnDisk;
use crate::image::error::ImageError;
use crate::image::export::write_docker_archive;
use crate::model::digest::Digest;
use crate::model::reference::Reference;

/// Name of loaded images, with the start of their id as tag: without one the daemon's pruning would take them.
const REPOSITORY: &str = "carnet-loaded";
/// A daemon that says nothing for so long after it got everything has failed.
const LOAD_SILENCE: Duration = Duration::from_secs(600);

/// The image as the daemon has it, after loading it when the daemon hasn't.
pub(super) async fn load(
    client: &Client,
    reference: &Reference,
    cancel: &CancellationToken,
) -> Result<ImageInspect, EngineError> {
    let (on_disk, id) = read(reference).await?;
    if let Some(there) = image::inspect(client, id.as_str()).await? {
        return Ok(there);
    }
    tokio::select! {
        sent = send(client, reference, on_disk, &id) => sent?,
        () = cancel.cancelled() => return Err(EngineError::Cancelled),
    }
    image::inspect(client, id.as_str()).await?.ok_or_else(|| EngineError::Image {
        reference: reference.to_string(),
        reason: format!("the daemon loaded it as another image than {id}"),
        hint: None,
    })
}

/// The image as the daemon has it, if it was loaded before.
pub(super) async fn loaded(client: &Client, reference: &Reference) -> Result<Option<ImageInspect>, EngineError> {
    let (_, id) = read(reference).await?;
    image::inspect(client, id.as_str()).await
}

/// The image on the disk and the id it has in a daemon.
async fn read(reference: &Reference) -> Result<(OnDisk, Digest), EngineError> {
    let wanted = reference.clone();
    let opened =
        tokio::task::spawn_blocking(move || OnDisk::open(&wanted)).await.map_err(failed("reading the image"))?;
    let on_disk = opened.map_err(|error| unreadable(reference, &error))?;
    let id = on_disk.identity().config_digest.clone();
    let id = id.ok_or_else(|| failed("reading the image")("it has no configuration"))?;
    Ok((on_disk, id))
}

fn unreadable(reference: &Reference, error: &ImageError) -> EngineError {
    EngineError::Image { reference: reference.to_string(), reason: crate::error::chain(error), hint: error.hint() }
}

async fn send(client: &Client, reference: &Reference, on_disk: OnDisk, id: &Digest) -> Result<(), EngineError> {
    let name = format!("{REPOSITORY}:{}", id.short());
    let (sender, receiver) = channel(4);
    let writer = tokio::task::spawn_blocking(move || {
        let mut out = ChannelWriter::new(sender);
        let written = write_docker_archive(&on_disk, &name, &mut out);
        if let Err(error) = &written {
            // The daemon must not take what was cut off for a whole archive.
            out.fail(error.to_string());
        }
        written
    });
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let api = client.slow();
    let mut answer = std::pin::pin!(api.import_image(options, body_try_stream(pieces(receiver)), None));
    let mut outcome = Ok(());
    loop {
        match tokio::time::timeout(LOAD_SILENCE, answer.next()).await {
            Ok(None) => break,
            Ok(Some(Ok(_))) => (),
            Ok(Some(Err(error))) => {
                outcome = Err(failed("loading the image")(error));
                break;
            }
            Err(_) => {
                outcome = Err(failed("loading the image")("the daemon fell silent"));
                break;
            }
        }
    }
    // What is wrong with the image says more than that the sending was broken off.
    match writer.await.map_err(failed("reading the image"))? {
        Err(error) if !is_broken_off(&error) => Err(unreadable(reference, &error)),
        _ => outcome,
    }
}

/// Whether writing failed only because nobody took the bytes any more.
fn is_broken_off(error: &ImageError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// What comes through the channel, for the body of a request.
pub(super) fn pieces(receiver: Receiver<io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    })
}

/// Sends what is written through a channel, in pieces of some size.
pub(super) struct ChannelWriter {
    sender: Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl ChannelWriter {
    const PIECE: usize = 1 << 17;

    pub(super) fn new(sender: Sender<io::Result<Bytes>>) -> Self {
        Self { sender, buffer: Vec::with_capacity(Self::PIECE) }
    }

    fn send(&mut self, piece: io::Result<Bytes>) -> io::Result<()> {
        self.sender.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Breaks the body off.
    pub(super) fn fail(&mut self, reason: String) {
        // Nobody listens any more: then it is broken off already.
        let _ = self.send(Err(io::Error::other(reason)));
    }
}

impl Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = Self::PIECE - self.buffer.len();
        let taken = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == Self::PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(Self::PIECE));
        self.send(Ok(Bytes::from(piece)))
    }
}
