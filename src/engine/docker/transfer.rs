//! Transfers files into and out of containers as tar archives.

use std::io::{self, Cursor, Read as _};
use std::path::Path;

use bollard::body_try_stream;
use bollard::errors::Error as ApiError;
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
use crate::engine::result_file::ResultError;
use crate::model::contract::Ids;

/// Maximum size in bytes of the headers of a tar archive with one file.
const MAX_TAR_OVERHEAD: u64 = 1 << 14;
/// Bits of a mode in the encoding of Go that a regular file does not have.
const NOT_REGULAR: u32 = 0x8f28_0000;

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
    Ok(stat(client, container, path).await.map_err(failed("reading the file system of the container"))?.is_some())
}

/// Returns the mode in the encoding of Go, and the size.
async fn stat(client: &Client, container: &str, path: &str) -> Result<Option<(u32, i64)>, ApiError> {
    let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
    let answer = found(client.api.get_container_archive_info(container, Some(options)).await)?;
    Ok(answer.map(|stat| (stat.file_mode, stat.size)))
}

/// Downloads the regular file at `path` of at most `max_bytes` bytes. Returns `None` if it does not exist.
pub(super) async fn fetch_file(
    client: &Client,
    container: &str,
    path: &str,
    max_bytes: u64,
) -> Result<Option<Vec<u8>>, EngineError> {
    let doing = "downloading the result";
    let too_large = || failed(doing)(ResultError::TooLarge { path: path.to_owned(), max_bytes });
    let Some((mode, size)) = stat(client, container, path).await.map_err(failed(doing))? else { return Ok(None) };
    if mode & NOT_REGULAR != 0 {
        return Err(failed(doing)(ResultError::NotAFile(path.to_owned())));
    }
    if u64::try_from(size).is_ok_and(|size| size > max_bytes) {
        return Err(too_large());
    }
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let mut stream = std::pin::pin!(client.api.download_from_container(container, Some(options)));
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.map_err(failed(doing))?);
        if bytes.len() as u64 > max_bytes.saturating_add(MAX_TAR_OVERHEAD) {
            return Err(too_large());
        }
    }
    match only_file(bytes, max_bytes) {
        Ok(Some(content)) => Ok(Some(content)),
        Ok(None) => Err(failed(doing)(ResultError::NotAFile(path.to_owned()))),
        Err(error) => Err(failed(doing)(error)),
    }
}

/// Returns the content of an archive with exactly one regular file.
fn only_file(bytes: Vec<u8>, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let mut content = None;
    for entry in archive.entries()? {
        let entry = entry?;
        if content.is_some() || entry.header().entry_type() != EntryType::Regular {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        entry.take(max_bytes).read_to_end(&mut bytes)?;
        content = Some(bytes);
    }
    Ok(content)
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

#[cfg(test)]
mod tests {
    use tar::{Builder, EntryType, Header};

    use super::only_file;

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").expect("a short name");
            }
            archive.append_data(&mut header, name, *content).expect("writing to memory");
        }
        archive.into_inner().expect("writing to memory")
    }

    #[test]
    fn only_file_accepts_exactly_one_regular_file() {
        let file = ("result", EntryType::Regular, &b"content"[..]);
        let link = ("result", EntryType::Symlink, &b""[..]);
        assert_eq!(only_file(archive(&[file]), 100).expect("an archive"), Some(b"content".to_vec()));
        assert_eq!(only_file(archive(&[file, file]), 100).expect("an archive"), None);
        assert_eq!(only_file(archive(&[link]), 100).expect("an archive"), None);
        assert_eq!(only_file(archive(&[link, file]), 100).expect("an archive"), None);
        let long = "x/".repeat(150) + "result";
        let deep = (long.as_str(), EntryType::Regular, &b"content"[..]);
        assert_eq!(only_file(archive(&[deep]), 100).expect("an archive"), Some(b"content".to_vec()));
        let mut truncated = archive(&[file]);
        truncated.truncate(514);
        assert!(only_file(truncated, 100).is_err(), "a truncated archive is an error");
    }
}
