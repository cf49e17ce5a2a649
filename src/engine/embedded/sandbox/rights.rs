//! Capabilities and ids.

use caps::{CapSet, Capability, CapsHashSet, errors::CapsError};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

use super::super::protocol::SandboxRequest;

/// What root keeps in a container of Docker by default (moby, `oci/caps/defaults.go`).
const KEPT: [Capability; 14] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FSETID,
    Capability::CAP_FOWNER,
    Capability::CAP_MKNOD,
    Capability::CAP_NET_RAW,
    Capability::CAP_SETGID,
    Capability::CAP_SETUID,
    Capability::CAP_SETFCAP,
    Capability::CAP_SETPCAP,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_KILL,
    Capability::CAP_AUDIT_WRITE,
];

/// Whether this process is root with all the rights that a run takes, as which no user namespace is needed. Root in a
/// container often isn't.
pub(in super::super) fn may_mount() -> bool {
    let has = |cap| caps::has_cap(None, CapSet::Effective, cap).unwrap_or(false);
    Uid::effective().is_root() && has(Capability::CAP_SYS_ADMIN) && has(Capability::CAP_NET_ADMIN)
}

/// Whether this process is in another user namespace than the machine's first.
pub(super) fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_ascii_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"]
}

/// Keeps the rights of a new user namespace when another program is started under a user id that isn't 0.
pub(super) fn keep_across_exec() -> Result<(), CapsError> {
    let all = caps::read(None, CapSet::Permitted)?;
    caps::set(None, CapSet::Inheritable, &all)?;
    caps::set(None, CapSet::Ambient, &all)
}

/// Why rights could not be given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum RightsError {
    #[error("{0}")]
    Caps(#[from] CapsError),
    #[error("{0}")]
    System(#[from] Errno),
}

/// Becomes the user of the order, with no more rights than root has in a container of Docker.
pub(super) fn give_up(order: &SandboxRequest) -> Result<(), RightsError> {
    prctl::set_no_new_privs()?;
    let kept: CapsHashSet = KEPT.into_iter().collect();
    for cap in caps::read(None, CapSet::Bounding)?.difference(&kept) {
        caps::drop(None, CapSet::Bounding, *cap)?;
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    if order.caller.is_none() {
        setgroups(&[])?;
        setgid(Gid::from_raw(order.user.gid))?;
        setuid(Uid::from_raw(order.user.uid))?;
    }
    let left: CapsHashSet = if order.user.uid == 0 {
        caps::read(None, CapSet::Permitted)?.intersection(&kept).copied().collect()
    } else {
        CapsHashSet::new()
    };
    caps::set(None, CapSet::Effective, &left)?;
    caps::set(None, CapSet::Permitted, &left)?;
    Ok(())
}
