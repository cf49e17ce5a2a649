//! The descriptors that this process inherited. A program with one of them could leave its root through a directory of
//! this machine.

use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::path::Path;

use super::raw;

/// The descriptors of the current process; see proc_pid_fd(5).
const OWN: &str = "/proc/self/fd";
/// The last of the standard streams, which every program gets.
const LAST_STANDARD: RawFd = 2;

/// Hides every descriptor except the standard streams from the programs that this process starts.
///
/// Call this before the process opens descriptors or starts threads.
///
/// # Errors
/// Fails if `/proc` can't be read.
pub fn hide_inherited() -> io::Result<()> {
    // The list is complete before the first change, because a descriptor is open while it is read.
    let entries = fs::read_dir(OWN)?.collect::<io::Result<Vec<_>>>()?;
    let numbers = entries.iter().filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    for number in numbers.filter(|number| *number > LAST_STANDARD) {
        if Path::new(OWN).join(number.to_string()).symlink_metadata().is_ok() {
            raw::close_on_exec(number)?;
        }
    }
    Ok(())
}
