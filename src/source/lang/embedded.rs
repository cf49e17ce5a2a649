//! Text in another language inside strings of a program: scripts, job descriptions, C++.

use std::ops::Range;

use super::fact::{Facts, Host};
use super::language::Language;
use super::span::Span;
use super::{Map, View, read_text};

/// Maximum length in bytes of an embedded text.
const MAX_LEN: usize = 1 << 20;

/// The value of one or more strings of a program, with the offsets of its characters in the program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StringValue {
    /// The value with escapes resolved. Placeholders represent inserted values.
    pub text: String,
    /// Offsets of the value in the program.
    pub map: Map,
    /// Ranges of literal text in the program, in order.
    pub parts: Vec<Range<usize>>,
}

impl StringValue {
    /// Appends text as written.
    pub(crate) fn push_straight(&mut self, text: &str, at: usize) {
        self.map.0.push((self.text.len(), at));
        self.text.push_str(text);
    }

    /// Appends a placeholder for a value that is not a literal.
    pub(crate) fn push_placeholder(&mut self, source: &str, at: usize) {
        self.push_straight("{", at);
        self.push_straight(source, at);
        self.push_straight("}", at + source.len().saturating_sub(1));
    }

    /// Appends a line break that the program inserts between strings.
    pub(crate) fn push_break(&mut self, at: usize) {
        self.push_straight("\n", at);
    }

    /// Appends the content of a literal.
    ///
    /// Except in raw strings, escapes of line breaks, tabs, quotes and backslashes are resolved; others stay as written. In a
    /// formatted string, doubled braces become single ones; in others, `%(name)s` becomes `{name}`.
    pub(crate) fn push_literal(&mut self, content: &str, at: usize, is_raw: bool, is_format: bool) {
        let bytes = content.as_bytes();
        let mut from = 0;
        let mut next = 0;
        while next + 1 < bytes.len() {
            let value = match (bytes[next], bytes[next + 1]) {
                (b'\\', b'n') if !is_raw => "\n",
                (b'\\', b't') if !is_raw => "\t",
                (b'\\', b'"') if !is_raw => "\"",
                (b'\\', b'\'') if !is_raw => "'",
                (b'\\', b'\\') if !is_raw => "\\",
                (b'\\', b'\n') if !is_raw => "",
                (b'%', b'(') if !is_format => {
                    if let Some(length) = named_placeholder(&content[next..]) {
                        self.push_straight(&content[from..next], at + from);
                        self.push_straight("{", at + next);
                        self.push_straight(&content[next + 2..next + length - 2], at + next + 2);
                        self.push_straight("}", at + next + length - 1);
                        next += length;
                        from = next;
                    } else {
                        next += 1;
                    }
                    continue;
                }
                (b'{', b'{') if is_format => "{",
                (b'}', b'}') if is_format => "}",
                _ => {
                    next += 1;
                    continue;
                }
            };
            self.push_straight(&content[from..next], at + from);
            self.push_straight(value, at + next);
            next += 2;
            from = next;
        }
        self.push_straight(&content[from..], at + from);
    }

    /// Returns the range in the program of a range of the value.
    fn range_in_program(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.map.in_file(range.start);
        match range.end.checked_sub(1).filter(|last| *last >= range.start) {
            Some(last) => start..(self.map.in_file(last) + 1).max(start),
            None => start..start,
        }
    }
}

/// Returns the length of a placeholder `%(name)s` at the start of a text.
fn named_placeholder(text: &str) -> Option<usize> {
    let name = text.get(2..)?.bytes().take(64).position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_')?;
    let rest = text.get(2 + name..)?;
    (name > 0 && (rest.starts_with(")s") || rest.starts_with(")d"))).then_some(name + 4)
}

/// Keys specific to HTCondor job descriptions, in lower case.
const CONDOR_KEYS: [&str; 27] = [
    "universe",
    "executable",
    "arguments",
    "transfer_executable",
    "transfer_input_files",
    "transfer_output_files",
    "transfer_output_remaps",
    "should_transfer_files",
    "when_to_transfer_output",
    "request_cpus",
    "request_memory",
    "request_disk",
    "request_gpus",
    "requestmemory",
    "requestcpus",
    "requirements",
    "accounting_group",
    "accounting_group_user",
    "x509userproxy",
    "use_x509userproxy",
    "getenv",
    "on_exit_remove",
    "on_exit_hold",
    "periodic_remove",
    "periodic_release",
    "max_retries",
    "max_transfer_input_mb",
];

/// Returns the language of a text inside a program if it is a script or a job description.
pub(crate) fn language(text: &str) -> Option<Language> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("#!") {
        let line = rest.lines().next().unwrap_or_default();
        if line.contains("python") {
            return text.contains('\n').then_some(Language::Python);
        }
        return line.contains("sh").then_some(Language::Shell);
    }
    let mut condor = 0_usize;
    let mut is_queued = false;
    for line in text.lines().take(400) {
        let line = line.trim();
        if ["#SBATCH", "#PBS ", "#BSUB ", "#$ -"].iter().any(|sign| line.starts_with(sign)) {
            return Some(Language::Shell);
        }
        is_queued |= line.split_ascii_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("queue"));
        condor += usize::from(is_condor(line));
    }
    let is_long = text.contains('\n');
    if condor >= 2 || condor == 1 && (is_queued || is_long && text.lines().count() <= 2) {
        return Some(Language::HtCondor);
    }
    is_shell(text).then_some(Language::Shell)
}

