//! Detects that the shell of an image can't start. No command can then run, so this is an infrastructure error.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, elf};
use rustix::fs::{Access, access};

use crate::cell::command::{CommandResult, NoShell};
use crate::cell::probe::elf::machine;
use crate::model::cell::End;
use crate::model::text::one_line;

/// Maximum number of bytes read of a shell.
const MAX_BYTES: u64 = 16 << 20;

/// The start of the messages of [`ShellError`].
pub(super) const PREFIX: &str = "no command can run: ";
/// How to fix a [`ShellError`].
pub(super) const HINT: &str = "use an image for this machine's architecture that contains a working /bin/sh, such as the full and not the distroless variant";

/// A shell that can't start.
#[derive(Debug, thiserror::Error)]
pub(in crate::cell) enum ShellError {
    /// The image has no shell.
    #[error("{PREFIX}{0}")]
    Missing(#[from] NoShell),
    /// The shell is not a program that can run here.
    #[error("{PREFIX}{shell} of the image can't start: {reason}")]
    Unusable {
        /// The shell.
        shell: String,
        /// The reason.
        reason: String,
    },
}

/// Checks whether a command failed because the shell can't start. The command itself may be missing, which is not an error
/// of the shell.
///
/// # Errors
/// If the shell can't start.
pub(super) fn check(shell: &Path, result: &CommandResult) -> Result<(), ShellError> {
    let reason = match &result.end {
        End::NotStarted { .. } => problem(shell),
        End::Exit { code: 127 } => loader_message(shell, &result.output.text),
        _ => None,
    };
    let name = shell.display().to_string();
    reason.map_or(Ok(()), |reason| Err(ShellError::Unusable { shell: name, reason }))
}

/// Returns why the kernel can't execute a file, or `None` if it can.
fn problem(path: &Path) -> Option<String> {
    if access(path, Access::EXEC_OK).is_err() {
        return Some("not executable".to_owned());
    }
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(error.to_string()),
    };
    if bytes.starts_with(b"#!") {
        let line = String::from_utf8_lossy(&bytes[2..bytes.len().min(256)]).into_owned();
        let program = line.split_ascii_whitespace().next().unwrap_or_default();
        return missing(program);
    }
    let Some(machine) = machine(&bytes) else { return Some("not a program".to_owned()) };
    if machine != std::env::consts::ARCH {
        return Some(format!("a program for {machine}, but this machine is {}", std::env::consts::ARCH));
    }
    let loader =
        loader::<elf::FileHeader64<Endianness>>(&bytes).or_else(|| loader::<elf::FileHeader32<Endianness>>(&bytes));
    loader.and_then(|loader| missing(&loader))
}

fn missing(program: &str) -> Option<String> {
    (!Path::new(program).exists()).then(|| format!("its loader {} does not exist", one_line(program, 100)))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the dynamic loader of a program.
fn loader<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<String> {
    let header = Elf::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let path = segments.iter().find_map(|segment| segment.interpreter(endian, bytes).ok().flatten())?;
    Some(String::from_utf8_lossy(path).into_owned())
}

/// Returns the message of the dynamic loader (glibc, musl) that a library of the shell is missing or damaged.
fn loader_message(shell: &Path, output: &str) -> Option<String> {
    let line = output.lines().next()?;
    let shell = shell.display();
    let of_glibc = line.starts_with(&format!("{shell}: error while loading shared libraries: "))
        || line.starts_with(&format!("{shell}: symbol lookup error: "));
    let of_musl = line.starts_with("Error loading shared library ") && line.ends_with(&format!("(needed by {shell})"))
        || line.starts_with(&format!("Error relocating {shell}: "));
    (of_glibc || of_musl).then(|| one_line(line, 300))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{check, loader_message, problem};
    use crate::cell::command::CommandResult;
    use crate::model::cell::{Captured, End};

    #[test]
    fn reason_why_a_file_cannot_be_executed_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("sh");
        let write = |bytes: &[u8], mode: u32| {
            fs::write(&file, bytes).expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
            problem(&file)
        };
        let own = fs::read("/proc/self/exe").expect("this program");
        assert_eq!(write(&own[..1 << 20], 0o755), None);
        assert_eq!(write(&own[..1 << 20], 0o644).as_deref(), Some("not executable"));
        assert_eq!(write(b"echo", 0o755).as_deref(), Some("not a program"));
        assert_eq!(write(b"#! /bin/sh -e\n", 0o755), None);
        assert_eq!(write(b"#!/none\n", 0o755).as_deref(), Some("its loader /none does not exist"));
        let mut other = own[..64].to_vec();
        other[18] = 22;
        let reason = write(&other, 0o755).expect("a reason");
        assert!(reason.starts_with("a program for s390x, but this machine is "), "{reason}");
    }

    #[test]
    fn loader_of_a_program_is_found() {
        let shell = fs::read("/bin/sh").expect("a shell");
        let loader = super::loader::<object::elf::FileHeader64<object::Endianness>>(&shell).expect("a loader");
        assert!(Path::new(&loader).exists(), "{loader}");
    }

    #[test]
    fn message_of_the_loader_is_an_error_only_for_the_shell() {
        let message = |text: &str| loader_message(Path::new("/bin/sh"), text).is_some();
        assert!(message(
            "/bin/sh: error while loading shared libraries: libtinfo.so.6: cannot open shared object file"
        ));
        assert!(message("Error loading shared library libc.so: No such file or directory (needed by /bin/sh)"));
        assert!(!message(
            "/opt/tool: error while loading shared libraries: libSM.so.6: cannot open shared object file"
        ));
        assert!(!message("/bin/sh: 1: root: not found"));
        let result = |end| CommandResult { end, output: Captured { text: String::new(), dropped: 0 }, seconds: 0.0 };
        assert!(check(Path::new("/bin/sh"), &result(End::Exit { code: 127 })).is_ok());
        assert!(check(Path::new("/bin/sh"), &result(End::NotStarted { reason: String::new() })).is_ok());
        assert!(check(Path::new("/none"), &result(End::NotStarted { reason: String::new() })).is_err());
    }
}
