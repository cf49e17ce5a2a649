//! YAML, including the meaning of some keys of CI systems and workflow engines.
//!
//! The reader uses lines and their indentation, so it also accepts files with tabs, duplicate keys or templates (`{{ x }}`),
//! which are common in analyses. Aliases are not expanded.

mod flow;
mod image;

use std::ops::Range;

use super::fact::{Dialect, Host, Word};
use super::language::Language;
use super::span::{Kind, Role};
use super::view_builder::{ViewBuilder, is_shared, join, lines, trim};

/// Keys whose values are shell commands.
const SCRIPTS: [&str; 13] = [
    "run",
    "script",
    "before_script",
    "after_script",
    "commands",
    "setup",
    "cmd",
    "command",
    "install",
    "before_install",
    "after_success",
    "pre_script",
    "post_script",
];

/// Maximum nesting depth. Deeper levels are merged into the last.
const MAX_DEPTH: usize = 128;

/// A key with nested lines.
#[derive(Debug)]
struct Level {
    indent: usize,
    path: String,
    /// Number of the mapping that contains the key.
    scope: u32,
}

/// Commands and the mappings that contain them.
#[derive(Debug)]
struct Script {
    spans: Range<usize>,
    scopes: Vec<u32>,
}

/// The state of the reader.
#[derive(Debug)]
pub(super) struct Reader<'s, 'a> {
    builder: &'s mut ViewBuilder<'a>,
    text: &'a str,
    end: usize,
    levels: Vec<Level>,
    scopes: u32,
    /// Mappings that contain an image.
    images: Vec<u32>,
    scripts: Vec<Script>,
    /// Whether a bracket or quote is not closed. All later ones then end with their line.
    has_unclosed: bool,
}

/// Reads a part of a text as YAML.
pub(super) fn read(builder: &mut ViewBuilder<'_>, range: Range<usize>) {
    let text = builder.text;
    let reader = Reader {
        builder,
        text,
        end: range.end,
        levels: Vec::new(),
        scopes: 1,
        images: Vec::new(),
        scripts: Vec::new(),
        has_unclosed: false,
    };
    reader.run(range.start);
}

impl Reader<'_, '_> {
    fn run(mut self, start: usize) {
        let mut at = start;
        while at < self.end {
            let stop = memchr::memchr(b'\n', &self.text.as_bytes()[at..self.end]).map_or(self.end, |found| at + found);
            let next = self.line(at..stop);
            at = next.max(stop + 1);
        }
        self.mark();
    }

