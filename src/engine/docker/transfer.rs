//! Transfers files into and out of containers as tar archives.

use std::io;
use std::path::Path;

use bollard::body_try_stream;
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc::channel;
use tokio_util::bytes::Bytes;

use super::client::{Client, failed, found};
use super::load::{ChannelWriter, pieces};
use crate::engine::EngineError;
use crate::model::contract::Ids;

/// A directory to create.
pub(super) struct Directory<'a> {
    /// Path relative to its destination.
    pub path: &'a str,
    pub mode: u32,
    pub owner: Ids,
}

/// Creates directories below `parent`. Existing ones get the modes and owners.
pub(super) async fn make_directories(
    client: &Client,
    container: &str,
    parent: &str,
    directories: &[Directory<'_>],
) -> Result<(), EngineError> {
    let doing = "creating directories in the container";
    let mut archive = Builder::new(Vec::new());
    for directory in directories {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Directory);
        header.set_mode(directory.mode);
        header.set_uid(directory.owner.uid.into());
        header.set_gid(directory.owner.gid.into());
        header.set_size(0);
        let path = format!("{}/", directory.path.trim_matches('/'));
        archive.append_data(&mut header, path, io::empty()).map_err(failed(doing))?;
    }
    let bytes = Bytes::from(archive.into_inner().map_err(failed(doing))?);
    let options = UploadToContainerOptionsBuilder::default().path(parent).build();
    client.api.upload_to_container(container, Some(options), bollard::body_full(bytes)).await.map_err(failed(doing))
}

/// Uploads the content of a directory of this machine to the directory `to`. Links are uploaded as links.
pub(super) async fn send_directory(client: &Client, container: &str, from: &Path, to: &str) -> Result<(), EngineError> {
    let (sender, receiver) = channel(4);
    let from = from.to_owned();
    let writer = tokio::task::spawn_blocking(move || {
        let mut out = ChannelWriter::new(sender);
        let written = write_directory(&from, &mut out);
        if let Err(error) = &written {
            out.fail(error.to_string());
        }
        written
    });
    let options = UploadToContainerOptionsBuilder::default().path(to).build();
    let sent = client.slow().upload_to_container(container, Some(options), body_try_stream(pieces(receiver))).await;
    let doing = "uploading the input";
    match writer.await.map_err(failed(doing))? {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(doing)(error)),
        _ => sent.map_err(failed(doing)),
    }
}

fn write_directory(from: &Path, out: &mut ChannelWriter) -> io::Result<()> {
    let mut archive = Builder::new(&mut *out);
    archive.follow_symlinks(false);
    archive.append_dir_all("", from)?;
    archive.into_inner().and_then(io::Write::flush)
}

/// Reports whether a path exists in the container.
pub(super) async fn exists(client: &Client, container: &str, path: &str) -> Result<bool, EngineError> {
    let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
    let answer = found(client.api.get_container_archive_info(container, Some(options)).await);
    Ok(answer.map_err(failed("reading the file system of the container"))?.is_some())
}

/// Copies a directory of one container to the directory `to` of another.
pub(super) async fn copy_between(
    client: &Client,
    (from, path): (&str, &str),
    (into, to): (&str, &str),
) -> Result<(), EngineError> {
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let stream = client.api.download_from_container(from, Some(options));
    let stream = stream.map(|piece| piece.map_err(io::Error::other));
    // The stream borrows the client, which a body may not, so a channel connects them.
    let (sender, receiver) = channel(4);
    let options = UploadToContainerOptionsBuilder::default().path(to).build();
    let api = client.slow();
    let upload = api.upload_to_container(into, Some(options), body_try_stream(pieces(receiver)));
    let pump = async {
        let mut stream = std::pin::pin!(stream);
        while let Some(piece) = stream.next().await {
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        drop(sender);
    };
    let (sent, ()) = futures_util::future::join(upload, pump).await;
    sent.map_err(failed("saving the writable directory"))
}
