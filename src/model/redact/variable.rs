//! Variables whose values are masked.

use std::path::Path;

/// Parts of names that mark a secret.
const PARTS: [&str; 9] =
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "PRIVATE", "KEY", "COOKIE"];
/// Words of names that mark a secret.
const WORDS: [&str; 8] = ["PASS", "PW", "PWD", "PASSW", "AUTH", "PAT", "JWT", "PIN"];
/// Words that contain a part, but do not mark a secret.
const HARMLESS: [&str; 6] = ["KEYBOARD", "KEYMAP", "KEYWORD", "KEYWORDS", "KEY4HEP", "TOKENIZERS"];
/// Values that occur in every text.
const COMMON: [&str; 30] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "auto",
    "default",
    "always",
    "never",
    "enabled",
    "disabled",
    "enable",
    "disable",
    "required",
    "optional",
    "unset",
    "empty",
    "undefined",
    "test",
    "tests",
    "debug",
    "info",
    "local",
    "localhost",
    "env",
    "file",
];
/// Minimum length in bytes of the value of a variable whose name does not mark a secret.
const MIN_LEN: usize = 8;
/// Minimum length in characters of any masked value. A shorter one occurs by chance in every text.
const MIN_SECRET_LEN: usize = 3;
/// Minimum length in bytes of a value of lowercase letters or digits only, which is passed to a cell.
const MIN_PASSED_WORD_LEN: usize = 5;

/// A variable whose value must not occur in any output.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    pub(super) value: String,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Variable { .. }")
    }
}

impl Variable {
    /// Returns the variable if its name marks a secret. `None` if its value is short or common, if it is a path, or if it has
    /// fewer than 8 bytes of only lowercase letters or only digits.
    /// `exists` reports whether a path exists on this machine.
    pub fn secret(name: &str, value: &str, exists: &dyn Fn(&Path) -> bool) -> Option<Self> {
        (is_secret_name(name) && !is_word(value, MIN_LEN)).then(|| Self::of(value, exists)).flatten()
    }

    /// Returns a variable that is passed to a cell: any of at least 8 bytes, and a shorter one if its name marks a
    /// secret and it is not a word of fewer than 5 letters.
    pub fn passed(name: &str, value: &str, exists: &dyn Fn(&Path) -> bool) -> Option<Self> {
        let is_secret = value.len() >= MIN_LEN || (is_secret_name(name) && !is_word(value, MIN_PASSED_WORD_LEN));
        is_secret.then(|| Self::of(value, exists)).flatten()
    }

    fn of(value: &str, exists: &dyn Fn(&Path) -> bool) -> Option<Self> {
        let value = value.trim();
        let is_common = COMMON.contains(&value.to_ascii_lowercase().as_str());
        let is_ours = super::REDACTED.contains(value);
        let is_masked = value.chars().count() >= MIN_SECRET_LEN && !is_common && !is_ours && !is_path(value, exists);
        is_masked.then(|| Self { value: value.to_owned() })
    }
}

/// Reports whether a value of fewer than `min_len` bytes consists of lowercase letters or of digits only: `main`, `4711`. Such a
/// value occurs by chance in many texts.
fn is_word(value: &str, min_len: usize) -> bool {
    let value = value.trim();
    let has_only = |is: fn(&u8) -> bool| value.bytes().all(|b| is(&b));
    value.len() < min_len && (has_only(u8::is_ascii_lowercase) || has_only(u8::is_ascii_digit))
}

/// Reports whether the name of a variable marks a secret: `API_TOKEN`, `aws_secret_access_key`, `DB_PASS`.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if matches!(name.as_str(), "PWD" | "OLDPWD") {
        return false;
    }
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        !HARMLESS.contains(&word) && (WORDS.contains(&word) || PARTS.iter().any(|part| word.contains(part)))
    })
}

/// Reports whether a value is a path or a list of paths. A secret in base64 may start with a slash as well, so the first
/// directory of an absolute path must exist.
fn is_path(value: &str, exists: &dyn Fn(&Path) -> bool) -> bool {
    let is_one = |entry: &str| {
        let path = entry.strip_prefix("file://").unwrap_or(entry);
        let top = path.strip_prefix('/').map(|rest| rest.split('/').next().unwrap_or_default());
        match top {
            Some(top) => !top.is_empty() && exists(&Path::new("/").join(top)),
            None => ["~/", "./", "../"].iter().any(|start| path.starts_with(start)),
        }
    };
    let (_, value) =
        value.split_once(':').filter(|(kind, _)| matches!(*kind, "FILE" | "DIR" | "KCM")).unwrap_or(("", value));
    !value.contains(char::is_whitespace) && (is_one(value) || value.split(':').all(is_one))
}
