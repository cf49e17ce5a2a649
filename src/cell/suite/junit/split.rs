//! Splits the long texts of an XML file, because the XML reader stores every event.
//!
//! A long text is split by an empty comment, a long CDATA section by a second section, and attributes are truncated. Memory
//! is therefore limited, and no element is lost.

use std::io::{self, BufRead, Read};

use memchr::{memchr, memchr2};

/// Maximum length in bytes of a text, of a CDATA section, and of all attributes of an element.
const MAX_TEXT: usize = 1 << 20;
/// Maximum length in bytes of everything else, such as a comment.
const MAX_EVENT: usize = 4 * MAX_TEXT;
/// Maximum length of a reference such as `&amp;` in bytes.
const MAX_REFERENCE: usize = 16;
/// Splits a text.
const COMMENT: &[u8] = b"<!---->";
/// Splits a CDATA section.
const SECTION: &[u8] = b"]]><![CDATA[";

/// A reader that passes on a file with split texts.
#[derive(Debug)]
pub(super) struct Split<R> {
    inner: R,
    position: Position,
    /// Number of bytes since the last event.
    event: usize,
}

/// A position in the file.
#[derive(Debug)]
struct Position {
    state: State,
    /// Number of bytes in the current text, section or attributes.
    run: usize,
    /// Bytes that are inserted here.
    inserted: &'static [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// A reference in a text or, with its quote, in an attribute, and its length.
    Reference(Option<u8>, usize),
    /// The start of markup: the number of bytes, and whether they are still those of a CDATA section.
    Open(usize, bool),
    /// An element between its attributes.
    Tag,
    /// An attribute value and its quote.
    Value(u8),
    /// A CDATA section and the number of `]` at the end.
    Section(usize),
    /// A comment, a declaration or an instruction.
    Other,
}

impl<R: BufRead> Split<R> {
    /// Creates a reader.
    pub(super) fn new(inner: R) -> Self {
        Self { inner, position: Position { state: State::Text, run: 0, inserted: &[] }, event: 0 }
    }

    /// Starts a new event, whose size is limited.
    pub(super) fn begin_event(&mut self) {
        self.event = 0;
    }
}

impl Position {
    /// Moves on. Returns how many bytes of the input, which is not empty, belong together, and whether they are dropped.
    fn step(&mut self, input: &[u8]) -> (usize, bool) {
        let byte = input[0];
        match self.state {
            State::Text => {
                let room = &input[..input.len().min(MAX_TEXT - self.run)];
                let plain = memchr2(b'<', b'&', room).unwrap_or(room.len());
                self.run += plain;
                if plain > 0 {
                    if self.run == MAX_TEXT {
                        (self.run, self.inserted) = (0, COMMENT);
                    }
                    return (plain, false);
                }
                // The reader returns a reference as an event of its own.
                self.run = 0;
                self.state = if byte == b'<' { State::Open(1, true) } else { State::Reference(None, 1) };
                (1, false)
            }
            State::Reference(quote, length) => {
                let is_end = byte == b';' || length >= MAX_REFERENCE;
                let is_markup = byte == b'<' && quote.is_none() || Some(byte) == quote;
                self.state = match quote {
                    _ if !is_end && !is_markup => State::Reference(quote, length + 1),
                    Some(quote) => State::Value(quote),
                    None => State::Text,
                };
                self.run += usize::from(quote.is_some());
                (usize::from(!is_markup), false)
            }
            State::Open(length, is_section) => {
                let is_section = is_section && b"<![CDATA[".get(length) == Some(&byte);
                (self.state, self.run) = match length {
                    8 if is_section => (State::Section(0), 0),
                    1 if matches!(byte, b'!' | b'?') => (State::Open(2, is_section), 0),
                    2.. if is_section => (State::Open(length + 1, true), 0),
                    2.. if byte == b'>' => (State::Text, 0),
                    2.. => (State::Other, 0),
                    _ if byte == b'>' => (State::Text, 0),
                    _ => (State::Tag, 0),
                };
                (1, false)
            }
            State::Tag => {
                match byte {
                    b'>' => (self.state, self.run) = (State::Text, 0),
                    b'"' | b'\'' => self.state = State::Value(byte),
                    _ => {}
                }
                (1, false)
            }
            State::Value(quote) => {
                if byte == quote {
                    self.state = State::Tag;
                    return (1, false);
                }
                let is_dropped = self.run >= MAX_TEXT;
                let plain = if is_dropped { memchr(quote, input) } else { memchr2(quote, b'&', input) };
                let plain = plain.unwrap_or(input.len());
                if plain == 0 {
                    self.state = State::Reference(Some(quote), 1);
                    self.run += 1;
                    return (1, false);
                }
                let plain = if is_dropped { plain } else { plain.min(MAX_TEXT - self.run) };
                self.run += plain;
                (plain, is_dropped)
            }
            State::Section(brackets) => {
                if byte == b'>' && brackets >= 2 {
                    (self.state, self.run) = (State::Text, 0);
                    return (1, false);
                }
                if byte == b']' {
                    self.state = State::Section(brackets + 1);
                    self.run += 1;
                    return (1, false);
                }
                self.state = State::Section(0);
                let room = &input[..input.len().min((MAX_TEXT - self.run.min(MAX_TEXT)).max(1))];
                let plain = memchr(b']', room).unwrap_or(room.len());
                self.run += plain;
                if self.run >= MAX_TEXT {
                    (self.run, self.inserted) = (0, SECTION);
                }
                (plain, false)
            }
            State::Other => {
                let end = memchr(b'>', input);
                if end.is_some() {
                    self.state = State::Text;
                }
                (end.map_or(input.len(), |end| end + 1), false)
            }
        }
    }
}

