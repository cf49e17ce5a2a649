//! Dockerfiles and Containerfiles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::fact::{Dialect, Host, Word};
use super::shell;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, is_shared, items, lines, trim, unquote};

/// What earlier instructions say.
#[derive(Debug, Default)]
struct State {
    /// Values of `ARG` with a default.
    arguments: BTreeMap<String, String>,
    /// Names of stages, in small letters.
    stages: BTreeSet<String>,
}

/// Reads a part of a text as a Dockerfile.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let escape =
        if sheet.slice(&range).lines().take(3).any(|line| line.replace(' ', "") == "#escape=`") { '`' } else { '\\' };
    let mut state = State::default();
    let mut start = None;
    let mut ends = Vec::new();
    for line in lines(sheet.text, range.clone()) {
        let text = sheet.slice(&line);
        if !ends.is_empty() {
            // Inside a heredoc.
            if ends.last().is_some_and(|end: &String| text.trim_start_matches('\t') == end) {
                ends.pop();
            }
            if ends.is_empty() {
                instruction(sheet, start.take().unwrap_or(line.start)..line.end, &mut state);
            }
            continue;
        }
        let bare = text.trim_start();
        if bare.starts_with('#') {
            sheet.push(line.end - bare.len() + 1..line.end, Kind::Comment);
            continue;
        }
        if bare.is_empty() && start.is_none() {
            continue;
        }
        let from = *start.get_or_insert(line.start);
        if text.trim_end().ends_with(escape) || bare.is_empty() {
            continue;
        }
        ends = heredocs(sheet.slice(&(from..line.end)));
        ends.reverse();
        if ends.is_empty() {
            instruction(sheet, from..line.end, &mut state);
            start = None;
        }
    }
    if let Some(start) = start {
        instruction(sheet, start..range.end, &mut state);
    }
}

/// Delimiters of the heredocs of an instruction.
fn heredocs(text: &str) -> Vec<String> {
    let word = text.split_whitespace().next().unwrap_or("");
    if !["RUN", "COPY", "ADD"].iter().any(|name| word.eq_ignore_ascii_case(name)) {
        return Vec::new();
    }
    text.split_whitespace()
        .filter_map(|word| {
            let delimiter = word.strip_prefix("<<")?.trim_start_matches('-');
            let delimiter = delimiter.trim_matches(['"', '\'']);
            let is_name = delimiter.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            is_name.then(|| delimiter.to_owned())
        })
        .collect()
}

/// One instruction, its name first.
fn instruction(sheet: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let range = trim(sheet.text, range);
    let text = sheet.slice(&range);
    let length = text.find(char::is_whitespace).unwrap_or(text.len());
    let name = text[..length].to_ascii_uppercase();
    let arguments = trim(sheet.text, range.start + length..range.end);
    match name.as_str() {
        "FROM" => from(sheet, arguments, state),
        "ARG" => argument(sheet, arguments, state),
        "ENV" => environment(sheet, arguments),
        "RUN" | "CMD" | "ENTRYPOINT" | "SHELL" => run(sheet, arguments),
        "COPY" | "ADD" => copy(sheet, arguments, state),
        "HEALTHCHECK" | "ONBUILD" => instruction_after(sheet, arguments, state),
        "WORKDIR" | "VOLUME" | "USER" | "EXPOSE" | "STOPSIGNAL" => {
            for item in items(sheet.text, arguments) {
                sheet.add(unquote(sheet.text, item), Kind::Word, Role::Inside, Some(&name));
            }
        }
        "LABEL" | "MAINTAINER" => sheet.add(arguments, Kind::Word, Role::Shown, Some(&name)),
        _ => {}
    }
}

/// `ONBUILD RUN …`, `HEALTHCHECK --interval=1s CMD …`: once, not again.
fn instruction_after(sheet: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let text = sheet.slice(&range);
    if let Some(at) = text.find("CMD ").or_else(|| text.starts_with("RUN ").then_some(0)) {
        run(sheet, trim(sheet.text, range.start + at + 4..range.end));
    } else if text.starts_with("COPY ") {
        copy(sheet, trim(sheet.text, range.start + 5..range.end), state);
    }
}

fn from(sheet: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let words: Vec<_> =
        items(sheet.text, range).into_iter().filter(|word| !sheet.slice(word).starts_with("--")).collect();
    let Some(image) = words.first() else { return };
    let text = substitute(sheet.slice(image), &state.arguments);
    if text != "scratch" && !state.stages.contains(&text.to_ascii_lowercase()) {
        sheet.facts.images.push(Word { text, range: image.clone() });
    }
    sheet.add(image.clone(), Kind::Word, Role::Plain, Some("FROM"));
    if let [_, keyword, stage, ..] = words.as_slice()
        && sheet.slice(keyword).eq_ignore_ascii_case("as")
    {
        state.stages.insert(sheet.slice(stage).to_ascii_lowercase());
    }
}

