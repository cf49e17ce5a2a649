//! Output of a running program: stored up to a size limit, and shown line by line.

use std::time::{Duration, Instant};

use super::Lines;
use crate::model::capture::Capture;
use crate::model::cell::Captured;

/// Maximum number of bytes shown of one line.
const MAX_LINE_LEN: usize = 4096;
/// Maximum number of lines shown in each [`WINDOW`]. The channel is unbounded, so a program must not fill it.
const LINES_PER_WINDOW: usize = 500;
const WINDOW: Duration = Duration::from_millis(250);

/// Receives the output of a program in pieces.
#[derive(Debug)]
pub struct Output {
    capture: Capture,
    lines: Lines,
    line: Vec<u8>,
    window: Instant,
    shown: usize,
}

impl Output {
    /// Stores at most `max_bytes` bytes and sends lines to `lines`, whose receiver may be gone.
    pub fn new(max_bytes: usize, lines: Lines) -> Self {
        Self { capture: Capture::new(max_bytes), lines, line: Vec::new(), window: Instant::now(), shown: 0 }
    }

    /// Adds a piece.
    pub fn push(&mut self, bytes: &[u8]) {
        self.capture.push(bytes);
        if self.shown >= LINES_PER_WINDOW {
            if self.window.elapsed() < WINDOW {
                self.skip(bytes);
                return;
            }
            self.window = Instant::now();
            self.shown = 0;
        }
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let room = MAX_LINE_LEN.saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.show();
            }
        }
    }

    /// Ends the output and returns the stored part.
    pub fn finish(mut self) -> Captured {
        if !self.line.is_empty() {
            self.show();
        }
        self.capture.finish()
    }

    /// Skips a piece. The next line that is shown is complete.
    fn skip(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.iter().rposition(|b| *b == b'\n') {
            self.line.clear();
            self.line.extend(bytes[last + 1..].iter().take(MAX_LINE_LEN));
        }
    }

    fn show(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.shown < LINES_PER_WINDOW {
            let text = String::from_utf8_lossy(&line);
            // The receiver may be gone; the output is stored either way.
            let _ = self.lines.send(text.trim_end_matches('\r').to_owned());
        }
        self.shown += 1;
        if self.shown == 1 {
            self.window = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::{LINES_PER_WINDOW, Output};

    fn shown(pieces: &[&[u8]]) -> Vec<String> {
        let (sender, mut receiver) = unbounded_channel();
        let mut output = Output::new(1 << 20, sender);
        pieces.iter().for_each(|piece| output.push(piece));
        output.finish();
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    #[test]
    fn lines_split_across_pieces_are_joined() {
        assert_eq!(shown(&[b"on", b"e\ntwo\r\nth", b"ree"]), ["one", "two", "three"]);
    }

    #[test]
    fn number_of_shown_lines_is_limited() {
        let flood = vec![b'\n'; 100_000];
        let lines = shown(&[&flood, &flood, &flood]);
        assert_eq!(lines.len(), LINES_PER_WINDOW);
    }

    #[test]
    fn long_line_is_truncated() {
        let long = vec![b'x'; 100_000];
        let lines = shown(&[&long, &long, b"\nnext\n"]);
        assert_eq!(lines[0].len(), super::MAX_LINE_LEN);
        assert_eq!(lines[1], "next");
    }
}
