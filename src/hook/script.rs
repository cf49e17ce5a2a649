//! The hook script.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::model::shell::quote_bytes;

/// Template of the script.
const TEMPLATE: &str = include_str!("pre-push.sh");
/// Prefix of the second line of every version of the script.
const MARKER: &[u8] = b"# carnet hook ";
/// Name of the hook.
pub const NAME: &str = "pre-push";
/// Suffix of the name of a hook that existed before the installation.
pub const BACKUP_SUFFIX: &str = ".before-carnet";

/// Returns the script that starts `program` with `options`.
pub(super) fn render(program: &Path, options: &[String]) -> Vec<u8> {
    let options: Vec<Vec<u8>> =
        options.iter().map(|option| [b" ", &*quote_bytes(option.as_bytes())].concat()).collect();
    let mut text = Vec::new();
    let mut rest = TEMPLATE;
    // In the order of the template.
    for (placeholder, value) in [
        ("@PROGRAM@", quote_bytes(program.as_os_str().as_bytes())),
        ("@OPTIONS@", options.concat()),
        ("@BACKUP_SUFFIX@", BACKUP_SUFFIX.as_bytes().to_vec()),
    ] {
        let (before, after) = rest.split_once(placeholder).unwrap_or((rest, ""));
        text.extend_from_slice(before.as_bytes());
        text.extend_from_slice(&value);
        rest = after;
    }
    text.extend_from_slice(rest.as_bytes());
    text
}

/// Reports whether carnet wrote this hook.
pub(super) fn is_carnet_hook(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').nth(1).is_some_and(|line| line.starts_with(MARKER))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_carnet_hook, render};

    #[test]
    fn script_quotes_program_and_options() {
        let text = String::from_utf8(render(Path::new("/it's/carnet"), &["--path".to_owned(), "a b".to_owned()]));
        let text = text.expect("UTF-8");
        assert!(text.contains(r"carnet='/it'\''s/carnet'"), "{text}");
        assert!(text.contains("pre-push '--path' 'a b' --"), "{text}");
        assert!(text.contains("$0.before-carnet"), "{text}");
        assert!(!text.contains("@PROGRAM") && !text.contains("@OPTIONS"), "{text}");
        assert!(is_carnet_hook(text.as_bytes()));
    }
}
