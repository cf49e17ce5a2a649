//! Definitions of Apptainer and Singularity images.

use std::ops::Range;

use super::docker::inside;
use super::fact::{Host, Word};
use super::shell;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, items, lines, trim};

/// Reads a part of a text as a definition.
pub(super) fn read(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    let mut section = String::new();
    let mut start = range.start;
    let mut bootstrap = String::new();
    for line in lines(sheet.text, range.clone()) {
        let text = sheet.slice(&line);
        if let Some(name) = text.strip_prefix('%').filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())) {
            body(sheet, &section, start..line.start);
            name.split_whitespace().next().unwrap_or("").clone_into(&mut section);
            start = line.end;
        } else if section.is_empty() {
            header(sheet, line, &mut bootstrap);
        }
    }
    body(sheet, &section, start..range.end);
}

/// A line above the sections.
fn header(sheet: &mut ViewBuilder<'_>, line: Range<usize>, bootstrap: &mut String) {
    let text = sheet.slice(&line);
    if let Some(at) = text.find('#').filter(|at| text[..*at].trim().is_empty()) {
        return sheet.push(line.start + at + 1..line.end, Kind::Comment);
    }
    let Some(at) = text.find(':') else { return };
    let key = text[..at].trim();
    let value = trim(sheet.text, line.start + at + 1..line.end);
    sheet.add(value.clone(), Kind::Value, Role::Plain, Some(key));
    if key.eq_ignore_ascii_case("bootstrap") {
        *bootstrap = sheet.slice(&value).to_ascii_lowercase();
    } else if key.eq_ignore_ascii_case("from") {
        let written = sheet.slice(&value);
        // A file or a mirror is no image of a registry.
        let text = match bootstrap.as_str() {
            "docker" | "" => written.to_owned(),
            other => format!("{other}://{written}"),
        };
        sheet.facts.images.push(Word { text, range: value });
    }
}

fn body(sheet: &mut ViewBuilder<'_>, section: &str, range: Range<usize>) {
    let first = sheet.spans.len();
    match section {
        "" => {}
        "post" | "test" | "environment" | "runscript" | "startscript" | "apprun" | "appinstall" | "appenv"
        | "apptest" => {
            shell::read(sheet, range, Host::Build);
            inside(sheet, first);
        }
        // Runs on the machine that builds.
        "setup" | "pre" => shell::read(sheet, range, Host::Build),
        "files" => files(sheet, range),
        _ => {
            for line in lines(sheet.text, range) {
                sheet.add(line, Kind::Text, Role::Shown, None);
            }
        }
    }
}

/// `source [destination]` a line: the source lies on the host.
fn files(sheet: &mut ViewBuilder<'_>, range: Range<usize>) {
    for line in lines(sheet.text, range) {
        if sheet.slice(&line).trim_start().starts_with('#') {
            let line = trim(sheet.text, line);
            sheet.push(line.start + 1..line.end, Kind::Comment);
            continue;
        }
        for (index, item) in items(sheet.text, line).into_iter().enumerate() {
            let role = if index == 0 { Role::Plain } else { Role::Inside };
            sheet.add(item, Kind::Word, role, Some("files"));
        }
    }
}
