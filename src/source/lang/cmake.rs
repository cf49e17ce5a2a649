//! CMake files.

use std::ops::Range;

use super::fact::{Command, Dialect, Host, Usage, Word};
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, short};

/// An argument of a command: its content and whether it is quoted.
type Argument = (Range<usize>, bool);

/// Reads a part of a text as CMake.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let bytes = builder.text.as_bytes();
    let mut at = range.start;
    while at < range.end {
        match bytes[at] {
            b'#' => at = comment(builder, at, range.end),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let rest = &bytes[at..range.end];
                let length =
                    rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
                let name = at..at + length;
                at += length;
                while at < range.end && matches!(bytes[at], b' ' | b'\t') {
                    at += 1;
                }
                if at < range.end && bytes[at] == b'(' {
                    let (arguments, end) = arguments(builder, at + 1, range.end);
                    command(builder, &name, &arguments);
                    at = end;
                }
            }
            _ => at += 1,
        }
    }
}

/// Reads a comment, `# …` or `#[[ … ]]`, and returns its end.
fn comment(builder: &mut ViewBuilder<'_>, at: usize, end: usize) -> usize {
    let bytes = builder.text.as_bytes();
    let stop = if bytes[at + 1..end].starts_with(b"[[") {
        memchr::memmem::find(&bytes[at..end], b"]]").map_or(end, |found| at + found + 2)
    } else {
        memchr::memchr(b'\n', &bytes[at..end]).map_or(end, |found| at + found)
    };
    builder.push(at + 1..stop, Kind::Comment);
    stop
}

/// Returns the arguments up to the closing bracket, and the offset after it.
fn arguments(builder: &mut ViewBuilder<'_>, start: usize, end: usize) -> (Vec<Argument>, usize) {
    let bytes = builder.text.as_bytes();
    let mut found = Vec::new();
    let mut depth = 1_usize;
    let mut at = start;
    while at < end {
        match bytes[at] {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return (found, at + 1);
                }
            }
            b'#' => {
                at = comment(builder, at, end);
                continue;
            }
            b'"' => {
                let from = at + 1;
                at = from;
                while at < end && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = at.min(end);
                found.push((from..at, true));
            }
            byte if !byte.is_ascii_whitespace() => {
                let rest = &bytes[at..end];
                let length = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"()\"#".contains(byte));
                let stop = at + length.unwrap_or(rest.len()).max(1);
                found.push((at..stop, false));
                at = stop;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    (found, end)
}

fn command(builder: &mut ViewBuilder<'_>, name: &Range<usize>, arguments: &[Argument]) {
    let command = builder.slice(name).to_ascii_lowercase();
    let role = match command.as_str() {
        "message" => Role::Shown,
        "if" | "elseif" | "while" => Role::Guard,
        _ => Role::Plain,
    };
    let key = arguments.first().map(|(range, _)| short(builder.slice(range))).unwrap_or_default();
    for (range, _) in arguments {
        let count = builder.spans.len();
        let text = builder.slice(range);
        // `${BASE}/data`: the variable starts the value.
        let after = text
            .starts_with("${")
            .then(|| text.find("}/"))
            .flatten()
            .or_else(|| text.starts_with("$ENV{").then(|| text.find("}/")).flatten());
        let start = range.start + after.map_or(0, |at| at + 1);
        let owner = matches!(command.as_str(), "set" | "option" | "list").then_some(key.as_str());
        builder.add(start..range.end, Kind::Word, role, owner);
        if let Some(span) = builder.spans.get_mut(count) {
            span.is_head = after.is_none();
            span.call = Some(short(&command));
        }
    }
    facts(builder, &command, name, arguments);
}

fn facts(builder: &mut ViewBuilder<'_>, command: &str, name: &Range<usize>, arguments: &[Argument]) {
    let (Some((first, _)), Some((last, _))) = (arguments.first(), arguments.last()) else { return };
    match command {
        "set" if arguments.len() > 1 => {
            let key = builder.slice(first).to_owned();
            let value = builder.word(arguments[1].0.start..last.end);
            builder.set(Dialect::Variable, &key, value, name.start);
        }
        "add_compile_options" | "add_definitions" | "target_compile_options" | "add_link_options" => {
            let value = builder.word(first.start..last.end);
            builder.set(Dialect::Variable, "CMAKE_CXX_FLAGS", value, name.start);
        }
        "include" => {
            let path = builder.slice(first);
            if path.contains(['/', '.']) {
                builder.refer(path, first.clone(), Usage::Code);
            }
        }
        "execute_process" | "add_custom_command" | "add_custom_target" => {
            let mut words: Vec<Word> = Vec::new();
            let mut is_command = false;
            for (range, is_quoted) in arguments {
                let text = builder.slice(range);
                if text == "COMMAND" && !is_quoted {
                    finish(builder, &mut words);
                    is_command = true;
                } else if !is_quoted
                    && text.len() > 3
                    && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
                {
                    is_command = false;
                } else if is_command {
                    words.push(builder.word(range.clone()));
                }
            }
            finish(builder, &mut words);
        }
        _ => {}
    }
}

fn finish(builder: &mut ViewBuilder<'_>, words: &mut Vec<Word>) {
    if let (Some(first), Some(last)) = (words.first(), words.last()) {
        let range = first.range.start..last.range.end;
        let words = std::mem::take(words);
        builder.facts.commands.push(Command { words, range, host: Host::Recipe, is_conditional: false });
    }
}
