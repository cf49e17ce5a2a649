//! Container images in Python programs.

use ruff_python_ast::Expr;

use super::literal;
use super::reader::Reader;
use crate::source::lang::fact::Word;

/// Names of variables, keywords and keys whose value is an image, in lower case without `_`.
const NAMES: [&str; 10] = [
    "image",
    "workerimage",
    "schedulerimage",
    "containerimage",
    "dockerimage",
    "singularityimage",
    "+singularityimage",
    "my.singularityimage",
    "apptainerimage",
    "container",
];

/// File extensions of pictures and arrays.
const PICTURE_EXTENSIONS: [&str; 8] = [".png", ".jpg", ".jpeg", ".pdf", ".gif", ".svg", ".eps", ".npy"];

impl<'a> Reader<'a> {
    /// Records an image assigned to a name.
    pub(super) fn image(&mut self, name: &str, value: &'a Expr) {
        let name = name.rsplit_once('.').map_or(name, |(base, last)| if base == "MY" { name } else { last });
        if name.len() > 24 || !value.is_string_literal_expr() {
            return;
        }
        let name: String = name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
        if !NAMES.contains(&name.as_str()) {
            return;
        }
        let Some(Word { text, range }) = literal::word(self.text, value) else { return };
        let inner = text.trim_matches(['"', '\'', '\\']);
        let is_name = inner.contains(['/', ':']) && !inner.contains([' ', '\n', '\t', '{', '%']);
        if !is_name || PICTURE_EXTENSIONS.iter().any(|end| inner.ends_with(end)) {
            return;
        }
        let start = self.text[range.clone()].find(inner).map_or(range.start, |at| range.start + at);
        let range = start..(start + inner.len()).min(range.end);
        self.facts.images.push(Word { text: inner.to_owned(), range });
    }
}
