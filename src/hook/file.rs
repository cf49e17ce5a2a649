//! The text of the hook.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The hook, with places to fill in.
const TEXT: &str = include_str!("pre-push.sh");
/// What a hook of ours has in its second line, whatever its version.
const MARK: &[u8] = b"# carnet hook ";
/// Name of the hook.
pub const NAME: &str = "pre-push";
/// What the name of a hook that was there before ours ends with.
pub const BEFORE: &str = ".before-carnet";

/// The hook that starts this program with these options.
pub(super) fn text(program: &Path, options: &[String]) -> Vec<u8> {
    let options: Vec<Vec<u8>> = options.iter().map(|option| [b" ", &*quoted(option.as_bytes())].concat()).collect();
    let mut text = Vec::new();
    let mut rest = TEXT;
    for (place, value) in [
        ("@PROGRAM@", quoted(program.as_os_str().as_bytes())),
        ("@OPTIONS@", options.concat()),
        ("@BEFORE@", BEFORE.as_bytes().to_vec()),
    ] {
        let (before, after) = rest.split_once(place).unwrap_or((rest, ""));
        text.extend_from_slice(before.as_bytes());
        text.extend_from_slice(&value);
        rest = after;
    }
    text.extend_from_slice(rest.as_bytes());
    text
}

/// Whether a hook is one of ours.
pub(super) fn is_ours(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').nth(1).is_some_and(|line| line.starts_with(MARK))
}

/// A word of a shell that stands for these bytes.
fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => word.extend_from_slice(b"'\\''"),
            other => word.push(*other),
        }
    }
    word.push(b'\'');
    word
}
