//! The meaning of the words of a command.

use super::batch::{self, System};
use super::container;
use super::part::{Heredoc, Part, Piece, program_name};
use crate::source::lang::fact::{Command, Dialect, Host, Usage, Word};
use crate::source::lang::function_name::is_display_function;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};
use crate::source::lang::view_builder::{ViewBuilder, short};
use std::ops::Range;

/// A command in construction.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) words: Vec<Part>,
    pub(super) assignments: Vec<Part>,
    /// Redirections: whether output is written, and the target.
    pub(super) redirects: Vec<(bool, Part)>,
    pub(super) heredocs: Vec<Heredoc>,
    /// Defaults of variables with the ranges of the variable names.
    pub(super) defaults: Vec<(Piece, Range<usize>)>,
}

/// The context of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) host: Host,
    pub(super) is_conditional: bool,
    pub(super) is_piped: bool,
    pub(super) is_nested: bool,
    pub(super) is_csh: bool,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
            && self.assignments.is_empty()
            && self.redirects.is_empty()
            && self.heredocs.is_empty()
            && self.defaults.is_empty()
    }

    /// Reports whether it is `[[ …`, where `<` and `>` compare.
    pub(super) fn is_test(&self) -> bool {
        self.words.first().is_some_and(|word| word.text == "[[")
            && self.words.last().is_none_or(|word| word.text != "]]")
    }

    /// Returns the file that its output is written to.
    pub(super) fn target(&self) -> Option<&str> {
        let target = self.redirects.iter().find(|(is_output, _)| *is_output).map(|(_, word)| word.text.as_str());
        let tee = self.words.iter().position(|word| word.text == "tee");
        let target = target.or_else(|| {
            let after = self.words.get(tee? + 1..)?;
            after.iter().map(|word| word.text.as_str()).find(|word| !word.starts_with('-'))
        });
        target.filter(|target| !matches!(*target, "/dev/null" | "/dev/stderr" | "/dev/stdout" | "/dev/tty"))
    }

    /// Returns the language of its standard input.
    pub(super) fn heredoc_language(&self) -> Option<Language> {
        let name = self.words.get(verb(&self.words)).map(|word| program_name(&word.text))?;
        Some(match name {
            "bash" | "sh" | "zsh" | "ksh" | "csh" | "tcsh" | "ssh" | "sbatch" | "qsub" | "bsub" => Language::Shell,
            "condor_submit" => Language::HtCondor,
            "root" | "root.exe" => Language::Cpp,
            _ if name.starts_with("python") || name == "ipython" => Language::Python,
            _ => return None,
        })
    }
}

/// Returns the index of the command name after wrappers such as `sudo` and `env`.
fn verb(words: &[Part]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match word.text.as_str() {
            "sudo" | "exec" | "nohup" | "time" | "nice" | "env" | "builtin" | "eval" | "stdbuf" | "setsid" => {
                if word.text == "eval" && words.get(at + 1).is_some_and(Part::is_quoted_whole) {
                    break;
                }
                at += 1;
                while words.get(at).is_some_and(|word| word.text.starts_with('-') || word.is_assignment()) {
                    at += 1;
                }
            }
            _ => break,
        }
    }
    if at < words.len() { at } else { 0 }
}

impl Part {
    fn is_quoted_whole(&self) -> bool {
        self.quoted().is_some()
    }
}

/// Reads the elements of an array.
pub(super) fn elements(builder: &mut ViewBuilder<'_>, line: Line, name: Option<&str>) {
    for word in &line.words {
        for piece in &word.pieces {
            builder.spans.push(Span { name: name.map(short), ..span(piece, Kind::Word) });
        }
    }
    defaults(builder, &line);
}

/// Reads patterns of `case` and conditions of csh.
pub(super) fn patterns(builder: &mut ViewBuilder<'_>, line: Line) {
    for piece in line.words.iter().flat_map(|word| &word.pieces) {
        builder.spans.push(Span { role: Role::Guard, ..span(piece, Kind::Word) });
    }
    defaults(builder, &line);
}

fn span(piece: &Piece, kind: Kind) -> Span {
    Span { range: piece.range.clone(), kind, role: piece.role, is_head: piece.is_head, name: None, call: None }
}

fn defaults(builder: &mut ViewBuilder<'_>, line: &Line) {
    for (piece, name) in &line.defaults {
        let name = Some(short(builder.slice(name)));
        builder.spans.push(Span { name, ..span(piece, Kind::Word) });
    }
}