/// Reports whether a text without `#!` is a shell script: it exports variables or sources files, and at least half of its
/// lines start with a known command.
fn is_shell(text: &str) -> bool {
    let mut sets_up = false;
    let (mut commands, mut lines) = (0_usize, 0_usize);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).take(200) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let sets = match word {
            "export" => rest.contains('='),
            "source" => rest.contains('/') && !rest.contains(". "),
            _ => false,
        };
        sets_up |= sets;
        commands += usize::from(sets || SHELL_WORDS.contains(&word));
        lines += 1;
    }
    sets_up && commands * 2 >= lines
}

/// Commands at the start of lines in scripts that set up a job.
const SHELL_WORDS: [&str; 24] = [
    "cd",
    "echo",
    "eval",
    "mkdir",
    "cp",
    "mv",
    "rm",
    "ls",
    "pwd",
    "set",
    "unset",
    "module",
    "conda",
    "micromamba",
    "mamba",
    "python",
    "python3",
    "pip",
    "cmsenv",
    "cmsrel",
    "scram",
    "xrdcp",
    "exit",
    "ulimit",
];

/// Reports whether a line sets an HTCondor attribute.
fn is_condor(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    let key = key.trim();
    if value.starts_with('=') || key.is_empty() {
        return false;
    }
    let own = key.strip_prefix('+').or_else(|| key.strip_prefix("MY."));
    if let Some(own) = own {
        return own.starts_with(|c: char| c.is_ascii_uppercase())
            && own.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    }
    CONDOR_KEYS.iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// Parses an embedded text and returns its spans and facts with ranges in the program.
pub(crate) fn read(language: Language, string_value: &StringValue) -> (Vec<Span>, Facts) {
    if string_value.text.len() > MAX_LEN {
        return (Vec::new(), Facts::default());
    }
    let View { spans, mut facts, .. } = read_text(language, &string_value.text);
    relocate(&mut facts, |range| string_value.range_in_program(range));
    for command in &mut facts.commands {
        command.host = Host::Program;
    }
    facts.shebang = None;
    let mut placed = Vec::with_capacity(spans.len());
    for span in spans {
        place_span(string_value, span, &mut placed);
    }
    (placed, facts)
}

/// Adds a span at its range in the program, split at the ends of literals.
fn place_span(string_value: &StringValue, span: Span, placed: &mut Vec<Span>) {
    let full_range = string_value.range_in_program(&span.range);
    let first = string_value.parts.partition_point(|part| part.end <= full_range.start);
    let mut is_head = span.is_head;
    for part in &string_value.parts[first..] {
        let range = part.start.max(full_range.start)..part.end.min(full_range.end);
        if part.start >= full_range.end {
            break;
        }
        if !range.is_empty() {
            placed.push(Span {
                range: range.clone(),
                is_head: is_head && range.start == full_range.start,
                ..span.clone()
            });
            is_head = false;
        }
    }
}

/// Applies a function to all ranges of facts.
pub(crate) fn relocate(facts: &mut Facts, new_range: impl Fn(&Range<usize>) -> Range<usize>) {
    let to = |range: &mut Range<usize>| *range = new_range(range);
    facts.shebang.iter_mut().for_each(|word| to(&mut word.range));
    facts.imports.iter_mut().for_each(|import| to(&mut import.range));
    for call in &mut facts.calls {
        to(&mut call.range);
        to(&mut call.full_range);
        let keywords = call.keywords.iter_mut().filter_map(|(_, word)| word.as_mut());
        call.arguments.iter_mut().flatten().chain(keywords).for_each(|word| to(&mut word.range));
    }
    for command in &mut facts.commands {
        to(&mut command.range);
        command.words.iter_mut().for_each(|word| to(&mut word.range));
    }
    for setting in &mut facts.settings {
        to(&mut setting.range);
        to(&mut setting.value.range);
    }
    facts.images.iter_mut().for_each(|word| to(&mut word.range));
    facts.syntax.iter_mut().for_each(|syntax| to(&mut syntax.range));
    facts.python2.iter_mut().for_each(to);
    facts.references.iter_mut().for_each(|reference| to(&mut reference.range));
}

/// Adds the facts of one text to those of another. For each syntax version, the first range is kept.
pub(crate) fn merge(facts: &mut Facts, other: Facts) {
    let Facts { shebang, imports, calls, commands, settings, images, syntax, python2, references, names: _ } = other;
    facts.shebang = facts.shebang.take().or(shebang);
    facts.imports.extend(imports);
    facts.calls.extend(calls);
    facts.commands.extend(commands);
    facts.settings.extend(settings);
    facts.images.extend(images);
    for found in syntax {
        if facts.syntax.iter().all(|syntax| syntax.since != found.since) {
            facts.syntax.push(found);
        }
    }
    facts.python2 = facts.python2.take().or(python2);
    facts.references.extend(references);
}
