//! Shell heredocs.

use super::{Lexer, Pending};
use crate::source::lang::fact::Host;
use crate::source::lang::language::Language;
use crate::source::lang::shell::part::Heredoc;
use crate::source::lang::span::Kind;
use crate::source::lang::view_builder::lines;

impl Lexer<'_, '_> {
    /// Reads `<<WORD`. The body starts on the next line.
    pub(super) fn heredoc(&mut self) {
        self.at += 2;
        let strips_tabs = self.peek(0) == Some(b'-');
        self.at += usize::from(strips_tabs);
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let rest = &self.text.as_bytes()[self.at..self.end];
        let length = rest.iter().position(|byte| b" \t\r\n;|&<>()".contains(byte)).unwrap_or(rest.len());
        let delimiter: String =
            self.text.get(self.at..self.at + length).unwrap_or("").chars().filter(|c| !"'\"\\".contains(*c)).collect();
        self.at += length;
        if !delimiter.is_empty() {
            self.frame().line.heredocs.push(Heredoc { delimiter, strips_tabs });
        }
    }

    /// Reads the body of a heredoc at the current position.
    pub(super) fn body(&mut self, pending: Pending) {
        let start = self.at;
        let mut end = self.end;
        let mut after = self.end;
        for line in lines(self.text, start..self.end) {
            let text = self.text.get(line.clone()).unwrap_or("");
            // The script of a CI job is indented in its file.
            let text = if self.host == Host::Job {
                text.trim()
            } else if pending.heredoc.strips_tabs {
                text.trim_start_matches('\t')
            } else {
                text
            };
            if text == pending.heredoc.delimiter {
                end = line.start;
                after = memchr::memchr(b'\n', &self.text.as_bytes()[line.end..self.end])
                    .map_or(self.end, |at| line.end + at + 1);
                break;
            }
        }
        self.at = after;
        let inside = self.text.get(start..end).unwrap_or("");
        let language = pending.language.or_else(|| {
            let head = &inside.as_bytes()[..inside.len().min(4096)];
            let found = Language::of(pending.target.as_deref().unwrap_or(""), head);
            found.is_code().then_some(found)
        });
        let is_read = language.is_some_and(|language| {
            let host = if language == Language::Shell { self.host } else { Host::Program };
            self.builder.embed(language, start..end, host)
        });
        if !is_read {
            for line in lines(self.text, start..end) {
                self.builder.add(line, Kind::Text, pending.role, None);
            }
        }
    }
}
