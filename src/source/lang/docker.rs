//! Dockerfiles and Containerfiles.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::fact::{Dialect, Host, Word};
use super::shell;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, is_shared, items, lines, trim, unquote};

/// State from earlier instructions.
#[derive(Debug, Default)]
struct State {
    /// Defaults of `ARG` instructions.
    arguments: BTreeMap<String, String>,
    /// Names of stages in lower case.
    stages: BTreeSet<String>,
}

/// Reads a part of a text as a Dockerfile.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let escape =
        if builder.slice(&range).lines().take(3).any(|line| line.replace(' ', "") == "#escape=`") { '`' } else { '\\' };
    let mut state = State::default();
    let mut start = None;
    let mut ends = Vec::new();
    for line in lines(builder.text, range.clone()) {
        let text = builder.slice(&line);
        if !ends.is_empty() {
            // Inside a heredoc.
            if ends.last().is_some_and(|end: &String| text.trim_start_matches('\t') == end) {
                ends.pop();
            }
            if ends.is_empty() {
                instruction(builder, start.take().unwrap_or(line.start)..line.end, &mut state);
            }
            continue;
        }
        let bare = text.trim_start();
        if bare.starts_with('#') {
            builder.push(line.end - bare.len() + 1..line.end, Kind::Comment);
            continue;
        }
        if bare.is_empty() && start.is_none() {
            continue;
        }
        let from = *start.get_or_insert(line.start);
        if text.trim_end().ends_with(escape) || bare.is_empty() {
            continue;
        }
        ends = heredocs(builder.slice(&(from..line.end)));
        ends.reverse();
        if ends.is_empty() {
            instruction(builder, from..line.end, &mut state);
            start = None;
        }
    }
    if let Some(start) = start {
        instruction(builder, start..range.end, &mut state);
    }
}

/// Returns the delimiters of the heredocs of an instruction.
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

/// Reads one instruction, starting with its name.
fn instruction(builder: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let range = trim(builder.text, range);
    let text = builder.slice(&range);
    let length = text.find(char::is_whitespace).unwrap_or(text.len());
    let name = text[..length].to_ascii_uppercase();
    let arguments = trim(builder.text, range.start + length..range.end);
    match name.as_str() {
        "FROM" => from(builder, arguments, state),
        "ARG" => argument(builder, arguments, state),
        "ENV" => environment(builder, arguments),
        "RUN" | "CMD" | "ENTRYPOINT" | "SHELL" => run(builder, arguments),
        "COPY" | "ADD" => copy(builder, arguments, state),
        "HEALTHCHECK" | "ONBUILD" => instruction_after(builder, arguments, state),
        "WORKDIR" | "VOLUME" | "USER" | "EXPOSE" | "STOPSIGNAL" => {
            for item in items(builder.text, arguments) {
                builder.add(unquote(builder.text, item), Kind::Word, Role::Inside, Some(&name));
            }
        }
        "LABEL" | "MAINTAINER" => builder.add(arguments, Kind::Word, Role::Shown, Some(&name)),
        _ => {}
    }
}

/// Reads the inner instruction of `ONBUILD RUN …` or `HEALTHCHECK --interval=1s CMD …`, without further nesting.
fn instruction_after(builder: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let text = builder.slice(&range);
    if let Some(at) = text.find("CMD ").or_else(|| text.starts_with("RUN ").then_some(0)) {
        run(builder, trim(builder.text, range.start + at + 4..range.end));
    } else if text.starts_with("COPY ") {
        copy(builder, trim(builder.text, range.start + 5..range.end), state);
    }
}

fn from(builder: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let words: Vec<_> =
        items(builder.text, range).into_iter().filter(|word| !builder.slice(word).starts_with("--")).collect();
    let Some(image) = words.first() else { return };
    let text = substitute(builder.slice(image), &state.arguments);
    if text != "scratch" && !state.stages.contains(&text.to_ascii_lowercase()) {
        builder.facts.images.push(Word { text, range: image.clone() });
    }
    builder.add(image.clone(), Kind::Word, Role::Plain, Some("FROM"));
    if let [_, keyword, stage, ..] = words.as_slice()
        && builder.slice(keyword).eq_ignore_ascii_case("as")
    {
        state.stages.insert(builder.slice(stage).to_ascii_lowercase());
    }
}

/// Expands `$X`, `${X}` and `${X:-default}` with `ARG` defaults. Other variables stay as written.
fn substitute(text: &str, arguments: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
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
            Some(value) if expanded.len() < 4096 => expanded.push_str(value),
            _ => expanded.push_str(&rest[at..at + 1 + length]),
        }
        rest = &after[length..];
    }
    expanded.push_str(rest);
    expanded
}

