//! Apptainer and Singularity definition files.

use std::ops::Range;

use super::docker::inside;
use super::fact::{Host, Word};
use super::shell;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, items, lines, trim};

/// Reads a part of a text as a definition file.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut section = String::new();
    let mut start = range.start;
    let mut bootstrap = String::new();
    for line in lines(builder.text, range.clone()) {
        let text = builder.slice(&line);
        if let Some(name) = text.strip_prefix('%').filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())) {
            body(builder, &section, start..line.start);
            name.split_whitespace().next().unwrap_or("").clone_into(&mut section);
            start = line.end;
        } else if section.is_empty() {
            header(builder, line, &mut bootstrap);
        }
    }
    body(builder, &section, start..range.end);
}

/// Reads a header line.
fn header(builder: &mut ViewBuilder<'_>, line: Range<usize>, bootstrap: &mut String) {
    let text = builder.slice(&line);
    if let Some(at) = text.find('#').filter(|at| text[..*at].trim().is_empty()) {
        return builder.push(line.start + at + 1..line.end, Kind::Comment);
    }
    let Some(at) = text.find(':') else { return };
    let key = text[..at].trim();
    let value = trim(builder.text, line.start + at + 1..line.end);
    builder.add(value.clone(), Kind::Value, Role::Plain, Some(key));
    if key.eq_ignore_ascii_case("bootstrap") {
        *bootstrap = builder.slice(&value).to_ascii_lowercase();
    } else if key.eq_ignore_ascii_case("from") {
        let written = builder.slice(&value);
        // A local file or a mirror is not a registry image.
        let text = match bootstrap.as_str() {
            "docker" | "" => written.to_owned(),
            other => format!("{other}://{written}"),
        };
        builder.facts.images.push(Word { text, range: value });
    }
}

fn body(builder: &mut ViewBuilder<'_>, section: &str, range: Range<usize>) {
    let first = builder.spans.len();
    match section {
        "" => {}
        "post" | "test" | "environment" | "runscript" | "startscript" | "apprun" | "appinstall" | "appenv"
        | "apptest" => {
            shell::read(builder, range, Host::Build);
            inside(builder, first);
        }
        // Runs on the build machine.
        "setup" | "pre" => shell::read(builder, range, Host::Build),
        "files" => files(builder, range),
        _ => {
            for line in lines(builder.text, range) {
                builder.add(line, Kind::Text, Role::Shown, None);
            }
        }
    }
}

/// Reads lines of `source [destination]`. The source is on the host.
fn files(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    for line in lines(builder.text, range) {
        if builder.slice(&line).trim_start().starts_with('#') {
            let line = trim(builder.text, line);
            builder.push(line.start + 1..line.end, Kind::Comment);
            continue;
        }
        for (index, item) in items(builder.text, line).into_iter().enumerate() {
            let role = if index == 0 { Role::Plain } else { Role::Inside };
            builder.add(item, Kind::Word, role, Some("files"));
        }
    }
}
