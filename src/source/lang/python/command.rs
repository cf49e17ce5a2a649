//! Commands that a program runs, directly or in a shell.

use std::ops::Range;

use ruff_python_ast::Expr;
use ruff_text_size::Ranged as _;

use super::literal::{self, bytes};
use super::reader::Reader;
use crate::source::lang::embedded;
use crate::source::lang::embedded::StringValue;
use crate::source::lang::fact::{Command, Dialect, Host, Reference, Setting, Usage, Word};
use crate::source::lang::language::Language;

/// Maximum number of words of a command.
const MAX_WORDS: usize = 1000;

impl<'a> Reader<'a> {
    /// Reads a value that is run: a string, a list of words, or a variable.
    pub(super) fn command(&mut self, command: &'a Expr) {
        match command {
            Expr::Name(name) => self.run.push(&self.text[bytes(name.range)]),
            Expr::List(list) => self.started(&list.elts, bytes(list.range)),
            Expr::Tuple(tuple) => self.started(&tuple.elts, bytes(tuple.range)),
            Expr::Call(call) if self.callee(&call.func).is_some_and(|name| name.ends_with("split")) => {
                let first = call.arguments.args.first();
                let receiver = call.func.as_attribute_expr().map(|attribute| &*attribute.value);
                if let Some(text) = first.into_iter().chain(receiver).find(|text| literal::is_string(text)) {
                    self.shell(text);
                }
            }
            _ if literal::is_string(command) => self.shell(command),
            _ => {}
        }
    }

    /// Reads a string that a shell runs.
    fn shell(&mut self, text: &'a Expr) {
        let mut string_value = StringValue::default();
        literal::append_value(self.text, text, &mut string_value);
        self.shell_cooked(&string_value);
    }

    /// Adds the commands and settings of a text that a shell runs.
    pub(super) fn shell_cooked(&mut self, string_value: &StringValue) {
        let (_, mut facts) = embedded::read(Language::Shell, string_value);
        self.snap(&mut facts);
        for command in &mut facts.commands {
            command.is_conditional |= self.position.is_conditional;
        }
        embedded::merge(&mut self.facts, facts);
    }

    /// Reads a list of words that is run without a shell.
    fn started(&mut self, words: &'a [Expr], range: Range<usize>) {
        if let [shell, option, script, ..] = words {
            let is_shell = self.key(shell).is_some_and(|name| name.ends_with("sh"));
            if is_shell && self.key(option).is_some_and(|option| option.starts_with('-') && option.ends_with('c')) {
                return if literal::is_string(script) { self.shell(script) } else { self.command(script) };
            }
        }
        let words: Vec<Word> = words.iter().take(MAX_WORDS).map(|word| self.word(word)).collect();
        if words.is_empty() {
            return;
        }
        let is_conditional = self.position.is_conditional;
        self.script(&words);
        self.facts.commands.push(Command { words, range, host: Host::Program, is_conditional });
    }

    /// Returns a word of a command. A value that is not a literal is in braces.
    fn word(&self, word: &'a Expr) -> Word {
        literal::word(self.text, word).unwrap_or_else(|| {
            let range = bytes(word.range());
            let mut string_value = StringValue::default();
            literal::append_value(self.text, word, &mut string_value);
            Word { text: string_value.text, range }
        })
    }

    /// Adds a reference to the script that a command runs.
    fn script(&mut self, words: &[Word]) {
        let is_interpreter = |word: &Word| {
            let name = word.text.rsplit('/').next().unwrap_or_default();
            matches!(name, "bash" | "sh" | "zsh" | "csh" | "source" | "root") || name.starts_with("python")
        };
        let mut words = words.iter();
        let Some(first) = words.next() else { return };
        let script = if is_interpreter(first) { words.find(|word| !word.text.starts_with('-')) } else { Some(first) };
        let Some(script) = script else { return };
        let is_file = [".sh", ".py", ".C", ".exe", ".csh"].iter().any(|end| script.text.ends_with(end));
        if is_file && !script.text.contains(['{', '$', ' ']) {
            let Word { text: path, range } = script.clone();
            self.facts.references.push(Reference { path, range, usage: Usage::Code });
        }
    }

    /// Reads the strings of variables that are passed to a shell.
    pub(super) fn run_assigned(&mut self) {
        if self.run.is_empty() {
            return;
        }
        self.run.sort_unstable();
        for (name, value) in std::mem::take(&mut self.assigned) {
            if self.run.binary_search(&name).is_ok() {
                self.shell(value);
            }
        }
    }

    /// Reads an IPython command, starting with its sign.
    pub(super) fn escape(&mut self, range: Range<usize>) {
        let source = &self.text[range.clone()];
        let body = source.trim_start_matches(['!', '%', '?']);
        let start = range.end - body.len();
        if source.starts_with('!') {
            return self.escaped_shell(start..range.end);
        }
        let (name, rest) = body.split_once([' ', '\t']).unwrap_or((body, ""));
        let at = range.end - rest.len();
        match name {
            "pip" | "conda" | "mamba" | "cd" | "ls" | "mkdir" | "cp" | "mv" | "rm" | "cat" => {
                self.escaped_shell(start..range.end);
            }
            "sx" | "system" => self.escaped_shell(at..range.end),
            "run" => self.escaped_run(rest, at),
            "env" | "set_env" => self.escaped_variable(rest, at),
            _ => {}
        }
    }

    fn escaped_shell(&mut self, range: Range<usize>) {
        let mut string_value = StringValue::default();
        string_value.push_straight(&self.text[range.clone()], range.start);
        string_value.parts.push(range);
        self.embedded.push((Language::Shell, string_value));
    }

    fn escaped_run(&mut self, rest: &str, at: usize) {
        let Some(path) = rest.split_ascii_whitespace().find(|word| !word.starts_with('-')) else { return };
        let start = at + rest.find(path).unwrap_or(0);
        let range = start..start + path.len();
        self.facts.references.push(Reference { path: path.to_owned(), range, usage: Usage::Code });
    }

    fn escaped_variable(&mut self, rest: &str, at: usize) {
        let Some((key, value)) = rest.split_once(['=', ' ']) else { return };
        let end = at + rest.trim_end().len();
        let value = value.trim();
        let start = end.saturating_sub(value.len());
        let word = Word { text: value.to_owned(), range: start..end };
        let key = key.trim().to_owned();
        self.facts.settings.push(Setting { dialect: Dialect::Variable, key, value: word, range: at..end });
    }
}