fn argument(builder: &mut ViewBuilder<'_>, range: Range<usize>, state: &mut State) {
    let text = builder.slice(&range);
    let Some(at) = text.find('=') else { return };
    let value = unquote(builder.text, trim(builder.text, range.start + at + 1..range.end));
    let name = text[..at].trim();
    let written = substitute(builder.slice(&value), &state.arguments);
    state.arguments.insert(name.to_owned(), written);
    builder.add(value.clone(), Kind::Value, Role::Inside, Some(name));
    let word = builder.word(value);
    builder.set(Dialect::Variable, name, word, range.start);
}

/// Reads `ENV key=value …` and `ENV key value`.
fn environment(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = builder.slice(&range);
    let first = text.split_whitespace().next().unwrap_or("");
    if !first.contains('=') {
        let value = unquote(builder.text, trim(builder.text, range.start + first.len()..range.end));
        builder.add(value.clone(), Kind::Value, Role::Inside, Some(first));
        let word = builder.word(value);
        return builder.set(Dialect::Variable, first, word, range.start);
    }
    for word in shell::words(text) {
        let Some((key, value)) = word.text.split_once('=') else { continue };
        let start = range.start + word.range.start;
        let value_range = unquote(builder.text, (start + key.len() + 1).min(range.end)..range.start + word.range.end);
        builder.add(value_range.clone(), Kind::Value, Role::Inside, Some(key));
        builder.set(Dialect::Variable, key, Word { text: value.to_owned(), range: value_range }, start);
    }
}

/// Reads a shell command, or a command as a JSON list of words.
fn run(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut range = range;
    while builder.slice(&range).starts_with("--") {
        let length = builder.slice(&range).find(char::is_whitespace).unwrap_or(range.len());
        range = trim(builder.text, range.start + length..range.end);
    }
    let first = builder.spans.len();
    if builder.slice(&range).starts_with('[') {
        for item in items(builder.text, range.start + 1..range.end) {
            let item = trim(builder.text, item);
            let text = builder.slice(&item);
            let length = text.trim_end_matches(']').len();
            builder.push(unquote(builder.text, item.start..item.start + length), Kind::Word);
        }
    } else {
        shell::read(builder, range, Host::Build);
    }
    inside(builder, first);
}

/// Marks the spans from an index as paths inside the image. URLs and network file systems are outside.
pub(super) fn inside(builder: &mut ViewBuilder<'_>, first: usize) {
    let text = builder.text;
    for span in &mut builder.spans[first..] {
        let is_address = text.get(span.range.clone()).is_some_and(|word| word.contains("://") || is_shared(word));
        let is_word = matches!(span.kind, Kind::Word | Kind::Value | Kind::Text);
        if is_word && !is_address && matches!(span.role, Role::Plain | Role::Default | Role::Guard) {
            span.role = Role::Inside;
        }
    }
}

/// Reads the words of `COPY` or `ADD`: sources in the repository, and a destination inside the image.
fn copy(builder: &mut ViewBuilder<'_>, range: Range<usize>, state: &State) {
    let line = range.start + memchr::memchr(b'\n', builder.slice(&range).as_bytes()).unwrap_or(range.len());
    let has_heredoc = builder.slice(&(range.start..line)).contains("<<");
    let words = items(builder.text, range.start..if has_heredoc { line } else { range.end });
    let mut is_inside = false;
    let mut paths = Vec::new();
    for word in words {
        let text = builder.slice(&word);
        if let Some(stage) = text.strip_prefix("--from=") {
            is_inside = true;
            let is_image = stage.contains(['/', ':', '.']) && !state.stages.contains(&stage.to_ascii_lowercase());
            if is_image {
                let range = word.end - stage.len()..word.end;
                let text = substitute(stage, &state.arguments);
                builder.facts.images.push(Word { text, range });
            }
        } else if !text.starts_with("--") && text != "\\" {
            let start = word.start + usize::from(text.starts_with('['));
            let end = word.end - usize::from(text.ends_with(']') && word.end > start);
            paths.push(unquote(builder.text, start..end));
        }
    }
    let last = paths.len().saturating_sub(1);
    for (index, path) in paths.into_iter().enumerate() {
        let role = if is_inside || index == last { Role::Inside } else { Role::Plain };
        builder.add(path, Kind::Word, role, Some("COPY"));
    }
    if has_heredoc {
        for body in lines(builder.text, (line + 1).min(range.end)..range.end) {
            builder.add(body, Kind::Text, Role::Inside, None);
        }
    }
}