impl<R: BufRead> Read for Split<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Self { inner, position, .. } = self;
        let mut written = 0;
        while written < out.len() {
            if !position.inserted.is_empty() {
                written += position.inserted.read(&mut out[written..])?;
                continue;
            }
            let input = match inner.fill_buf() {
                // The next call returns the error.
                Err(_) if written > 0 => break,
                input => input?,
            };
            let input = &input[..input.len().min(out.len() - written)];
            if input.is_empty() {
                break;
            }
            let (used, is_dropped) = position.step(input);
            if !is_dropped {
                out[written..written + used].copy_from_slice(&input[..used]);
                written += used;
            }
            inner.consume(used);
        }
        self.event += written;
        if self.event > MAX_EVENT {
            return Err(io::Error::other(format!("an element is larger than {} MiB", MAX_EVENT >> 20)));
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read as _};

    use proptest::prelude::{Strategy as _, any, prop, proptest};

    use super::{MAX_TEXT, Split};

    fn split(text: &str, chunk: usize) -> String {
        let mut out = String::new();
        let mut split = Split::new(BufReader::with_capacity(chunk, text.as_bytes()));
        let mut buffer = vec![0; chunk];
        let mut bytes = Vec::new();
        loop {
            split.begin_event();
            match split.read(&mut buffer).expect("no error") {
                0 => break,
                read => bytes.extend(&buffer[..read]),
            }
        }
        out.push_str(std::str::from_utf8(&bytes).expect("text"));
        out
    }

    #[test]
    fn long_parts_are_split_and_long_attributes_truncated() {
        let long = |part: &str| part.repeat(3 * MAX_TEXT / part.len());
        let text = format!("<a>{}&lt;</a>", long("1 > 2 "));
        assert_eq!(split(&text, 8192).replace("<!---->", ""), text);
        assert_eq!(split(&text, 8192).matches("<!---->").count(), 3);
        let section = format!("<a><![CDATA[{}]]]></a>", long("[x]]y>"));
        assert_eq!(split(&section, 8192).replace("]]><![CDATA[", ""), section);
        assert!(split(&section, 8192).contains("]]><![CDATA["));
        let attribute = format!("<a b='x{}' c=\"d\">t</a>", long("&amp;>"));
        let truncated = split(&attribute, 8192);
        assert!(truncated.len() < MAX_TEXT + 100 && truncated.ends_with("' c=\"\">t</a>"), "{}", truncated.len());
        assert!(truncated.contains(";' c=") || truncated.contains(">' c="), "{}", &truncated[MAX_TEXT - 20..]);
    }

    proptest! {
        #[test]
        fn short_files_are_unchanged(parts in prop::collection::vec(prop::sample::select(vec!["<a ", "b='", "'", "\"", ">",
            "/>", "<![CDATA[", "]]>", "]", "&amp;", "&", ";", "<!--", "-->", "<?", "<!DOCTYPE", "é", "text", " "]), 0..60)
            .prop_map(|parts| parts.concat()), chunk in 1_usize..9) {
            assert_eq!(split(&parts, chunk), parts);
        }

        #[test]
        fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut out = Vec::new();
            Split::new(bytes.as_slice()).read_to_end(&mut out).expect("no error");
            assert_eq!(out, bytes);
        }
    }
}