/// Reads a complete command.
pub(super) fn finish(builder: &mut ViewBuilder<'_>, mut line: Line, context: &Context) {
    defaults(builder, &line);
    for part in std::mem::take(&mut line.assignments) {
        assign(builder, &part);
    }
    let target_is_file = line.target().is_some();
    let from = verb(&line.words);
    for part in line.words.iter().take(from) {
        if part.is_assignment() {
            assign(builder, part);
        }
    }
    for (is_output, part) in &line.redirects {
        let name = if *is_output { ">" } else { "<" };
        for piece in &part.pieces {
            builder.spans.push(Span { name: Some(name.to_owned()), ..span(piece, Kind::Word) });
        }
    }
    let mut words = line.words;
    words.drain(..from);
    let Some(name) = words.first().map(|word| short(program_name(&word.text))) else { return };
    let is_done = match name.as_str() {
        "export" | "declare" | "local" | "readonly" | "typeset" | "setenv" | "set" | "unset" | "alias" => {
            variables(builder, &words, context.is_csh)
        }
        "for" | "foreach" | "select" | "function" | "case" | "]]" | "]" => {
            spans(builder, &words, &name);
            return;
        }
        _ => embedded(builder, &words, &name, context.host),
    };
    roles(&mut words, &name, target_is_file || context.is_piped || context.is_nested);
    container::read(builder, &mut words, &name);
    if !is_done {
        spans(builder, &words, &name);
    }
    let words: Vec<Word> = words.iter().map(Part::word).collect();
    options(builder, &name, &words);
    references(builder, &name, &words);
    for (is_output, part) in &line.redirects {
        if !is_output {
            builder.refer(&part.text, part.range.clone(), Usage::Data);
        }
    }
    if let (Some(first), Some(last)) = (words.first(), words.last()) {
        let range = first.range.start..last.range.end;
        let (host, is_conditional) = (context.host, context.is_conditional);
        builder.facts.commands.push(Command { words, range, host, is_conditional });
    }
}

fn assign(builder: &mut ViewBuilder<'_>, part: &Part) {
    let Some((key, value)) = part.assignment(builder.text) else { return };
    let key = key.to_owned();
    for piece in part.pieces.iter().filter(|piece| piece.range.start >= value.range.start) {
        builder.spans.push(Span { name: Some(short(&key)), ..span(piece, Kind::Value) });
    }
    builder.set(Dialect::Variable, &key, value, part.range.start);
}

/// Reads a command that sets variables. Returns true if the spans of its words are added.
fn variables(builder: &mut ViewBuilder<'_>, words: &[Part], is_csh: bool) -> bool {
    let name = words[0].text.as_str();
    if name == "setenv" || (name == "set" && is_csh) {
        if let [_, key, value, ..] = words {
            let value = if value.text == "=" { words.get(3).unwrap_or(value) } else { value };
            for piece in &value.pieces {
                builder.spans.push(Span { name: Some(short(&key.text)), ..span(piece, Kind::Value) });
            }
            let range = value.quoted().unwrap_or_else(|| value.range.clone());
            builder.set(Dialect::Variable, &key.text, Word { text: value.text.clone(), range }, key.range.start);
            return true;
        }
    } else if name == "set" || name == "unset" {
        return false;
    }
    for part in &words[1..] {
        if part.is_assignment() && name != "alias" {
            assign(builder, part);
        } else if name == "alias" && part.equals.is_some() {
            for piece in &part.pieces {
                builder.spans.push(span(piece, Kind::Word));
            }
        }
    }
    true
}

/// Reads a program passed as a string: `bash -c "…"`. Returns true if the spans of the words are added.
fn embedded(builder: &mut ViewBuilder<'_>, words: &[Part], name: &str, host: Host) -> bool {
    let flag = words.iter().position(|word| matches!(word.text.as_str(), "-c" | "-lc" | "-ic" | "-lic"));
    let (at, language) = match name {
        "bash" | "sh" | "zsh" | "ksh" | "csh" | "tcsh" | "su" => (flag.map(|at| at + 1), Language::Shell),
        "eval" => (Some(1), Language::Shell),
        "ssh" if words.len() > 2 => (Some(words.len() - 1), Language::Shell),
        _ if name.starts_with("python") => (flag.map(|at| at + 1), Language::Python),
        _ => return false,
    };
    let Some(at) = at else { return false };
    let Some(range) = words.get(at).and_then(Part::quoted) else { return false };
    let host = if language == Language::Shell { host } else { Host::Program };
    if !builder.embed(language, range, host) {
        return false;
    }
    for part in words.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, part)| part) {
        for piece in &part.pieces {
            builder.spans.push(span(piece, Kind::Word));
        }
    }
    true
}

