//! The system calls that Rust can't check. No other module contains unsafe code.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Moves the calling thread into new namespaces.
///
/// # Errors
/// Fails if the kernel refuses, or with `EINVAL` if the flags contain `FILES`.
#[expect(unsafe_code, reason = "the flag FILES would take descriptors away from other threads")]
pub(super) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    if flags.contains(UnshareFlags::FILES) {
        return Err(Errno::INVAL.into());
    }
    // SAFETY: the table of file descriptors stays shared, see above.
    Ok(unsafe { unshare_unsafe(flags) }?)
}

/// Closes a descriptor in every program that this process starts. A number that is not open is not an error.
///
/// # Errors
/// Fails if the kernel refuses.
#[expect(unsafe_code, reason = "inherited descriptors have numbers but no owner in this process")]
pub(super) fn close_on_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed for one call that sets a flag, and no owner relies on that flag.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    match fcntl_setfd(fd, FdFlags::CLOEXEC) {
        Err(Errno::BADF) => Ok(()),
        other => Ok(other?),
    }
}

/// Replaces the session keyring of this process by a new one without a name.
///
/// # Errors
/// Fails if the kernel refuses.
#[expect(unsafe_code, reason = "no crate of this program has keyctl(2)")]
pub(super) fn join_new_session_keyring() -> io::Result<()> {
    /// `KEYCTL_JOIN_SESSION_KEYRING` in linux/keyctl.h.
    const JOIN_SESSION_KEYRING: libc::c_ulong = 1;
    // SAFETY: the call reads no memory of this process, because the name is null.
    let serial = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
    if serial < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
