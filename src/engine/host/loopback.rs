//! The loopback interface of a new network namespace, which starts down.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd as _;

use nix::libc;

/// Brings `lo` up in the network namespace of the calling thread.
///
/// # Errors
/// When the kernel refuses, which it does outside of a namespace of one's own.
#[expect(unsafe_code, reason = "the flags of an interface are set by ioctl, for which there is no safe call")]
#[expect(clippy::cast_possible_truncation, reason = "the flags are two small bits")]
pub(in crate::engine) fn bring_up() -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: an all-zero `ifreq` is a valid value: it has only integers and arrays of them.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the descriptor is open, and SIOCSIFFLAGS reads an `ifreq`, which outlives the call.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