fn spans(builder: &mut ViewBuilder<'_>, words: &[Part], name: &str) {
    let mut option: Option<&str> = None;
    for (index, part) in words.iter().enumerate() {
        let own = part.equals.map(|(at, key)| (at, part.text[..key].trim_start_matches('-')));
        let is_option = part.text.starts_with('-') && !part.is_quoted;
        for piece in &part.pieces {
            let name_of = match own {
                Some((at, key)) if piece.range.start >= at => Some(key),
                _ if is_option => None,
                _ => option,
            };
            let call = (index > 0).then(|| name.to_owned());
            builder.spans.push(Span { name: name_of.map(short), call, ..span(piece, Kind::Word) });
        }
        option = if is_option && own.is_none() { Some(part.text.trim_start_matches('-')) } else { None };
    }
}

/// Sets the roles of words by the name of the command.
fn roles(words: &mut [Part], name: &str, goes_on: bool) {
    match name {
        "echo" | "printf" | "print" if !goes_on => mark(words, Role::Shown),
        _ if is_display_function(name) && !goes_on => mark(words, Role::Shown),
        "[" | "[[" | "test" | "which" | "command" | "type" | "hash" | "if" => mark(words, Role::Guard),
        "sed" | "grep" | "egrep" | "fgrep" | "zgrep" | "awk" | "gawk" | "perl" | "rg" => patterns_of(words),
        _ => {}
    }
}

fn mark(words: &mut [Part], role: Role) {
    for piece in words.iter_mut().skip(1).flat_map(|word| &mut word.pieces) {
        piece.role = role;
    }
}

/// Marks the expressions of sed, grep and awk: those of `-e`, or the first word that is not an option.
fn patterns_of(words: &mut [Part]) {
    let mut is_found = false;
    let mut is_next = false;
    let mut is_skipped = false;
    for word in words.iter_mut().skip(1) {
        let is_option = word.text.starts_with('-') && !word.is_quoted;
        if is_next || (!is_found && !is_option && !is_skipped) {
            word.pieces.iter_mut().for_each(|piece| piece.role = Role::Pattern);
            is_found = true;
            is_next = false;
        } else if is_option {
            is_next = matches!(word.text.as_str(), "-e" | "--regexp" | "--expression" | "-pe" | "-ne" | "-ie");
            is_skipped = matches!(word.text.as_str(), "-v" | "-F" | "-A" | "-B" | "-C" | "-m") && word.text != "-v";
            continue;
        }
        is_skipped = false;
    }
}

/// Adds the options of job submission commands as settings.
fn options(builder: &mut ViewBuilder<'_>, name: &str, words: &[Word]) {
    let Some(system) = System::of_command(name) else { return };
    let (found, after) = batch::options(system, &words[1..]);
    for (key, value, start) in found {
        builder.set(Dialect::Batch, &key, value, start);
    }
    let script = words.get(after + 1);
    if let Some(script) = script.filter(|_| !matches!(name, "bsub" | "salloc" | "srun")) {
        builder.refer(&script.text, script.range.clone(), Usage::Code);
    }
}

/// Adds references to files that a command starts or reads.
fn references(builder: &mut ViewBuilder<'_>, name: &str, words: &[Word]) {
    let first = &words[0];
    let file = match name {
        // conda: `source activate x`.
        "source" | "." => words.get(1).filter(|word| !matches!(word.text.as_str(), "activate" | "deactivate")),
        "bash" | "sh" | "zsh" | "ksh" | "csh" | "tcsh" | "cmsRun" | "python" | "python2" | "python3" | "ipython" => {
            script(words)
        }
        "root" | "root.exe" => {
            words.iter().skip(1).find(|word| macro_path(&word.text).is_some_and(|path| !path.starts_with('-')))
        }
        _ if first.text.contains('/') && !first.text.starts_with(['/', '$', '~', '`']) => Some(first),
        _ => None,
    };
    if let Some(file) = file {
        let path = macro_path(&file.text).unwrap_or(&file.text).to_owned();
        builder.refer(&path, file.range.clone(), Usage::Code);
    }
}

/// Returns the file that an interpreter runs: its first word that is not an option. `None` with `-c` and `-m`.
fn script(words: &[Word]) -> Option<&Word> {
    for word in &words[1..] {
        match word.text.as_str() {
            "-c" | "-m" | "-" | "-lc" => return None,
            option if option.starts_with('-') => {}
            _ => return Some(word),
        }
    }
    None
}

/// Returns the path of a ROOT macro without arguments and the trailing `+`.
fn macro_path(word: &str) -> Option<&str> {
    let path = word.split('(').next().unwrap_or("").trim_end_matches('+');
    [".C", ".cxx", ".cpp", ".cc", ".py", ".c"].iter().any(|end| path.ends_with(end)).then_some(path)
}
