//! Text with names, which get their own elements.

/// Parts of a text, each with whether it is a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces(pub(super) Vec<(bool, String)>);

impl Pieces {
    /// Splits a text at separators. Every second part is a name. A separator without its counterpart is part of the text.
    pub(super) fn between(separator: char, text: &str) -> Self {
        let mut parts: Vec<&str> = text.split(separator).collect();
        let odd = if parts.len().is_multiple_of(2) { parts.pop() } else { None };
        let mut pieces: Vec<(bool, String)> =
            parts.into_iter().enumerate().map(|(at, part)| (at % 2 == 1, part.to_owned())).collect();
        pieces.extend(odd.map(|part| (false, format!("{separator}{part}"))));
        pieces.retain(|(_, part)| !part.is_empty());
        Self(pieces)
    }

    /// Splits a message of carnet, with names in backticks.
    pub(super) fn of(text: &str) -> Self {
        Self::between('`', text)
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;

    #[test]
    fn names_are_between_separators() {
        let pieces = |text: &str| Pieces::of(text).0;
        assert_eq!(pieces("a `b` c"), [(false, "a ".to_owned()), (true, "b".to_owned()), (false, " c".to_owned())]);
        assert_eq!(pieces("`b`"), [(true, "b".to_owned())]);
        assert_eq!(pieces("it's `odd"), [(false, "it's ".to_owned()), (false, "`odd".to_owned())]);
        assert_eq!(pieces(""), []);
    }
}
