//! Time limits for calls that may never return.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Time limit for a file system that may not respond; longer than on a busy machine.
pub(super) const FILE_SYSTEM: Duration = Duration::from_secs(2);

/// Returns the result of a call. `None` if it exceeded the limit or panicked.
///
/// The thread of a call that never returns is not joined; it ends with the process.
pub(super) fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    start(call).recv_timeout(limit).ok()
}

/// Calls [`within`] if the call may block, otherwise without a limit, which could be exceeded on a busy machine.
pub(super) fn within_where<T: Send + 'static>(
    may_block: bool,
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if may_block { within(limit, call) } else { Some(call()) }
}

/// Calls [`start`] if the call may block, otherwise completes it before returning.
pub(super) fn start_where<T: Send + 'static>(
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
pub(super) fn start<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // If no thread can be started, the channel is closed, as for a call that panicked.
    let _ = thread::Builder::new().name("probe".to_owned()).spawn(move || {
        let _ = sender.send(call());
    });
    receiver
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
}
