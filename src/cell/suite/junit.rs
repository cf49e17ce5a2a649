//! Reads JUnit files as pytest and ctest write them, whole or cut short, without trusting them.
//!
//! The file is streamed: no recursion, at most [`FILE_CAP`] bytes of it, [`CASE_CAP`] cases, and [`super::CASE_OUTPUT_CAP`]
//! bytes of text a case. Entities other than XML's own five are left as they stand, so none can grow.

use std::collections::HashMap;
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event};

use super::CASE_OUTPUT_CAP;
use crate::cell::artifact::open_regular;
use crate::model::capture::Capture;
use crate::model::cell::{Captured, Outcome};

/// Bytes read of a file.
const FILE_CAP: u64 = 64 << 20;
/// Cases read of a file.
const CASE_CAP: usize = 100_000;
/// Bytes kept of a name or a path.
const NAME_CAP: usize = 4 << 10;
/// Bytes kept of a message.
const MESSAGE_CAP: usize = 64 << 10;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Its cases in their order; those of one class and name are one.
    pub(super) cases: Vec<Entry>,
    /// Why there may be more cases than these: the file ends in the middle, is not XML any more, or is too large.
    pub(super) broken: Option<String>,
}

/// One case as the file has it.
#[derive(Debug)]
pub(super) struct Entry {
    /// `name`.
    pub(super) name: String,
    /// `classname`.
    pub(super) class: String,
    /// `file`.
    pub(super) file: Option<String>,
    /// `line`, counted as its writer counts.
    pub(super) line: Option<u64>,
    /// `time`; 0 when it is missing or no sensible number.
    pub(super) seconds: f64,
    /// By the elements inside.
    pub(super) outcome: Outcome,
    /// The message of the first element that is neither output nor property, with its line breaks.
    pub(super) message: String,
    /// The text of all elements, in their order.
    pub(super) text: Captured,
}

/// Reads a file.
///
/// # Errors
/// When it isn't there or is no regular file.
pub(super) fn read(path: &Path) -> io::Result<Report> {
    let file = open_regular(path)?;
    let over = file.metadata()?.len() > FILE_CAP;
    let mut report = parse(BufReader::new(file.take(FILE_CAP)));
    if over {
        report.broken = Some(format!("the JUnit file is larger than {} MiB", FILE_CAP >> 20));
    }
    Ok(report)
}

/// Reads XML.
pub(super) fn parse(input: impl io::BufRead) -> Report {
    let mut reader = Reader::from_reader(input);
    let mut cases = Cases::default();
    let mut open: Option<Open> = None;
    let mut depth: usize = 0;
    let mut buffer = Vec::new();
    let broken = loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
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
            Ok(Event::Eof) => break (depth > 0).then(|| "the JUnit file ends in the middle".to_owned()),
            Ok(Event::Comment(_) | Event::Decl(_) | Event::DocType(_) | Event::PI(_)) => {}
            Err(error) => {
                break Some(format!("the JUnit file is not XML any more at byte {}: {error}", reader.error_position()));
            }
        }
        // Counted as they come: repeated names make one case, and joining them takes time as well.
        if cases.read >= CASE_CAP {
            break Some(format!("the JUnit file has more than {CASE_CAP} cases"));
        }
    };
    Report { cases: cases.list, broken }
}

