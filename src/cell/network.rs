//! Taking the network away from the tests, and noticing who tried it.

use std::fs;
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

/// Moves this thread, and so every command started from it, into a network namespace that has nothing but loopback.
///
/// Without the privilege for it a user namespace is made too, in which this process keeps its user and group. That
/// works only while the process has one thread.
///
/// # Errors
/// The reason, when the kernel or a sandbox around it refuses.
pub(super) fn cut() -> Result<(), String> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        unshare_with_user().map_err(|error| error.desc().to_lowercase())?;
        // user_namespaces(7): the group may be mapped without privilege once setgroups is off.
        let maps = [
            ("setgroups", "deny".to_owned()),
            ("uid_map", format!("{uid} {uid} 1")),
            ("gid_map", format!("{gid} {gid} 1")),
        ];
        for (file, text) in maps {
            fs::write(format!("/proc/thread-self/{file}"), text).map_err(|error| format!("{file}: {error}"))?;
        }
    }
    // Tests that talk to themselves need it; those that don't, don't: so its lack is no reason to stop.
    let _ = loopback_up();
    Ok(())
}

/// A thread that was joined a moment ago may still count as one of this process: so a refusal for that is tried again.
fn unshare_with_user() -> nix::Result<()> {
    for _ in 0..20 {
        match unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET) {
            Err(Errno::EINVAL) => std::thread::sleep(Duration::from_millis(5)),
            done => return done,
        }
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
}

/// Sets the loopback interface up: RTM_NEWLINK with IFF_UP, rtnetlink(7). It is always the first in a new namespace.
///
/// # Errors
/// When the kernel refuses, which it does outside of a namespace of one's own.
pub(crate) fn loopback_up() -> rustix::io::Result<()> {
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
    // ifinfomsg: family and padding, type, index, flags, which flags to change
    message.extend([0; 4]);
    message.extend(1_u32.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes());
    send(&socket, &message, SendFlags::empty())?;
    // The acknowledgement comes once it is done: a header like ours, then an error number, 0 or negative.
    let mut answer = [0; 256];
    recv(&socket, &mut answer, RecvFlags::empty())?;
    let number = answer.get(16..20).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes);
    if number == 0 { Ok(()) } else { Err(rustix::io::Errno::from_raw_os_error(number.wrapping_neg())) }
}

/// How often something was sent to where no route leads, counted by the kernel for this thread's network namespace
/// since it was made (`OutNoRoutes` in /proc/net/snmp and `Ip6OutNoRoutes` in /proc/net/snmp6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempts(Option<u64>);

impl Attempts {
    /// The count now.
    pub(super) fn now() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
        let counts = [out_no_routes(&read("snmp")), out_no_routes_6(&read("snmp6"))];
        Self(counts.into_iter().flatten().reduce(u64::saturating_add))
    }

    /// Whether there are more than there were.
    pub(super) fn since(self, before: &Self) -> bool {
        matches!((before.0, self.0), (Some(before), Some(now)) if now > before)
    }
}

/// Two lines start with `Ip:`: the names of the columns, then their values.
fn out_no_routes(snmp: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter(|line| line.starts_with("Ip:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let column = names.split(' ').position(|name| name == "OutNoRoutes")?;
    values.split(' ').nth(column)?.parse().ok()
}

fn out_no_routes_6(snmp6: &str) -> Option<u64> {
    let line = snmp6.lines().find(|line| line.starts_with("Ip6OutNoRoutes"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{out_no_routes, out_no_routes_6};

    #[test]
    fn the_counters_are_found_by_their_names() {
        let snmp = "Ip: Forwarding OutDiscards OutNoRoutes ReasmOKs\nIp: 1 2 37 4\nIcmp: InMsgs\nIcmp: 5\n";
        assert_eq!(out_no_routes(snmp), Some(37));
        assert_eq!(out_no_routes("Ip: Forwarding\nIp: 1\n"), None);
        assert_eq!(out_no_routes_6("Ip6InReceives \t1\nIp6OutNoRoutes                  \t9\n"), Some(9));
    }
}
