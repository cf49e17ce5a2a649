//! Undoes the escapes of URLs, markup and programs, with the positions in the original text.

use crate::model::text::sequence;

/// Maximum length of a reference such as `&#x1F600;` in bytes.
const MAX_REFERENCE: usize = 10;

/// Decoded bytes.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// The position of each byte in the original text, and the end of that text.
    pub(super) positions: Vec<usize>,
}

/// Returns the number of bytes of the escape at the start of a text, and appends the bytes that it stands for. `None` if
/// the text has no escape.
type Decoder = fn(&[u8], &mut Vec<u8>) -> Option<usize>;

/// The first byte of an escape, and its decoder.
pub(super) const DECODERS: [(u8, Decoder); 3] = [(b'%', percent), (b'&', reference), (b'\\', backslash)];

/// Removes the sequences of terminals, which [`crate::model::text::clean`] removes as well.
pub(super) const SEQUENCES: (u8, Decoder) = (0x1b, |text, _| Some(1 + sequence(&text[1..])?));

impl Decoded {
    pub(super) fn new(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), positions: (0..=text.len()).collect() }
    }

    /// Removes the ends of lines of base64 with one of these lengths. `None` if the text has no such line.
    pub(super) fn unwrapped(text: &str, lengths: &[usize]) -> Option<Self> {
        let max = lengths.iter().max()? + 1;
        let is_wrapped = |line: &str| {
            let word = line.trim_end_matches(['\n', '\r']).bytes().rev().take(max);
            let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || b"+/-_".contains(b);
            line.ends_with('\n') && lengths.contains(&word.take_while(is_base64).count())
        };
        if !text.split_inclusive('\n').any(is_wrapped) {
            return None;
        }
        let mut out = Self { bytes: Vec::with_capacity(text.len()), positions: Vec::with_capacity(text.len() + 1) };
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let kept = if is_wrapped(line) { line.trim_end_matches(['\n', '\r']).len() } else { line.len() };
            out.bytes.extend_from_slice(&line.as_bytes()[..kept]);
            out.positions.extend(at..at + kept);
            at += line.len();
        }
        out.positions.push(at);
        Some(out)
    }

    /// Decodes once more. `None` if the text has no escape.
    pub(super) fn decode(&self, (start, decoder): (u8, Decoder)) -> Option<Self> {
        let mut out = Self { bytes: Vec::with_capacity(self.bytes.len()), positions: Vec::new() };
        let (mut at, mut is_changed) = (0, false);
        while at < self.bytes.len() {
            let next = memchr::memchr(start, &self.bytes[at..]).map_or(self.bytes.len(), |next| at + next);
            out.bytes.extend_from_slice(&self.bytes[at..next]);
            out.positions.extend_from_slice(&self.positions[at..next]);
            at = next;
            if at == self.bytes.len() {
                break;
            }
            let length = match decoder(&self.bytes[at..], &mut out.bytes) {
                Some(length) => {
                    is_changed = true;
                    length
                }
                None => {
                    out.bytes.push(start);
                    1
                }
            };
            out.positions.resize(out.bytes.len(), self.positions[at]);
            at += length;
        }
        out.positions.push(self.positions[self.bytes.len()]);
        is_changed.then_some(out)
    }
}

/// Decodes `%C3`.
fn percent(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let digits = str::from_utf8(text.get(1..3)?).ok().filter(|digits| !digits.starts_with('+'))?;
    out.push(u8::from_str_radix(digits, 16).ok()?);
    Some(3)
}

/// Decodes `&amp;`, `&#38;` and `&#x26;`.
fn reference(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let end = text.iter().take(MAX_REFERENCE).position(|b| *b == b';')?;
    let c = match str::from_utf8(&text[1..end]).ok()? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = name.strip_prefix('#')?;
            let hexadecimal = number.strip_prefix(['x', 'X']);
            let code = hexadecimal.map_or_else(|| number.parse(), |digits| u32::from_str_radix(digits, 16));
            char::from_u32(code.ok()?)?
        }
    };
    push(c, out);
    Some(end + 1)
}

/// Decodes `\n`, `\"`, `\xe9` and `\u00e9`.
fn backslash(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let code = |range: std::ops::Range<usize>| u32::from_str_radix(str::from_utf8(text.get(range)?).ok()?, 16).ok();
    let (c, length) = match text.get(1)? {
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'x' => (char::from_u32(code(2..4)?)?, 4),
        b'u' => {
            let high = code(2..6)?;
            match char::from_u32(high) {
                Some(c) => (c, 6),
                None => {
                    let low = code(8..12).filter(|low| text[6..8] == *b"\\u" && (0xdc00..0xe000).contains(low))?;
                    (char::from_u32(0x10000 + ((high.checked_sub(0xd800)? & 0x3ff) << 10) + (low - 0xdc00))?, 12)
                }
            }
        }
        b if b.is_ascii_graphic() || *b == b' ' => (char::from(*b), 2),
        _ => return None,
    };
    push(c, out);
    Some(length)
}

fn push(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
