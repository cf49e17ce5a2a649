//! What the caller of carnet had open. A program inside that got it could leave its root by a directory of this machine.

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;

use rustix::io::{Errno, FdFlags, fcntl_setfd};

/// The process's own descriptors, by proc_pid_fd(5).
const OWN: &str = "/proc/self/fd";
/// The last of the three that every program gets.
const LAST_STANDARD: RawFd = 2;

/// Lets nothing but the standard streams reach the programs that this process starts. To be called before it opens anything of
/// its own.
pub(super) fn keep() -> io::Result<()> {
    // All numbers first: the list itself is read by a descriptor, which is gone afterwards.
    let entries = fs::read_dir(OWN)?.collect::<io::Result<Vec<_>>>()?;
    let numbers = entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    for number in numbers.filter(|number| *number > LAST_STANDARD) {
        if Path::new(OWN).join(number.to_string()).symlink_metadata().is_ok() {
            close_at_start(number)?;
        }
    }
    Ok(())
}

#[expect(unsafe_code, reason = "the caller's descriptors have numbers and no owner in this process")]
fn close_at_start(number: RawFd) -> io::Result<()> {
    // SAFETY: it was open a moment ago and no other thread is there to close it; only a flag of it is set, which no owner relies on.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    match fcntl_setfd(fd, FdFlags::CLOEXEC) {
        Err(Errno::BADF) => Ok(()),
        other => Ok(other?),
    }
}
