//! Time limits for calls that may never return, such as reads from a network file system whose server is gone.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// Time limit for a file system that may not respond; longer than on a busy machine.
pub(crate) const FILE_SYSTEM: Duration = Duration::from_secs(2);
/// Time limit for one read of a file that carnet needs. A mount may need this long to start.
pub const READ: Duration = Duration::from_secs(60);

/// Bytes that a [`Reader`] reads at once.
const CHUNK: usize = 256 << 10;
/// Number of chunks that a [`Reader`] reads in advance.
const CHUNKS: usize = 4;

/// Returns the result of a call. `None` if it exceeded the limit or panicked.
///
/// The thread of a call that never returns is not joined; it ends with the process.
pub fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    start(call).recv_timeout(limit).ok()
}

/// Returns the result of reading a file, or an error of the kind `TimedOut` after [`READ`].
///
/// # Errors
/// Those of the call, and if it exceeded the limit or panicked.
pub fn read<T: Send + 'static>(call: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    within(READ, call).unwrap_or_else(|| Err(no_response(READ)))
}

/// Returns the error for a file system that did not respond within a limit.
pub fn no_response(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the file system did not respond within {} s", limit.as_secs()))
}

/// Calls [`within`] if the call may block, otherwise without a limit, which could be exceeded on a busy machine.
pub(crate) fn within_where<T: Send + 'static>(
    may_block: bool,
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if may_block { within(limit, call) } else { Some(call()) }
}

/// Calls [`start`] if the call may block, otherwise completes it before returning.
pub(crate) fn start_where<T: Send + 'static>(
    may_block: bool,
    call: impl FnOnce() -> T + Send + 'static,
) -> mpsc::Receiver<T> {
    if may_block {
        return start(call);
    }
    let (sender, receiver) = mpsc::channel();
    let _ = sender.send(call());
    receiver
}

/// Starts a call in a thread and returns a channel for its result.
pub(crate) fn start<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // If no thread can be started, the channel is closed, as for a call that panicked.
    let _ = thread::Builder::new().name("bounded".to_owned()).spawn(move || {
        let _ = sender.send(call());
    });
    receiver
}

/// The file that a call started by [`watch`] works on.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Number of steps, and the current file.
    state: Arc<Mutex<(u64, PathBuf)>>,
}

impl Progress {
    /// Starts another step, on this file.
    pub fn step(&self, path: &Path) {
        let mut state = self.state();
        state.0 += 1;
        if state.1 != path {
            path.clone_into(&mut state.1);
        }
    }

    fn state(&self) -> MutexGuard<'_, (u64, PathBuf)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the result of a call that reads many files. The call may take any time, but each step at most about twice the
/// limit.
///
/// # Errors
/// If a step exceeds the limit or the call panics: the file and the reason.
pub fn watch<T: Send + 'static>(
    limit: Duration,
    call: impl FnOnce(&Progress) -> T + Send + 'static,
) -> Result<T, (PathBuf, io::Error)> {
    let progress = Progress::default();
    let receiver = start({
        let progress = progress.clone();
        move || call(&progress)
    });
    let mut seen = 0;
    loop {
        match receiver.recv_timeout(limit) {
            Ok(result) => return Ok(result),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err((progress.state().1.clone(), io::Error::other("the reader ended early")));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let (step, path) = progress.state().clone();
                if step == seen {
                    return Err((path, no_response(limit)));
                }
                seen = step;
            }
        }
    }
}

/// A reader whose file is opened and read in another thread. A read fails if no data arrives within the limit.
#[derive(Debug)]
pub struct Reader {
    receiver: mpsc::Receiver<io::Result<Vec<u8>>>,
    limit: Duration,
    chunk: Vec<u8>,
    position: usize,
    is_at_end: bool,
}

impl Reader {
    /// Starts a reader. `open` opens the file; its error is the error of the first read.
    pub fn start<R: Read>(limit: Duration, open: impl FnOnce() -> io::Result<R> + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::sync_channel(CHUNKS);
        // If no thread can be started, the channel is closed, which is reported as an error.
        let _ = thread::Builder::new().name("reader".to_owned()).spawn(move || send(open, &sender));
        Self { receiver, limit, chunk: Vec::new(), position: 0, is_at_end: false }
    }
}

/// Sends the content in chunks. An empty chunk is the end.
fn send<R: Read>(open: impl FnOnce() -> io::Result<R>, sender: &mpsc::SyncSender<io::Result<Vec<u8>>>) {
    let mut file = match open() {
        Ok(file) => file,
        Err(error) => {
            let _ = sender.send(Err(error));
            return;
        }
    };
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
        let is_last = !matches!(read, Ok(n) if n > 0);
        // A closed channel means that nobody reads the rest.
        if sender.send(read.map(|_| chunk)).is_err() || is_last {
            return;
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.chunk.len() && !self.is_at_end {
            self.chunk = match self.receiver.recv_timeout(self.limit) {
                Ok(chunk) => chunk?,
                Err(mpsc::RecvTimeoutError::Timeout) => return Err(no_response(self.limit)),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(io::Error::other("the reader ended early")),
            };
            self.position = 0;
            self.is_at_end = self.chunk.is_empty();
        }
        let rest = &self.chunk[self.position..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.position += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_that_hangs_is_abandoned() {
        assert_eq!(within(Duration::from_secs(5), || 1), Some(1));
        assert_eq!(within(Duration::from_millis(20), || thread::sleep(Duration::from_secs(60))), None);
    }

    #[test]
    fn call_that_cannot_block_has_no_limit() {
        let slow = || thread::sleep(Duration::from_millis(20));
        assert_eq!(within_where(false, Duration::ZERO, slow), Some(()));
        assert_eq!(start_where(false, slow).try_recv(), Ok(()));
    }

    #[test]
    fn step_that_hangs_is_reported_with_its_file() {
        assert_eq!(watch(READ, |_| 1).unwrap(), 1);
        let (path, error) = watch(Duration::from_millis(20), |progress| {
            for name in ["a", "b"] {
                progress.step(Path::new(name));
            }
            thread::sleep(Duration::from_secs(60));
        })
        .unwrap_err();
        assert_eq!((path.to_str(), error.kind()), (Some("b"), io::ErrorKind::TimedOut));
    }

    #[test]
    fn reader_returns_the_whole_content() {
        let content: Vec<u8> = (0..3 * CHUNK + 7).map(|n| (n % 251) as u8).collect();
        let expected = content.clone();
        let mut reader = Reader::start(READ, move || Ok(io::Cursor::new(content)));
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        assert!(found == expected);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn reader_of_a_file_that_does_not_respond_fails() {
        let (read_end, _write_end) = io::pipe().unwrap();
        let mut reader = Reader::start(Duration::from_millis(20), move || Ok(read_end));
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let mut reader = Reader::start(READ, || Err::<io::Empty, _>(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