/// A case being read.
struct Open {
    entry: Entry,
    text: Capture,
    /// Name of the element inside it that is being read, and its text.
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
    open.inside = Some((name, Capture::new(CASE_OUTPUT_CAP)));
    open.entry.outcome = open.entry.outcome.max(outcome);
    if outcome != Outcome::Passed && !open.has_message {
        open.has_message = true;
        let mut expected = false;
        for (key, value) in attributes(element) {
            match key.as_slice() {
                b"message" => open.entry.message = head(value, MESSAGE_CAP),
                b"type" => expected = value == "pytest.xfail",
                _ => {}
            }
        }
        if expected && open.entry.message.is_empty() {
            "expected to fail".clone_into(&mut open.entry.message);
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
            b"name" => entry.name = head(value, NAME_CAP),
            b"classname" => entry.class = head(value, NAME_CAP),
            b"file" => entry.file = Some(head(value, NAME_CAP)),
            b"line" => entry.line = value.parse().ok(),
            b"time" => entry.seconds = seconds(&value),
            // ctest says so here, and has an empty `skipped` or none at all.
            b"status" if matches!(value.as_str(), "disabled" | "notrun") => {
                entry.outcome = Outcome::Skipped;
                entry.message = value;
            }
            _ => {}
        }
    }
    Open { entry, text: Capture::new(CASE_OUTPUT_CAP), inside: None, has_message: false }
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
        if says_something(&text) {
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

/// Whether there is more than pytest's headings of captured output that turned out empty.
fn says_something(text: &str) -> bool {
    let is_heading = |line: &str| line.starts_with("---") && line.ends_with("---");
    text.lines().map(str::trim).any(|line| !line.is_empty() && !is_heading(line))
}

/// The attributes that can be read; a malformed one ends the list.
fn attributes(element: &BytesStart<'_>) -> Vec<(Vec<u8>, String)> {
    let mut attributes = element.attributes();
    let readable = attributes.with_checks(false).map_while(Result::ok).map(|attribute| {
        let raw = String::from_utf8_lossy(&attribute.value).into_owned();
        let value = unescape(&raw).map_or_else(|_| raw.clone(), std::borrow::Cow::into_owned);
        (attribute.key.local_name().as_ref().to_vec(), value)
    });
    readable.collect()
}

/// The text of `&name;`: a character of XML's own, or the reference as it stands.
fn resolve(name: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = name.resolve_char_ref() {
        return character.to_string();
    }
    let name = String::from_utf8_lossy(name);
    resolve_predefined_entity(&name).map_or_else(|| format!("&{name};"), str::to_owned)
}

/// A time, perhaps with separators between the thousands; never negative, never infinite.
fn seconds(text: &str) -> f64 {
    let number: f64 = text.replace(',', "").trim().parse().unwrap_or_default();
    if number.is_finite() && number > 0.0 { number } else { 0.0 }
}

/// The first `cap` bytes, cut between characters.
pub(super) fn head(mut text: String, cap: usize) -> String {
    text.truncate(text.floor_char_boundary(cap));
    text
}

/// The cases so far; a second one of the same class and name (pytest writes a failure and an error in the teardown as
/// two) is joined with the first.
#[derive(Default)]
struct Cases {
    list: Vec<Entry>,
    known: HashMap<(String, String), usize>,
    read: usize,
}

impl Cases {
    fn add(&mut self, entry: Entry) {
        self.read += 1;
        let key = (entry.class.clone(), entry.name.clone());
        if let Some(&index) = self.known.get(&key) {
            join(&mut self.list[index], entry);
        } else {
            self.known.insert(key, self.list.len());
            self.list.push(entry);
        }
    }
}

fn join(first: &mut Entry, second: Entry) {
    first.outcome = first.outcome.max(second.outcome);
    first.seconds += second.seconds;
    if first.message.is_empty() {
        first.message = second.message;
    } else if !second.message.is_empty() {
        let line = first.message.lines().next().unwrap_or_default();
        first.message = head(format!("{line}; {}", second.message), MESSAGE_CAP);
    }
    if second.text.text.is_empty() && second.text.dropped == 0 {
        return;
    }
    let mut text = Capture::new(CASE_OUTPUT_CAP);
    text.push(first.text.text.as_bytes());
    text.push(second.text.text.as_bytes());
    let dropped = first.text.dropped + second.text.dropped;
    first.text = text.finish();
    first.text.dropped += dropped;
}

#[cfg(test)]
mod tests;
