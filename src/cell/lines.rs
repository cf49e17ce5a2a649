//! Splits output into lines of limited length.

/// Maximum length of a line in bytes. The rest of a longer line is dropped.
pub(super) const MAX_LINE_LEN: usize = 16 << 10;

/// Receives output in pieces and passes on its lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Adds output and calls `line` with each completed line, without its line ending.
    pub(super) fn push(&mut self, bytes: &[u8], line: &mut dyn FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (piece, after) = (&rest[..end], &rest[end + 1..]);
            if self.open.is_empty() {
                emit(&piece[..piece.len().min(MAX_LINE_LEN)], line);
            } else {
                self.keep(piece);
                emit(&self.open, line);
                self.open.clear();
            }
            rest = after;
        }
        self.keep(rest);
    }

    /// Passes on the last line if it has no line ending.
    pub(super) fn finish(&mut self, line: &mut dyn FnMut(&str)) {
        if !self.open.is_empty() {
            emit(&self.open, line);
            self.open.clear();
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = MAX_LINE_LEN - self.open.len().min(MAX_LINE_LEN);
        self.open.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

fn emit(bytes: &[u8], line: &mut dyn FnMut(&str)) {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    line(&String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_LINE_LEN};

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        let mut keep = |line: &str| found.push(line.to_owned());
        for piece in pieces {
            lines.push(piece, &mut keep);
        }
        lines.finish(&mut keep);
        found
    }

    #[test]
    fn lines_split_across_pieces_are_joined() {
        assert_eq!(split(&[b"ab", b"c\nd\r\n", b"\n", b"e"]), ["abc", "d", "", "e"]);
    }

    #[test]
    fn long_line_is_truncated() {
        let long = vec![b'x'; 5 << 20];
        let found = split(&[&long, b"more\nnext"]);
        assert_eq!((found[0].len(), found[1].as_str()), (MAX_LINE_LEN, "next"));
    }
}
