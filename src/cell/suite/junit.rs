//! Reads JUnit files of pytest and ctest, including truncated ones. The files are untrusted.
//!
//! The file is streamed without recursion, so that its size hardly matters. At most [`MAX_CASES`] cases and
//! [`super::MAX_CASE_OUTPUT`] bytes of text per case are kept, and all texts share a [`Budget`]. Only the five predefined XML
//! entities are expanded.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};

use super::budget::Budget;
use super::{MAX_CASE_OUTPUT, head};
use crate::cell::artifact::open_regular;
use crate::model::capture::Capture;
use crate::model::cell::{Captured, Outcome, Seconds};
use crate::model::limit::MAX_CASES;

mod split;

/// Maximum number of bytes read from a file, which takes about 20 s.
const MAX_FILE_SIZE: u64 = 4 << 30;
/// Number of cases from which only failed ones are kept, so that a passed test never hides a failed one.
const MANY_CASES: usize = MAX_CASES / 10 * 9;
/// Maximum number of nested elements.
const MAX_DEPTH: usize = 10_000;
/// Maximum length of a name or path in bytes.
const MAX_NAME_LEN: usize = 4 << 10;
/// Maximum length of a message in bytes. Only its first line is used.
const MAX_MESSAGE_LEN: usize = 2 << 10;

/// The content of a file.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The cases in order; cases with the same class and name are merged.
    pub(super) cases: Vec<Entry>,
    /// Why the file may lack cases: it is truncated, invalid or too large.
    pub(super) problem: Option<String>,
    /// Number of cases in the file that are not in `cases`.
    pub(super) left_out: usize,
}

/// One case in the file.
#[derive(Debug)]
pub(super) struct Entry {
    /// `name`.
    pub(super) name: String,
    /// `classname`.
    pub(super) class: String,
    /// `file`.
    pub(super) file: Option<String>,
    /// `line`, counted as by the program that wrote the file.
    pub(super) line: Option<u64>,
    /// `time`; 0 if it is missing or invalid.
    pub(super) seconds: f64,
    /// The outcome, from the child elements.
    pub(super) outcome: Outcome,
    /// The message of the first child element that is neither output nor property, with line breaks.
    pub(super) message: String,
    /// The text of all child elements, in order.
    pub(super) text: Captured,
}

/// Reads a file.
///
/// # Errors
/// If it does not exist or is not a regular file.
pub(super) fn read(path: &Path) -> io::Result<Report> {
    let file = open_regular(path)?;
    let over = file.metadata()?.len() > MAX_FILE_SIZE;
    let mut report = parse(BufReader::new(file.take(MAX_FILE_SIZE)));
    if over {
        report.problem = Some(format!("the JUnit file is larger than {} GiB", MAX_FILE_SIZE >> 30));
    }
    Ok(report)
}

/// Reads XML.
pub(super) fn parse(input: impl io::BufRead) -> Report {
    let mut reader = Reader::from_reader(BufReader::new(split::Split::new(input)));
    let mut cases = Cases::default();
    let mut open: Option<Open> = None;
    let mut depth: usize = 0;
    let mut buffer = Vec::new();
    let problem = loop {
        buffer.clear();
        reader.get_mut().get_mut().begin_event();
        match reader.read_event_into(&mut buffer) {
            // The reader stores the names of open elements.
            Ok(Event::Start(element)) if depth >= MAX_DEPTH || element.name().as_ref().len() > MAX_NAME_LEN => {
                break Some("the JUnit file has too many nested elements or too long names".to_owned());
            }
            Ok(Event::Start(element)) => {
                depth += 1;
                enter(&mut open, &element);
            }
            Ok(Event::Empty(element)) => {
                enter(&mut open, &element);
                leave(&mut open, &mut cases, element.local_name().as_ref());
            }
            Ok(Event::End(element)) => {
                depth = depth.saturating_sub(1);
                leave(&mut open, &mut cases, element.local_name().as_ref());
            }
            Ok(Event::Text(text)) => keep(&mut open, &text),
            Ok(Event::CData(text)) => keep(&mut open, &text),
            Ok(Event::GeneralRef(name)) => keep(&mut open, resolve(&name).as_bytes()),
            Ok(Event::Eof) => break (depth > 0).then(|| "the JUnit file is truncated".to_owned()),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::DocType(_) | Event::PI(_)) => {}
            Err(error) => {
                break Some(format!("the JUnit file is invalid at byte {}: {error}", reader.error_position()));
            }
        }
    };
    Report { cases: cases.list, problem, left_out: cases.left_out }
}

/// A case being read.
struct Open {
    entry: Entry,
    text: Capture,
    /// Name and text of the child element being read.
    inside: Option<(Vec<u8>, Capture)>,
    has_message: bool,
}

fn enter(open: &mut Option<Open>, element: &BytesStart<'_>) {
    let name = element.local_name().as_ref().to_vec();
    if name == b"testcase" {
        *open = Some(start(element));
        return;
    }
    let Some(open) = open else { return };
    let outcome = match name.as_slice() {
        b"failure" => Outcome::Failed,
        b"error" => Outcome::Errored,
        b"skipped" => Outcome::Skipped,
        b"system-out" | b"system-err" => Outcome::Passed,
        _ => return,
    };
    open.inside = Some((name, Capture::new(MAX_CASE_OUTPUT)));
    open.entry.outcome = open.entry.outcome.max(outcome);
    if outcome != Outcome::Passed && !open.has_message {
        open.has_message = true;
        let mut expected = false;
        for (key, value) in attributes(element) {
            match key.as_slice() {
                b"message" => open.entry.message = head(value, MAX_MESSAGE_LEN),
                b"type" => expected = value == "pytest.xfail",
                _ => {}
            }
        }
        if expected && open.entry.message.is_empty() {
            "expected failure".clone_into(&mut open.entry.message);
        }
    }
}

