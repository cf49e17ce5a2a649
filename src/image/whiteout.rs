//! Whiteouts: entries of a layer that take away what lies below (OCI image specification, `layer.md`).

/// What an entry's last name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A file like any other.
    File,
    /// The sibling of this name goes.
    Hides(&'a [u8]),
    /// Everything that lower layers have in its directory goes.
    Opaque,
    /// A note of the storage driver that wrote the layer, to be left out.
    Note,
}

pub(super) fn meaning(name: &[u8]) -> Meaning<'_> {
    match name.strip_prefix(b".wh.") {
        None => Meaning::File,
        Some(b".wh..opq") => Meaning::Opaque,
        Some(rest) if rest.starts_with(b".wh.") || rest.is_empty() || rest == b"." || rest == b".." => Meaning::Note,
        Some(rest) => Meaning::Hides(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn names_have_their_meanings() {
        assert_eq!(meaning(b"file"), Meaning::File);
        assert_eq!(meaning(b".wh.file"), Meaning::Hides(b"file"));
        assert_eq!(meaning(b".wh..wh..opq"), Meaning::Opaque);
        for note in [b".wh..wh.aufs".as_slice(), b".wh..wh.plnk", b".wh.", b".wh..", b".wh..."] {
            assert_eq!(meaning(note), Meaning::Note, "{}", note.escape_ascii());
        }
    }
}
