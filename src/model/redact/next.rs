//! Searches forward in a text that reads each part of it once.

/// Finds the next character of a kind, and remembers it for later searches that start in front of it.
///
/// Output can consist of thousands of starts of credentials without an end. A new search at each of them takes quadratic time.
pub(super) struct Next<'a, F> {
    text: &'a str,
    is: F,
    /// The start of the last search, its result, and the result without white space in front of it.
    last: Option<(usize, usize, usize)>,
}

impl<'a, F: Fn(char) -> bool> Next<'a, F> {
    pub(super) fn new(text: &'a str, is: F) -> Self {
        Self { text, is, last: None }
    }

    /// Returns the position of the first such character at or after `start`, or the end of the text.
    pub(super) fn at(&mut self, start: usize) -> usize {
        self.search(start).0
    }

    /// Returns the same position without the white space in front of it.
    pub(super) fn trimmed(&mut self, start: usize) -> usize {
        self.search(start).1.max(start)
    }

    fn search(&mut self, start: usize) -> (usize, usize) {
        if let Some((from, at, trimmed)) = self.last
            && (from..=at).contains(&start)
        {
            return (at, trimmed);
        }
        let rest = &self.text[start..];
        let at = start + rest.find(&self.is).unwrap_or(rest.len());
        let trimmed = start + self.text[start..at].trim_end().len();
        self.last = Some((start, at, trimmed));
        (at, trimmed)
    }
}
