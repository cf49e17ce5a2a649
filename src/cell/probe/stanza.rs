//! Fields in the format of mail headers: `METADATA`, `PKG-INFO`, `status` of dpkg.

/// One `Name: value` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    /// First line of the value, trimmed.
    pub(super) value: &'a str,
}

/// Parses the fields of one stanza in order. Continuation lines are skipped, because no used field has any.
pub(super) fn fields(stanza: &str) -> impl Iterator<Item = Field<'_>> {
    stanza.lines().filter(|line| !line.starts_with([' ', '\t'])).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some(Field { name, value: value.trim() })
    })
}

/// Splits a file into stanzas, which are separated by empty lines.
pub(super) fn stanzas(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(|stanza| stanza.trim_start_matches('\n')).filter(|stanza| !stanza.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_lines_are_skipped() {
        let got: Vec<_> =
            fields("Package: a\nConffiles:\n /etc/x: y\nVersion: 1:2\n").map(|f| (f.name, f.value)).collect();
        assert_eq!(got, [("Package", "a"), ("Conffiles", ""), ("Version", "1:2")]);
    }

    #[test]
    fn stanzas_are_split_at_empty_lines() {
        assert_eq!(
            stanzas("\nA: 1\n\n\nB: 2\n\n").collect::<Vec<_>>(),
            ["A: 1", "B: 2\n"].map(|s| s.trim_end_matches('\n'))
        );
    }
}
