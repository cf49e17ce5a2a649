//! Keeps the start and the end of a byte stream within a size limit.

use std::collections::VecDeque;

use super::cell::Captured;

/// A buffer that accepts any number of bytes and keeps the first and the last of them.
#[derive(Debug)]
pub struct Capture {
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    dropped: u64,
}

impl Capture {
    /// Creates a buffer that keeps at most `max_bytes` bytes: half from the start, half from the end.
    pub fn new(max_bytes: usize) -> Self {
        let half = max_bytes / 2;
        Self { half, head: Vec::new(), tail: VecDeque::new(), dropped: 0 }
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let free = self.half - self.head.len();
        let (first, rest) = bytes.split_at(free.min(bytes.len()));
        self.head.extend_from_slice(first);
        // Only the last `half` bytes can remain, so earlier ones are skipped.
        let skipped = rest.len().saturating_sub(self.half);
        self.tail.extend(&rest[skipped..]);
        let over = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..over);
        self.dropped += (skipped + over) as u64;
    }

    /// Returns the kept bytes as text. Invalid UTF-8 is replaced, including characters split where bytes were dropped.
    pub fn finish(self) -> Captured {
        let tail: Vec<u8> = self.tail.into();
        let text = if self.dropped == 0 {
            let mut whole = self.head;
            whole.extend(tail);
            String::from_utf8_lossy(&whole).into_owned()
        } else {
            let (start, end) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&tail));
            format!("{start}\n[... {} bytes left out ...]\n{end}", self.dropped)
        };
        Captured { text, dropped: self.dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::Capture;

    #[test]
    fn short_output_is_complete() {
        let mut capture = Capture::new(10);
        capture.push(b"abc");
        capture.push("dé".as_bytes());
        let kept = capture.finish();
        assert_eq!((kept.text.as_str(), kept.dropped), ("abcdé", 0));
    }

    #[test]
    fn long_output_keeps_both_ends() {
        let mut capture = Capture::new(8);
        for _ in 0..1000 {
            capture.push(b"0123456789");
        }
        let kept = capture.finish();
        assert_eq!(kept.dropped, 9_992);
        assert_eq!(kept.text, "0123\n[... 9992 bytes left out ...]\n6789");
    }
}