    /// Reads a line and the lines of its value. Returns the start of the next line.
    fn line(&mut self, line: Range<usize>) -> usize {
        let inside = trim(self.text, line.clone());
        let text = self.builder.slice(&inside);
        if text.is_empty() || text == "---" || text == "..." || text.starts_with('%') && inside.start == line.start {
            if text == "---" {
                self.levels.clear();
            }
            return line.end;
        }
        if text.starts_with('#') {
            self.builder.push(inside.start + 1..inside.end, Kind::Comment);
            return line.end;
        }
        let mut at = inside.start + usize::from(text.starts_with("--- ")) * 4;
        let mut dash = None;
        while self.text.as_bytes().get(at) == Some(&b'-')
            && matches!(self.text.as_bytes().get(at + 1), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
            && at < inside.end
        {
            let indent = at - line.start;
            self.levels_above(indent + 1);
            dash = Some(indent);
            at = trim(self.text, at + 1..inside.end).start;
        }
        if at >= inside.end {
            return line.end;
        }
        let indent = at - line.start;
        if dash.is_some() {
            // A list item starts a new mapping.
            self.scopes += 1;
        }
        if let Some((key, colon)) = self.key(at..inside.end) {
            self.enter(indent, key, dash.is_some());
            return self.value(trim(self.text, colon + 1..inside.end), indent, line.end);
        }
        let parent = dash.unwrap_or_else(|| indent.saturating_sub(1));
        self.value(at..inside.end, parent, line.end)
    }

    /// Leaves the levels with at least this indentation.
    fn levels_above(&mut self, indent: usize) {
        while self.levels.last().is_some_and(|level| level.indent >= indent) {
            self.levels.pop();
        }
    }

    /// Returns the key at the start of a text and the offset of its colon.
    fn key(&self, range: Range<usize>) -> Option<(Range<usize>, usize)> {
        let bytes = &self.text.as_bytes()[range.clone()];
        let start = usize::from(bytes.first() == Some(&b'?') && bytes.get(1) == Some(&b' ')) * 2;
        if let Some(quote @ (b'"' | b'\'')) = bytes.get(start) {
            let end = start + 1 + memchr::memchr(*quote, &bytes[start + 1..])?;
            let is_key = bytes.get(end + 1) == Some(&b':') && matches!(bytes.get(end + 2), None | Some(b' ' | b'\t'));
            return is_key.then_some((range.start + start + 1..range.start + end, range.start + end + 1));
        }
        if matches!(bytes.get(start), Some(b'[' | b'{' | b'#' | b'|' | b'>' | b'@' | b'`')) {
            return None;
        }
        for at in memchr::memchr_iter(b':', bytes) {
            if matches!(bytes.get(at + 1), None | Some(b' ' | b'\t' | b'\r')) {
                if memchr::memmem::find(&bytes[..at], b" #").is_some() {
                    return None;
                }
                let key = trim(self.text, range.start + start..range.start + at);
                return (!key.is_empty()).then_some((key, range.start + at));
            }
        }
        None
    }

    fn enter(&mut self, indent: usize, key: Range<usize>, is_item: bool) {
        let is_sibling = !is_item && self.levels.iter().rev().any(|level| level.indent == indent);
        let scope = self.levels.iter().rev().find(|level| level.indent == indent).map(|level| level.scope);
        self.levels_above(indent);
        let parent = self.levels.last().map_or("", |level| level.path.as_str());
        let path = join(parent, self.builder.slice(&key));
        let scope = match scope.filter(|_| is_sibling) {
            Some(scope) => scope,
            None => {
                self.scopes += 1;
                self.scopes
            }
        };
        if self.levels.len() < MAX_DEPTH {
            self.levels.push(Level { indent, path, scope });
        }
        self.builder.push(key, Kind::Key);
    }

    fn path(&self) -> &str {
        self.levels.last().map_or("", |level| level.path.as_str())
    }

    /// Reads a value after a colon or a dash. Its other lines are indented more than `parent`. Returns the start of the next
    /// line.
    fn value(&mut self, range: Range<usize>, parent: usize, line_end: usize) -> usize {
        let mut range = range;
        // `&anchor`, `!tag`.
        while matches!(self.text.as_bytes().get(range.start), Some(b'&' | b'!')) && range.start < range.end {
            let length = self.builder.slice(&range).find([' ', '\t']).unwrap_or(range.len());
            range = trim(self.text, range.start + length..range.end);
        }
        let text = self.builder.slice(&range);
        match text.as_bytes() {
            [] | [b'*', ..] => line_end,
            [b'#', ..] => {
                self.builder.push(range.start + 1..range.end, Kind::Comment);
                line_end
            }
            [b'|' | b'>', ..]
                if text.len() < 4
                    || text[1..]
                        .trim_start_matches(['-', '+', '1', '2', '3', '4', '8'])
                        .trim_start()
                        .starts_with('#') =>
            {
                self.block(parent, line_end)
            }
            [b'{', b'{', ..] => self.plain(range, parent, line_end),
            [b'[' | b'{', ..] => self.flow(range.start, line_end),
            [quote @ (b'"' | b'\''), ..] => self.quoted(range, *quote, line_end),
            _ => self.plain(range, parent, line_end),
        }
    }

    /// Reads a block scalar: the lines indented more than its key.
    fn block(&mut self, parent: usize, line_end: usize) -> usize {
        let start = (line_end + 1).min(self.end);
        let mut end = start;
        let mut body = Vec::new();
        for line in lines(self.text, start..self.end) {
            let text = self.builder.slice(&line);
            let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
            let is_empty = text.trim().is_empty();
            if !is_empty && indent <= parent {
                break;
            }
            end = line.end;
            if !is_empty {
                body.push(trim(self.text, line));
            }
        }
        let (Some(first), Some(last)) = (body.first(), body.last()) else { return end.max(line_end) };
        let range = first.start..last.end;
        if self.is_script() {
            self.script(range);
        } else {
            let path = self.path().to_owned();
            let head = self.builder.slice(&range).as_bytes();
            let language = Language::of("", &head[..head.len().min(1024)]);
            if !language.is_code() || !self.builder.embed(language, range, Host::Job) {
                for line in body {
                    self.builder.add(line, Kind::Value, Role::Plain, Some(&path));
                }
            }
        }
        end
    }

    /// Reads a plain scalar up to a comment. Continued script lines are read as one.
    fn plain(&mut self, range: Range<usize>, parent: usize, line_end: usize) -> usize {
        let text = self.builder.slice(&range);
        let remark = memchr::memmem::find(text.as_bytes(), b" #");
        let end = remark.map_or(range.end, |at| range.start + at);
        let value = trim(self.text, range.start..end);
        if self.is_script() {
            // More indented lines continue it.
            let mut last = line_end;
            if remark.is_none() {
                for line in lines(self.text, (line_end + 1).min(self.end)..self.end) {
                    let text = self.builder.slice(&line);
                    let indent = text.len() - text.trim_start().len();
                    if text.trim().is_empty()
                        || indent <= parent + 1
                        || self.key(trim(self.text, line.clone())).is_some()
                    {
                        break;
                    }
                    last = line.end;
                }
            }
            self.script(value.start..value.end.max(last));
            return last;
        }
        if let Some(at) = remark {
            self.builder.push(range.start + at + 2..range.end, Kind::Comment);
        }
        self.scalar(value);
        line_end
    }

    fn quoted(&mut self, range: Range<usize>, quote: u8, line_end: usize) -> usize {
        let limit = if self.has_unclosed { line_end } else { self.end };
        let end = flow::string_end(self.text.as_bytes(), range.start + 1, limit, quote);
        let Some(end) = end else {
            self.has_unclosed = true;
            self.scalar(range.start + 1..range.end);
            return line_end;
        };
        let inside = range.start + 1..end;
        let stop = memchr::memchr(b'\n', &self.text.as_bytes()[end..self.end]).map_or(self.end, |found| end + found);
        let rest = trim(self.text, end + 1..stop.max(end + 1));
        if self.builder.slice(&rest).starts_with('#') {
            self.builder.push(rest.start + 1..rest.end, Kind::Comment);
        }
        if self.is_script() {
            self.script(inside);
        } else {
            self.scalar(inside);
        }
        stop
    }

    fn flow(&mut self, start: usize, line_end: usize) -> usize {
        let limit = if self.has_unclosed { line_end } else { self.end };
        let path = self.path().to_owned();
        let scope = self.levels.last().map_or(0, |level| level.scope);
        let (tokens, end) = flow::tokens(self.text, start, limit, &path);
        self.has_unclosed |= end.is_none() && limit == self.end;
        let limit = if end.is_some() { self.end } else { line_end };
        for token in tokens.into_iter().filter(|token| token.range.start < limit) {
            let range = token.range.start..token.range.end.min(limit);
            match token.kind {
                Kind::Value => self.scalar_at(range, &token.path, scope),
                kind => self.builder.push(range, kind),
            }
        }
        let Some(end) = end else { return line_end };
        let bytes = self.text.as_bytes();
        let stop = memchr::memchr(b'\n', &bytes[end..self.end]).map_or(self.end, |found| end + found);
        let rest = trim(self.text, end..stop);
        if self.builder.slice(&rest).starts_with('#') {
            self.builder.push(rest.start + 1..rest.end, Kind::Comment);
        }
        stop
    }

    fn is_script(&self) -> bool {
        SCRIPTS.contains(&self.path().rsplit('.').next().unwrap_or(""))
    }

    fn script(&mut self, range: Range<usize>) {
        let first = self.builder.spans.len();
        if self.builder.embed(Language::Shell, range.clone(), Host::Job) {
            let scopes = self.levels.iter().map(|level| level.scope).chain([0]).collect();
            self.scripts.push(Script { spans: first..self.builder.spans.len(), scopes });
        } else {
            let path = self.path().to_owned();
            for line in lines(self.text, range) {
                self.builder.add(trim(self.text, line), Kind::Value, Role::Plain, Some(&path));
            }
        }
    }

    fn scalar(&mut self, range: Range<usize>) {
        let path = self.path().to_owned();
        let scope = self.levels.last().map_or(0, |level| level.scope);
        self.scalar_at(range, &path, scope);
    }

    fn scalar_at(&mut self, range: Range<usize>, path: &str, scope: u32) {
        let word = Word { text: self.builder.slice(&range).to_owned(), range: range.clone() };
        if image::is_image(path, &word.text) {
            // `container.image` is in a mapping inside the step.
            let is_nested = path.ends_with("container.image") || path.ends_with("image.name");
            let outer = self.levels.iter().rev().map(|level| level.scope).find(|outer| *outer != scope);
            self.images.push(if is_nested { outer.unwrap_or(scope) } else { scope });
            self.builder.facts.images.push(word.clone());
        }
        match image::bind(path, &word.text) {
            Some(at) => {
                self.builder.add(range.start..range.start + at, Kind::Value, Role::Plain, Some(path));
                self.builder.add(range.start + at + 1..range.end, Kind::Value, Role::Inside, Some(path));
            }
            None => self.builder.add(range.clone(), Kind::Value, Role::Plain, Some(path)),
        }
        if !path.is_empty() {
            self.builder.set(Dialect::Config, path, word, range.start);
        }
    }

    /// Marks absolute paths in commands of a step with an image as paths inside the image.
    fn mark(self) {
        let mut images = self.images;
        images.sort_unstable();
        for script in self.scripts {
            if !script.scopes.iter().any(|scope| images.binary_search(scope).is_ok()) {
                continue;
            }
            let end = script.spans.end.min(self.builder.spans.len());
            for span in &mut self.builder.spans[script.spans.start.min(end)..end] {
                let is_path =
                    self.text.get(span.range.clone()).is_some_and(|text| text.starts_with('/') && !is_shared(text));
                if is_path && span.role == Role::Plain && span.kind == Kind::Word {
                    span.role = Role::Inside;
                }
            }
        }
    }
}
