//! Splits output into lines, each within a cap.

/// Longest line handed on, in bytes; the rest of a longer one is dropped.
pub(super) const LINE_CAP: usize = 16 << 10;

/// Takes output in pieces and hands on its lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Takes more output; `line` gets each line that it completes, without the line's end.
    pub(super) fn push(&mut self, bytes: &[u8], line: &mut dyn FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (piece, after) = (&rest[..end], &rest[end + 1..]);
            if self.open.is_empty() {
                hand_on(&piece[..piece.len().min(LINE_CAP)], line);
            } else {
                self.keep(piece);
                hand_on(&self.open, line);
                self.open.clear();
            }
            rest = after;
        }
        self.keep(rest);
    }

    /// Hands on the last line when no line's end came after it.
    pub(super) fn finish(&mut self, line: &mut dyn FnMut(&str)) {
        if !self.open.is_empty() {
            hand_on(&self.open, line);
            self.open.clear();
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_CAP - self.open.len().min(LINE_CAP);
        self.open.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

fn hand_on(bytes: &[u8], line: &mut dyn FnMut(&str)) {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    line(&String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use super::{LINE_CAP, Lines};

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
    fn lines_cut_anywhere_come_out_whole() {
        assert_eq!(split(&[b"ab", b"c\nd\r\n", b"\n", b"e"]), ["abc", "d", "", "e"]);
    }

    #[test]
    fn a_line_without_end_stays_within_the_cap() {
        let long = vec![b'x'; 5 << 20];
        let found = split(&[&long, b"more\nnext"]);
        assert_eq!((found[0].len(), found[1].as_str()), (LINE_CAP, "next"));
    }
}
