//! Whiteouts: entries that hide entries of lower layers (OCI image specification, `layer.md`).

/// The meaning of a file name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A regular entry.
    File,
    /// Hides the sibling with this name.
    Hides(&'a [u8]),
    /// Hides all entries of lower layers in its directory.
    Opaque,
    /// Metadata of a storage driver, which is skipped.
    Metadata,
}

pub(super) fn meaning(name: &[u8]) -> Meaning<'_> {
    match name.strip_prefix(b".wh.") {
        None => Meaning::File,
        Some(b".wh..opq") => Meaning::Opaque,
        Some(rest) if rest.starts_with(b".wh.") || rest.is_empty() || rest == b"." || rest == b".." => {
            Meaning::Metadata
        }
        Some(rest) => Meaning::Hides(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn names_are_classified() {
        assert_eq!(meaning(b"file"), Meaning::File);
        assert_eq!(meaning(b".wh.file"), Meaning::Hides(b"file"));
        assert_eq!(meaning(b".wh..wh..opq"), Meaning::Opaque);
        for note in [b".wh..wh.aufs".as_slice(), b".wh..wh.plnk", b".wh.", b".wh..", b".wh..."] {
            assert_eq!(meaning(note), Meaning::Metadata, "{}", note.escape_ascii());
        }
    }
}
