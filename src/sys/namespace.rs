//! Namespaces of the current thread; see namespaces(7).

use std::fs;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};
pub use rustix::thread::UnshareFlags;

use super::helper::{self, HELPER_ARG};
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

/// Lets every user of the network namespace of this process use all ports and `ping`, as in a container of Docker. Failures are
/// ignored, because few tests need this.
pub fn open_low_ports() {
    for (name, value) in [("ip_unprivileged_port_start", "0"), ("ping_group_range", "0 2147483647")] {
        let _ = fs::write(format!("/proc/sys/net/ipv4/{name}"), value);
    }
}

/// Forbids further control group namespaces in the user namespace of this process. With one, a program could mount the control
/// groups of this machine and change its own limits.
///
/// # Errors
/// Fails if `/proc/sys` is read-only or this process has no privileges in its user namespace.
pub fn forbid_cgroup_namespaces() -> io::Result<()> {
    fs::write("/proc/sys/user/max_cgroup_namespaces", "0")
}

/// Role of the helper process that maps ids.
const MAP_ROLE: &str = "map-ids";

/// Moves the calling process, which is root and has one thread, into a new user namespace in which every id keeps its meaning.
/// Root there has no capability outside.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn unshare_with_all_ids() -> Result<(), NamespaceError> {
    let failed = |source| NamespaceError::Map { file: "/proc/self/uid_map".to_owned(), source };
    // Only a process outside the new namespace may map several ids.
    let mut command = Command::new("/proc/self/exe");
    command.args([HELPER_ARG, MAP_ROLE, &std::process::id().to_string()]).env_clear();
    let mut helper = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map_err(failed)?;
    let created = raw::unshare(UnshareFlags::NEWUSER);
    if let Some(mut stdin) = helper.stdin.take()
        && created.is_ok()
    {
        // An error means that the helper has ended, which its status shows.
        let _ = stdin.write_all(b"\n");
    }
    let status = helper.wait().map_err(failed)?;
    created.map_err(NamespaceError::Create)?;
    if status.success() { Ok(()) } else { Err(failed(io::ErrorKind::PermissionDenied.into())) }
}

/// Maps the ids of another process if this process was started for that.
pub fn run_if_requested() -> Option<ExitCode> {
    let process = helper::arguments(MAP_ROLE)?.next()?.into_string().ok()?;
    let is_mapped = helper::read_line().is_ok_and(|line| line == "\n") && map_all_ids(&process).is_ok();
    Some(if is_mapped { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn map_all_ids(process: &str) -> io::Result<()> {
    for name in ["uid_map", "gid_map"] {
        // This process may itself be in a user namespace, which has only some ids.
        let own = fs::read_to_string(format!("/proc/self/{name}"))?;
        fs::write(format!("/proc/{process}/{name}"), same_ids(&own))?;
    }
    Ok(())
}

/// Returns the map that gives every id of a namespace with the map `own` the same meaning; see user_namespaces(7).
fn same_ids(own: &str) -> String {
    let lines = own.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (first, count) = (fields.next()?, fields.nth(1)?);
        Some(format!("{first} {first} {count}\n"))
    });
    lines.collect()
}

/// Reports whether overlays support attributes with the prefix `user.`, which user namespaces need (Linux 5.11).
pub fn has_user_attributes() -> bool {
    let uname = rustix::system::uname();
    is_at_least(&uname.release().to_string_lossy(), (5, 11))
}

fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= wanted
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

#[cfg(test)]
mod tests {
    use super::{is_at_least, same_ids};

    #[test]
    fn every_id_of_the_namespace_keeps_its_meaning() {
        assert_eq!(same_ids("         0          0 4294967295\n"), "0 0 4294967295\n");
        assert_eq!(same_ids("0 1000 1\n1 100000 65536\n"), "0 0 1\n1 1 65536\n");
    }

    #[test]
    fn releases_are_compared_by_number() {
        for (release, is_new) in
            [("5.10.0-30-amd64", false), ("5.14.0-503.el9", true), ("6.1", true), ("4.18.0", false)]
        {
            assert_eq!(is_at_least(release, (5, 11)), is_new, "{release}");
        }
    }
}
