//! Output of a running program: kept within its cap, and shown line by line as it comes.

use std::time::{Duration, Instant};

use super::Lines;
use crate::model::capture::Capture;
use crate::model::cell::Captured;

/// Bytes of one line that are shown; the rest of a longer one is left out.
const LINE_CAP: usize = 4096;
/// Lines shown in each [`WINDOW`]. The channel has no bound, so a program that prints without end must not fill it.
const LINES_PER_WINDOW: usize = 500;
const WINDOW: Duration = Duration::from_millis(250);

/// Takes a program's output in pieces.
#[derive(Debug)]
pub struct Output {
    capture: Capture,
    lines: Lines,
    line: Vec<u8>,
    window: Instant,
    shown: usize,
}

impl Output {
    /// Keeps `cap` bytes and shows lines to `lines`; a receiver that is gone is no failure.
    pub fn new(cap: usize, lines: Lines) -> Self {
        Self { capture: Capture::new(cap), lines, line: Vec::new(), window: Instant::now(), shown: 0 }
    }

    /// Takes the next piece.
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
            let room = LINE_CAP.saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.show();
            }
        }
    }

    /// Ends the output and gives what was kept.
    pub fn finish(mut self) -> Captured {
        if !self.line.is_empty() {
            self.show();
        }
        self.capture.finish()
    }

    /// Passes over a piece, so that the next line shown starts where a line starts.
    fn skip(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.iter().rposition(|b| *b == b'\n') {
            self.line.clear();
            self.line.extend(bytes[last + 1..].iter().take(LINE_CAP));
        }
    }

    fn show(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.shown < LINES_PER_WINDOW {
            let text = String::from_utf8_lossy(&line);
            // Nobody watches any more: the output is kept all the same.
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
    fn lines_come_whole_however_they_were_cut() {
        assert_eq!(shown(&[b"on", b"e\ntwo\r\nth", b"ree"]), ["one", "two", "three"]);
    }

    #[test]
    fn a_flood_shows_few_lines() {
        let flood = vec![b'\n'; 100_000];
        let lines = shown(&[&flood, &flood, &flood]);
        assert_eq!(lines.len(), LINES_PER_WINDOW);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 100_000];
        let lines = shown(&[&long, &long, b"\nnext\n"]);
        assert_eq!(lines[0].len(), super::LINE_CAP);
        assert_eq!(lines[1], "next");
    }
}
