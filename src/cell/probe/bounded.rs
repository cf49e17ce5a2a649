//! Calls that may never return, given a limit.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What a call on a file system that may be dead is given: more than a busy machine makes a living one take.
pub(super) const FILE_SYSTEM: Duration = Duration::from_secs(2);

/// The result of a call, or none when it took longer than the limit or panicked.
///
/// The thread of a call that never returns is left behind; the kernel frees it with the process.
pub(super) fn within<T: Send + 'static>(limit: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    start(call).recv_timeout(limit).ok()
}

/// As [`within`] where the call may block, else without a limit: on a busy machine the limit alone could make it fail.
pub(super) fn within_where<T: Send + 'static>(
    may_block: bool,
    limit: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if may_block { within(limit, call) } else { Some(call()) }
}

/// As [`start`] where the call may block, else it is done when this returns.
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

    #[test]
    fn a_call_that_can_t_block_has_no_limit() {
        let slow = || thread::sleep(Duration::from_millis(20));
        assert_eq!(within_where(false, Duration::ZERO, slow), Some(()));
        assert_eq!(start_where(false, slow).try_recv(), Ok(()));
    }
}
