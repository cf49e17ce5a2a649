//! Calls that may never return, given a limit.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What a call on a file system that may be dead is given.
pub(super) const FILE_SYSTEM: Duration = Duration::from_millis(500);

/// The result of a call, or none when it took longer than the limit or panicked.
///
/// The thread of a call that never returns is left behind; the kernel frees it with the process.
pub(super) fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    start(call).recv_timeout(limit).ok()
}

/// Starts a call in its own thread; its result comes through the channel.
pub(super) fn start<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    // Without a thread there is no limit to give: the caller sees the same as a call that never returns.
    let _ = thread::Builder::new().name("probe".to_owned()).spawn(move || {
        let _ = sender.send(call());
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hangs_is_left_behind() {
        assert_eq!(within(Duration::from_secs(5), || 1), Some(1));
        assert_eq!(within(Duration::from_millis(20), || thread::sleep(Duration::from_secs(60))), None);
    }
}
