//! Quoting for POSIX shells.

/// Quotes a text as one word of a POSIX shell.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes bytes as one word of a POSIX shell. Paths may contain bytes that are not UTF-8.
pub fn quote_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => word.extend_from_slice(br"'\''"),
            _ => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

/// Quotes a text as one word of a POSIX shell, unless it consists of characters without a meaning to the shell.
pub fn quote_if_needed(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { quote(text) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{quote, quote_bytes, quote_if_needed};

    #[test]
    fn quoted_text_is_one_shell_word() {
        for text in ["", "plain", "two words", "it's", "''", "$(id) `id` $HOME", "a\nb", r"back\slash", "*", "-n", "é"]
        {
            for word in [quote(text), quote_if_needed(text)] {
                let output = Command::new("/bin/sh").args(["-c", &format!("printf '%s|' {word}")]).output().unwrap();
                assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{text}|"), "{word}");
            }
            assert_eq!(quote_bytes(text.as_bytes()), quote(text).into_bytes());
        }
    }

    #[test]
    fn plain_text_is_not_quoted_if_not_needed() {
        assert_eq!(quote_if_needed("a/b_c-1.0+x"), "a/b_c-1.0+x");
        assert_eq!(quote_if_needed("a b"), "'a b'");
        assert_eq!(quote_if_needed(""), "''");
    }
}
