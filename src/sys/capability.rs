//! Capabilities of the calling thread; see capabilities(7).

use std::io;

use rustix::io::Errno;
use rustix::thread::{self, CapabilitySet, CapabilitySets};

/// The capabilities that root keeps in a container of Docker by default (moby, `oci/caps/defaults.go`).
const CONTAINER: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);
/// Number of capabilities that a set can contain.
const MAX_CAPABILITIES: u32 = 64;

/// Reports whether this process is root and may mount file systems and create network namespaces without a user
/// namespace. Root in a container often may not.
pub fn may_mount() -> bool {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN;
    let has_needed = thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(needed));
    rustix::process::geteuid().is_root() && has_needed
}

/// Reports whether programs that this process starts may trace processes that are not dumpable.
pub fn may_trace() -> bool {
    thread::capability_is_in_bounding_set(CapabilitySet::SYS_PTRACE).unwrap_or(true)
}

/// Keeps the capabilities of a new user namespace when a program is started under a user id other than 0.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn keep_across_exec() -> io::Result<()> {
    let sets = thread::capabilities(None)?;
    thread::set_capabilities(None, CapabilitySets { inheritable: sets.permitted, ..sets })?;
    for capability in each(sets.permitted) {
        thread::configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// Undoes [`keep_across_exec`].
///
/// # Errors
/// Fails if the kernel refuses.
pub fn forget_across_exec() -> io::Result<()> {
    thread::clear_ambient_capability_set()?;
    let sets = thread::capabilities(None)?;
    Ok(thread::set_capabilities(None, CapabilitySets { inheritable: CapabilitySet::empty(), ..sets })?)
}

/// Gives up every capability that root lacks in a container, now and in programs that this process starts. With
/// `own_network`, raw sockets stay allowed: they reach only a network namespace of the run.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn limit_to_container(own_network: bool) -> io::Result<()> {
    let kept = container(own_network);
    for capability in each(CapabilitySet::all()) {
        match thread::capability_is_in_bounding_set(capability) {
            Ok(true) if !kept.contains(capability) => thread::remove_capability_from_bounding_set(capability)?,
            // This kernel does not have so many.
            Ok(_) | Err(Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
    forget_across_exec()
}

/// Gives up every capability except those that a user has in a container: none for other users than root.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn limit_to_user(uid: u32, own_network: bool) -> io::Result<()> {
    let sets = thread::capabilities(None)?;
    let left = if uid == 0 { sets.permitted & container(own_network) } else { CapabilitySet::empty() };
    Ok(thread::set_capabilities(
        None,
        CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() },
    )?)
}

fn container(own_network: bool) -> CapabilitySet {
    if own_network { CONTAINER } else { CONTAINER.difference(CapabilitySet::NET_RAW) }
}

fn each(set: CapabilitySet) -> impl Iterator<Item = CapabilitySet> {
    (0..MAX_CAPABILITIES)
        .map(|number| CapabilitySet::from_bits_retain(1 << number))
        .filter(move |one| set.contains(*one))
}
