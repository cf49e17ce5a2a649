//! A sentence with names in it, which stand in an element of their own.

/// Parts of a text, and whether each is a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces(pub(super) Vec<(bool, String)>);

impl Pieces {
    /// Every second part between separators is a name. A separator without its other half stays as it is.
    pub(super) fn between(separator: char, text: &str) -> Self {
        let mut parts: Vec<&str> = text.split(separator).collect();
        let odd = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
        let mut pieces: Vec<(bool, String)> =
            parts.into_iter().enumerate().map(|(at, part)| (at % 2 == 1, part.to_owned())).collect();
        pieces.extend(odd.map(|part| (false, format!("{separator}{part}"))));
        pieces.retain(|(_, part)| !part.is_empty());
        Self(pieces)
    }

    /// A message of carnet, which has names between backticks.
    pub(super) fn of(text: &str) -> Self {
        Self::between('`', text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;

    #[test]
    fn names_stand_between_separators() {
        let pieces = |text: &str| Pieces::of(text).0;
        assert_eq!(pieces("a `b` c"), [(false, "a ".to_owned()), (true, "b".to_owned()), (false, " c".to_owned())]);
        assert_eq!(pieces("`b`"), [(true, "b".to_owned())]);
        assert_eq!(pieces("it's `odd"), [(false, "it's ".to_owned()), (false, "`odd".to_owned())]);
        assert_eq!(pieces(""), []);
    }
}