fn start(element: &BytesStart<'_>) -> Open {
    let mut entry = Entry {
        name: String::new(),
        class: String::new(),
        file: None,
        line: None,
        seconds: 0.0,
        outcome: Outcome::Passed,
        message: String::new(),
        text: Captured { text: String::new(), dropped: 0 },
    };
    for (key, value) in attributes(element) {
        match key.as_slice() {
            b"name" => entry.name = head(value, MAX_NAME_LEN),
            b"classname" => entry.class = head(value, MAX_NAME_LEN),
            b"file" => entry.file = Some(head(value, MAX_NAME_LEN)),
            b"line" => entry.line = value.parse().ok(),
            b"time" => entry.seconds = seconds(&value),
            // ctest states it here, with an empty `skipped` element or none.
            b"status" if matches!(value.as_str(), "disabled" | "notrun") => {
                entry.outcome = Outcome::Skipped;
                entry.message = value;
            }
            _ => {}
        }
    }
    Open { entry, text: Capture::new(MAX_CASE_OUTPUT), inside: None, has_message: false }
}

fn leave(open: &mut Option<Open>, cases: &mut Cases, name: &[u8]) {
    if name == b"testcase" {
        if let Some(Open { mut entry, text, .. }) = open.take() {
            entry.text = text.finish();
            cases.add(entry);
        }
    } else if let Some(open) = open
        && open.inside.as_ref().is_some_and(|(inside, _)| inside == name)
        && let Some((_, text)) = open.inside.take()
    {
        let text = text.finish().text;
        if has_content(&text) {
            open.text.push(text.trim_end().as_bytes());
            open.text.push(b"\n");
        }
    }
}

fn keep(open: &mut Option<Open>, text: &[u8]) {
    if let Some(open) = open
        && let Some((_, inside)) = &mut open.inside
    {
        inside.push(text);
    }
}

/// Reports whether a text contains more than the headings that pytest writes for empty output.
fn has_content(text: &str) -> bool {
    let is_heading = |line: &str| line.starts_with("---") && line.ends_with("---");
    text.lines().map(str::trim).any(|line| !line.is_empty() && !is_heading(line))
}

/// Returns the attributes up to the first malformed one.
fn attributes(element: &BytesStart<'_>) -> Vec<(Vec<u8>, String)> {
    let mut attributes = element.attributes();
    let readable = attributes.with_checks(false).map_while(Result::ok).map(|attribute| {
        let raw = String::from_utf8_lossy(&attribute.value).into_owned();
        let value = unescape(&raw).map_or_else(|_| raw.clone(), std::borrow::Cow::into_owned);
        (attribute.key.local_name().as_ref().to_vec(), value)
    });
    readable.collect()
}

/// Returns the text of `&name;`: a predefined character, or the unchanged reference.
fn resolve(name: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = name.resolve_char_ref() {
        return character.to_string();
    }
    let name = String::from_utf8_lossy(name);
    resolve_predefined_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned)
}

/// Parses a time with optional thousands separators; invalid, negative and infinite values are 0.
fn seconds(text: &str) -> f64 {
    let number: f64 = text.replace(',', "").trim().parse().unwrap_or_default();
    if number.is_finite() && number > 0.0 { number } else { 0.0 }
}

/// The cases read so far. A second case with the same class and name is merged with the first: pytest writes a failure
/// and an error in the teardown as two cases.
#[derive(Default)]
struct Cases {
    list: Vec<Entry>,
    /// The index of each case by the hash of its class and name, which are too long to be stored twice.
    known: HashMap<u64, usize>,
    hash: RandomState,
    budget: Budget,
    left_out: usize,
}

impl Cases {
    fn add(&mut self, mut entry: Entry) {
        let key = self.hash.hash_one((&entry.class, &entry.name));
        let known = self.known.get(&key).copied();
        let is_bad = matches!(entry.outcome, Outcome::Failed | Outcome::Errored);
        if known.is_none() && self.list.len() >= if is_bad { MAX_CASES } else { MANY_CASES } {
            self.left_out += 1;
            return;
        }
        for text in [&mut entry.name, &mut entry.class, &mut entry.message].into_iter().chain(&mut entry.file) {
            *text = self.budget.name(std::mem::take(text));
        }
        let text = if entry.outcome == Outcome::Passed { None } else { self.budget.output(entry.text) };
        entry.text = text.unwrap_or(Captured { text: String::new(), dropped: 0 });
        if let Some(index) = known {
            join(&mut self.list[index], entry);
        } else {
            self.known.insert(key, self.list.len());
            self.list.push(entry);
        }
    }
}

fn join(first: &mut Entry, second: Entry) {
    first.outcome = first.outcome.max(second.outcome);
    first.seconds = Seconds::sum(first.seconds, second.seconds);
    if first.message.is_empty() {
        first.message = second.message;
    } else if !second.message.is_empty() && first.message.len() < MAX_MESSAGE_LEN {
        let line = first.message.lines().next().unwrap_or_default();
        first.message = head(format!("{line}; {}", second.message), MAX_MESSAGE_LEN);
    }
    if second.text.text.is_empty() && second.text.dropped == 0 {
        return;
    }
    if first.text.dropped > 0 {
        first.text.dropped += second.text.text.len() as u64 + second.text.dropped;
        return;
    }
    let mut text = Capture::new(MAX_CASE_OUTPUT);
    text.push(first.text.text.as_bytes());
    text.push(second.text.text.as_bytes());
    let dropped = first.text.dropped + second.text.dropped;
    first.text = text.finish();
    first.text.dropped += dropped;
}

#[cfg(test)]
mod tests;
