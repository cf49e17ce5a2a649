//! Loads images on disk into the store of the daemon, once each.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use bollard::body_try_stream;
use bollard::models::ImageInspect;
use bollard::query_parameters::{ImportImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::client::{Client, failed, found};
use crate::engine::EngineError;
use crate::error::Failure as _;
use crate::image::disk::OnDisk;
use crate::image::error::ImageError;
use crate::image::export::write_docker_archive;
use crate::model::digest::Digest;
use crate::model::reference::Reference;

/// Name of loaded images. Their tag is a prefix of their id. Without a tag, pruning would remove them.
const REPOSITORY: &str = "carnet-loaded";
/// Maximum time without an answer after the whole image was sent.
const LOAD_SILENCE: Duration = Duration::from_secs(600);

/// Returns the image in the daemon. Loads it if the daemon lacks it.
pub(super) async fn load(
    client: &Client,
    reference: &Reference,
    cancel: &CancellationToken,
) -> Result<ImageInspect, EngineError> {
    let (on_disk, id) = read(reference).await?;
    if let Some(loaded) = client.inspect_image(id.as_str()).await? {
        return Ok(loaded);
    }
    tokio::select! {
        sent = send(client, reference, on_disk, &id) => sent?,
        () = cancel.cancelled() => return Err(EngineError::Cancelled),
    }
    client.inspect_image(id.as_str()).await?.ok_or_else(|| EngineError::Image {
        reference: reference.to_string(),
        reason: format!("the daemon loaded the image with a different id than {id}"),
        hint: None,
    })
}

/// Returns the image in the daemon, if an earlier run loaded it.
pub(super) async fn loaded(client: &Client, reference: &Reference) -> Result<Option<ImageInspect>, EngineError> {
    let (_, id) = read(reference).await?;
    client.inspect_image(id.as_str()).await
}

/// Removes all loaded images, and returns their number and their size in bytes. An image with another name keeps that name.
pub(super) async fn remove_all(client: &Client) -> Result<(usize, u64), EngineError> {
    let filters: HashMap<&str, Vec<&str>> = [("reference", vec![REPOSITORY])].into();
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let images = client.api.list_images(Some(options)).await.map_err(failed("listing images"))?;
    let mut removed = (0, 0);
    for image in images {
        let is_loaded = |name: &&String| name.strip_prefix(REPOSITORY).is_some_and(|rest| rest.starts_with(':'));
        for name in image.repo_tags.iter().filter(is_loaded) {
            let answer = found(client.api.remove_image(name, None::<RemoveImageOptions>, None).await);
            if answer.map_err(failed("removing an image"))?.is_some() {
                let bytes = if image.repo_tags.len() == 1 { u64::try_from(image.size).unwrap_or_default() } else { 0 };
                removed = (removed.0 + 1, removed.1 + bytes);
            }
        }
    }
    Ok(removed)
}

/// Opens the image on disk and returns its id in a daemon.
async fn read(reference: &Reference) -> Result<(OnDisk, Digest), EngineError> {
    let owned = reference.clone();
    let opened =
        tokio::task::spawn_blocking(move || OnDisk::open(&owned)).await.map_err(failed("reading the image"))?;
    let on_disk = opened.map_err(|error| unreadable(reference, &error))?;
    let id = on_disk.identity().config_digest.clone();
    let id = id.ok_or_else(|| failed("reading the image")("the image has no configuration"))?;
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
            // The daemon must not treat the truncated data as a complete archive.
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
                outcome = Err(failed("loading the image")("the daemon does not respond"));
                break;
            }
        }
    }
    // An error in the image is the cause of the aborted upload.
    match writer.await.map_err(failed("reading the image"))? {
        Err(error) if !is_broken_pipe(&error) => Err(unreadable(reference, &error)),
        _ => outcome,
    }
}

/// Reports whether writing failed because the daemon stopped reading.
fn is_broken_pipe(error: &ImageError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Returns the pieces from a channel, for the body of a request.
pub(super) fn pieces(receiver: Receiver<io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(receiver, |mut receiver| async move {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    })
}

/// A writer that sends pieces of a fixed size through a channel.
pub(super) struct ChannelWriter {
    sender: Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl ChannelWriter {
    const PIECE_SIZE: usize = 1 << 17;

    pub(super) fn new(sender: Sender<io::Result<Bytes>>) -> Self {
        Self { sender, buffer: Vec::with_capacity(Self::PIECE_SIZE) }
    }

    fn send(&mut self, piece: io::Result<Bytes>) -> io::Result<()> {
        self.sender.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Aborts the body of the request.
    pub(super) fn fail(&mut self, reason: String) {
        // An error means that the request has already ended.
        let _ = self.send(Err(io::Error::other(reason)));
    }
}

impl Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = Self::PIECE_SIZE - self.buffer.len();
        let taken = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == Self::PIECE_SIZE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(Self::PIECE_SIZE));
        self.send(Ok(Bytes::from(piece)))
    }
}
