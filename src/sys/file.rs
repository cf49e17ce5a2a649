//! Opening files that others name. A pipe, a socket or a device is refused, because reading it may never end.

use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::fs::OFlags;

use super::bounded;

/// What to do if a file exceeds the limit of the process on the size of files.
pub const SIZE_LIMIT_HINT: &str = "increase the limit on the size of files (`ulimit -f`)";

/// Makes a write beyond the limit on the size of files (`ulimit -f`) an error instead of a signal that kills the process. A
/// handler and not `SIG_IGN`, which the programs that this process starts would inherit.
///
/// # Errors
/// Fails if the handler can't be installed.
pub fn survive_size_limit() -> io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    Ok(())
}

/// Treatment of a path whose last component is a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The target is used.
    Follow,
    /// The link is an error.
    Refuse,
}

/// Opens a regular file without blocking on a pipe.
///
/// # Errors
/// If the file can't be opened or is not a regular file.
pub fn open_regular(path: &Path, links: Links) -> io::Result<File> {
    let links = if links == Links::Refuse { OFlags::NOFOLLOW } else { OFlags::empty() };
    let flags = links | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    // A socket can't be opened.
    let file = opened.map_err(|error| path.metadata().ok().and_then(not_regular).unwrap_or(error))?;
    file.metadata().map(not_regular)?.map_or(Ok(file), Err)
}

fn not_regular(metadata: std::fs::Metadata) -> Option<io::Error> {
    let description = special(metadata.file_type()).or_else(|| metadata.is_dir().then_some("a directory"))?;
    Some(io::Error::new(io::ErrorKind::InvalidInput, format!("{description}, not a regular file")))
}

/// Describes a pipe, a socket or a device. `None` for other files.
pub fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("a device")
    } else {
        None
    }
}

/// Reads a regular file of at most `max_bytes` bytes; of a longer file, one byte more. Follows links.
///
/// # Errors
/// If the file can't be read, is not a regular file, or is on a file system that does not respond.
pub fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let owned = path.to_owned();
    let mut bytes = Vec::new();
    let file = bounded::Reader::start(bounded::READ, move || open_regular(&owned, Links::Follow));
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file whose path the user typed, which may be a pipe of this process: `/dev/stdin`, or `/dev/fd/63` for the
/// `<(...)` of a shell. Other files are read as by [`read`].
///
/// # Errors
/// As [`read`].
pub fn read_given(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let Some(number) = own_descriptor(path) else { return read(path, max_bytes) };
    let mut bytes = Vec::new();
    let file = File::open(format!("/proc/self/fd/{number}"))?;
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the number of the descriptor of this process that a path names, as `/dev/stdin` or `/dev/fd/63`.
pub fn own_descriptor(path: &Path) -> Option<u32> {
    let path = path.to_str()?;
    let standard = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].iter().position(|name| *name == path);
    let number = || path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?.parse().ok();
    standard.and_then(|number| u32::try_from(number).ok()).or_else(number)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, Mode, mknodat};

    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("file"), "x").unwrap();
        symlink("file", path("link")).unwrap();
        mknodat(CWD, path("pipe"), rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        let open = |path: &Path, links| open_regular(path, links).map(drop).map_err(|error| error.to_string());
        for (name, expected) in [
            ("pipe", "a pipe, not a regular file"),
            ("socket", "a socket, not a regular file"),
            ("/dev/zero", "a device, not a regular file"),
            (".", "a directory, not a regular file"),
        ] {
            assert_eq!(open(&path(name), Links::Refuse), Err(expected.to_owned()), "{name}");
            assert_eq!(read_given(&path(name), 1).unwrap_err().to_string(), expected, "{name}");
        }
        assert_eq!(open(&path("link"), Links::Follow), Ok(()));
        assert!(open(&path("link"), Links::Refuse).is_err());
        assert_eq!(read(&path("link"), 0).unwrap(), b"x");
    }

    #[test]
    fn own_descriptors_are_recognized() {
        let number = |path: &str| own_descriptor(Path::new(path));
        assert_eq!(["/dev/stdin", "/dev/stderr", "/dev/fd/63"].map(number), [Some(0), Some(2), Some(63)]);
        assert_eq!(["/dev/fd/x", "/dev/null", "stdin", "/dev/fd/../sda"].map(number), [None; 4]);
    }
}
