//! Keyrings of the kernel, which contain Kerberos tickets of the user on some machines; see session-keyring(7).

use std::io;

use super::raw;

/// Gives this process, and the programs that it starts, a new and empty session keyring.
///
/// # Errors
/// Fails if the kernel has no keyrings, the user is over the quota, or a sandbox around this process refuses.
pub fn leave_session() -> io::Result<()> {
    raw::join_new_session_keyring()
}
