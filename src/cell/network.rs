//! Disables the network during the tests and detects attempts to use it.

use std::fs;

use crate::model::contract::Ids;
use crate::sys::namespace::{self, NamespaceError, UnshareFlags};

/// Moves this thread, and every command started from it, into a network namespace that has only loopback.
///
/// Without privileges this also creates a user namespace with the same user and group. That works only while the process
/// has one thread.
///
/// # Errors
/// Fails if the kernel or a sandbox around this process refuses.
pub(super) fn disable() -> Result<(), NamespaceError> {
    let caller = Ids { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
    if namespace::unshare(UnshareFlags::NEWNET).is_err() {
        namespace::unshare_with_user(UnshareFlags::NEWNET, caller, caller)?;
    }
    // Few tests need the loopback interface, so a failure is ignored.
    let _ = namespace::loopback_up();
    Ok(())
}

/// Number of packets sent without a route, counted by the kernel for the network namespace of this thread since its
/// creation (`OutNoRoutes` in /proc/net/snmp and `Ip6OutNoRoutes` in /proc/net/snmp6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempts(Option<u64>);

impl Attempts {
    /// Reads the current count.
    pub(super) fn now() -> Self {
        let read = |name: &str| fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
        let counts = [out_no_routes(&read("snmp")), out_no_routes_6(&read("snmp6"))];
        Self(counts.into_iter().flatten().reduce(u64::saturating_add))
    }

    /// Reports whether the count grew.
    pub(super) fn since(self, before: &Self) -> bool {
        matches!((before.0, self.0), (Some(before), Some(now)) if now > before)
    }
}

/// Reads the value of a column. Two lines start with `Ip:`: the names of the columns, then their values.
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
    fn counters_are_read_by_name() {
        let snmp = "Ip: Forwarding OutDiscards OutNoRoutes ReasmOKs\nIp: 1 2 37 4\nIcmp: InMsgs\nIcmp: 5\n";
        assert_eq!(out_no_routes(snmp), Some(37));
        assert_eq!(out_no_routes("Ip: Forwarding\nIp: 1\n"), None);
        assert_eq!(out_no_routes_6("Ip6InReceives \t1\nIp6OutNoRoutes                  \t9\n"), Some(9));
    }
}
