//! Namespaces of the current thread; see namespaces(7).

use std::fs;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
pub use rustix::thread::UnshareFlags;

use super::raw;
use crate::model::contract::Ids;

/// An error when creating namespaces.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// The kernel or a sandbox around this process refuses.
    #[error("failed to create namespaces")]
    Create(#[source] io::Error),
    /// The user and the group can't be mapped.
    #[error("failed to write `{file}`")]
    Map {
        /// The file below `/proc`.
        file: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Moves the calling thread into new namespaces. This requires privileges.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn unshare(flags: UnshareFlags) -> Result<(), NamespaceError> {
    raw::unshare(flags).map_err(NamespaceError::Create)
}

/// Moves the calling thread into new namespaces and a new user namespace, which requires no privileges. The ids
/// `outside` in the parent user namespace are mapped to `inside` in the new one. The process may have only one thread.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn unshare_with_user(flags: UnshareFlags, inside: Ids, outside: Ids) -> Result<(), NamespaceError> {
    let flags = flags | UnshareFlags::NEWUSER;
    let is_invalid = |error: &io::Error| Errno::from_io_error(error) == Some(Errno::INVAL);
    let mut outcome = raw::unshare(flags);
    // A thread that was joined a moment ago may still count as a thread of this process.
    for _ in 0..20 {
        if !outcome.as_ref().is_err_and(is_invalid) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
        outcome = raw::unshare(flags);
    }
    outcome.map_err(NamespaceError::Create)?;
    // user_namespaces(7): an unprivileged process may map its group only after it disables setgroups.
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{} {} 1", inside.uid, outside.uid)),
        ("gid_map", format!("{} {} 1", inside.gid, outside.gid)),
    ];
    for (name, text) in maps {
        let file = format!("/proc/thread-self/{name}");
        fs::write(&file, text).map_err(|source| NamespaceError::Map { file, source })?;
    }
    Ok(())
}

/// Reports whether this process is outside the initial user namespace.
pub fn is_in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_ascii_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"]
}

/// Returns the real user and group of this process.
pub fn caller() -> Ids {
    Ids { uid: rustix::process::getuid().as_raw(), gid: rustix::process::getgid().as_raw() }
}

/// Brings up the loopback interface: RTM_NEWLINK with IFF_UP; see rtnetlink(7). It is the first interface of a new
/// network namespace.
///
/// # Errors
/// Fails if the kernel refuses, which it does in a network namespace that this process did not create.
pub fn loopback_up() -> io::Result<()> {
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST_ACK: u16 = 1 | 4;
    const IFF_UP: u32 = 1;
    // No protocol means NETLINK_ROUTE, which is number 0.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let mut message = Vec::with_capacity(32);
    // nlmsghdr: length, type, flags, sequence, port
    message.extend(32_u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST_ACK.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    // ifinfomsg: family and padding, type, index, flags, changed flags
    message.extend([0; 4]);
    message.extend(1_u32.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    send(&socket, &message, SendFlags::empty())?;
    // The acknowledgement is a header, then an error number, 0 or negative.
    let mut answer = [0; 256];
    recv(&socket, &mut answer, RecvFlags::empty())?;
    let number = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes);
    if number == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(number.wrapping_neg()).into()) }
}