/// `$X`, `${X}` and `${X:-default}` with what `ARG` says; others stay.
fn substitute(text: &str, arguments: &BTreeMap<String, String>) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        made.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (inside, length) =
            match after.strip_prefix('{').and_then(|inside| inside.find('}').map(|end| (inside, end))) {
                Some((inside, end)) => (&inside[..end], end + 2),
                None => {
                    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                    (&after[..end], end)
                }
            };
        let (name, default) = match inside.split_once(":-").or_else(|| inside.split_once('-')) {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        match arguments.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(default) {
            Some(value) if made.len() < 4096 => made.push_str(value),
            _ => made.push_str(&rest[at..at + 1 + length]),
        }
        rest = &after[length..];
    }
    made.push_str(rest);
    made
}

fn argument(sheet: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let text = sheet.slice(&range);
    let Some(at) = text.find('=') else { return };
    let value = unquote(sheet.text, trim(sheet.text, range.start + at + 1..range.end));
    let name = text[..at].trim();
    let written = substitute(sheet.slice(&value), &state.arguments);
    state.arguments.insert(name.to_owned(), written);
    sheet.add(value.clone(), Kind::Value, Role::Inside, Some(name));
    let word = sheet.word(value);
    sheet.set(Dialect::Variable, name, word, range.start);
}

/// `ENV key=value …` and `ENV key value`.
fn environment(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = sheet.slice(&range);
    let first = text.split_whitespace().next().unwrap_or("");
    if !first.contains('=') {
        let value = unquote(sheet.text, trim(sheet.text, range.start + first.len()..range.end));
        sheet.add(value.clone(), Kind::Value, Role::Inside, Some(first));
        let word = sheet.word(value);
        return sheet.set(Dialect::Variable, first, word, range.start);
    }
    for word in shell::words(text) {
        let Some((key, value)) = word.text.split_once('=') else { continue };
        let start = range.start + word.range.start;
        let place = unquote(sheet.text, (start + key.len() + 1).min(range.end)..range.start + word.range.end);
        sheet.add(place.clone(), Kind::Value, Role::Inside, Some(key));
        sheet.set(Dialect::Variable, key, Word { text: value.to_owned(), range: place }, start);
    }
}

/// A command, of a shell or as a list of words.
fn run(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut range = range;
    while sheet.slice(&range).starts_with("--") {
        let length = sheet.slice(&range).find(char::is_whitespace).unwrap_or(range.len());
        range = trim(sheet.text, range.start + length..range.end);
    }
    let first = sheet.spans.len();
    if sheet.slice(&range).starts_with('[') {
        for item in items(sheet.text, range.start + 1..range.end) {
            let item = trim(sheet.text, item);
            let text = sheet.slice(&item);
            let length = text.trim_end_matches(']').len();
            sheet.push(unquote(sheet.text, item.start..item.start + length), Kind::Word);
        }
    } else {
        shell::read(sheet, range, Host::Build);
    }
    inside(sheet, first);
}

/// Marks what a part of the text said since a number of spans: it lies inside the image. Addresses
/// and what is shared over the network lie outside.
pub(super) fn inside(sheet: &mut ViewBuilder<'_>, first: usize) {
    let text = sheet.text;
    for span in &mut sheet.spans[first..] {
        let is_address = text.get(span.range.clone()).is_some_and(|word| word.contains("://") || is_shared(word));
        let is_word = matches!(span.kind, Kind::Word | Kind::Value | Kind::Text);
        if is_word && !is_address && matches!(span.role, Role::Plain | Role::Default | Role::Guard) {
            span.role = Role::Inside;
        }
    }
}

/// Sources lie in the repository, the last word inside.
fn copy(sheet: &mut ViewBuilder<'_>, range: Range<usize>, state: &State) {
    let line = range.start + memchr::memchr(b'\n', sheet.slice(&range).as_bytes()).unwrap_or(range.len());
    let has_heredoc = sheet.slice(&(range.start..line)).contains("<<");
    let words = items(sheet.text, range.start..if has_heredoc { line } else { range.end });
    let mut is_inside = false;
    let mut paths = Vec::new();
    for word in words {
        let text = sheet.slice(&word);
        if let Some(stage) = text.strip_prefix("--from=") {
            is_inside = true;
            let is_image = stage.contains(['/', ':', '.']) && !state.stages.contains(&stage.to_ascii_lowercase());
            if is_image {
                let range = word.end - stage.len()..word.end;
                let text = substitute(stage, &state.arguments);
                sheet.facts.images.push(Word { text, range });
            }
        } else if !text.starts_with("--") && text != "\\" {
            let start = word.start + usize::from(text.starts_with('['));
            let end = word.end - usize::from(text.ends_with(']') && word.end > start);
            paths.push(unquote(sheet.text, start..end));
        }
    }
    let last = paths.len().saturating_sub(1);
    for (index, path) in paths.into_iter().enumerate() {
        let role = if is_inside || index == last { Role::Inside } else { Role::Plain };
        sheet.add(path, Kind::Word, role, Some("COPY"));
    }
    if has_heredoc {
        for body in lines(sheet.text, (line + 1).min(range.end)..range.end) {
            sheet.add(body, Kind::Text, Role::Inside, None);
        }
    }
}
