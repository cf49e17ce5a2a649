//! References from Python programs to other files.

use ruff_python_ast::{Expr, ExprCall};

use super::literal;
use super::reader::Reader;
use crate::source::lang::embedded;
use crate::source::lang::embedded::StringValue;
use crate::source::lang::fact::{Facts, Import, Reference, Usage, Word};
use crate::source::lang::language::Language;

impl<'a> Reader<'a> {
    /// Records the file that a call reads, includes or runs.
    pub(super) fn reference(&mut self, name: &'a str, last: &str, call: &'a ExprCall) {
        let base = name.rsplit_once('.').map_or("", |(base, _)| base);
        let arguments = &*call.arguments.args;
        let is_reading = |at: usize| reads(self, call, at);
        match last {
            "open" | "Open" if is_file_module(base) && is_reading(1) => self.file(arguments.first(), Usage::Data),
            "open" | "read_text" | "read_bytes" if base.is_empty() && is_reading(0) => self.path_receiver(call),
            "TFile" if is_reading(1) => self.file(arguments.first(), Usage::Data),
            "load" | "loadtxt" | "genfromtxt" | "fromfile" | "from_parquet" | "read_table" | "load_model"
            | "load_from_file" | "from_file"
                if !base.ends_with("hub") =>
            {
                self.file(arguments.first(), Usage::Data);
            }
            "copy" | "copy2" | "copyfile" if base == "shutil" => self.file(arguments.first(), Usage::Data),
            "read" if is_settings(base) => self.file(arguments.first(), Usage::Data),
            "RDataFrame" => self.file(arguments.get(1), Usage::Data),
            _ if last.starts_with("read_") && matches!(base, "pd" | "pandas" | "pl" | "polars" | "dd") => {
                self.file(arguments.first(), Usage::Data);
            }
            "LoadMacro" | "Macro" | "execfile" | "run_path" | "AddIncludePath" => {
                self.file(arguments.first(), Usage::Code);
            }
            "ProcessLine" | "ProcessLineSync" => self.processed(arguments.first()),
            "Declare" => self.included(arguments.first()),
            "exec" | "compile" => self.executed(arguments.first()),
            "append" if base == "sys.path" => self.file(arguments.first(), Usage::Code),
            "insert" if base == "sys.path" => self.file(arguments.get(1), Usage::Code),
            "import_module" | "__import__" => self.imported(arguments.first()),
            "spec_from_file_location" => self.file(arguments.get(1), Usage::Code),
            _ => {}
        }
    }

    fn file(&mut self, path: Option<&'a Expr>, usage: Usage) {
        let path = match path {
            Some(Expr::Call(call)) if self.callee(&call.func).is_some_and(wraps) => call.arguments.args.first(),
            other => other,
        };
        let Some(word) =
            path.filter(|path| path.is_string_literal_expr()).and_then(|path| literal::word(self.text, path))
        else {
            return;
        };
        let Word { text, range } = word;
        if !text.is_empty() && !text.contains(['\n', '{', '}', '%']) {
            self.facts.references.push(Reference { path: text, range, usage });
        }
    }

    /// Reads `Path("x").open()`.
    fn path_receiver(&mut self, call: &'a ExprCall) {
        let receiver = call.func.as_attribute_expr().and_then(|attribute| attribute.value.as_call_expr());
        let is_path = |inner: &&'a ExprCall| {
            self.callee(&inner.func).is_some_and(|name| name == "Path" || name.ends_with(".Path"))
        };
        if let Some([path]) = receiver.filter(is_path).map(|inner| &*inner.arguments.args) {
            self.file(Some(path), Usage::Data);
        }
    }

    /// Reads `exec(open("x").read())`. The opened file counts as code.
    fn executed(&mut self, code: Option<&'a Expr>) {
        let read = code.and_then(Expr::as_call_expr).and_then(|call| call.func.as_attribute_expr());
        let open = read.filter(|read| read.attr.as_str() == "read").and_then(|read| read.value.as_call_expr());
        if let Some(open) = open.filter(|open| self.dotted(&open.func) == Some("open")) {
            self.file(open.arguments.args.first(), Usage::Code);
        }
    }

    fn imported(&mut self, module: Option<&'a Expr>) {
        let Some(Word { text: module, range }) =
            module.filter(|it| it.is_string_literal_expr()).and_then(|it| literal::word(self.text, it))
        else {
            return;
        };
        if !module.is_empty() && !module.starts_with('.') {
            let is_optional = self.position.is_optional;
            self.facts.imports.push(Import {
                module,
                names: Vec::new(),
                range,
                is_optional,
                runs_at_import: self.position.runs_at_import,
            });
        }
    }

    /// Reads a line for ROOT's interpreter.
    fn processed(&mut self, line: Option<&'a Expr>) {
        self.included(line);
        let Some(line) = line.filter(|line| literal::is_string(line)) else { return };
        let mut string_value = StringValue::default();
        literal::append_value(self.text, line, &mut string_value);
        let text = string_value.text.trim();
        let load = [".L ", ".x "].iter().find_map(|sign| text.strip_prefix(sign));
        let Some(load) = load else { return };
        let path = load.trim().trim_end_matches([';', '+', 'g', 'O']).split('(').next().unwrap_or_default();
        self.code(&string_value, path);
    }

    /// Adds the files that C++ code for ROOT's interpreter includes and opens.
    fn included(&mut self, code: Option<&'a Expr>) {
        let Some(code) = code.filter(|code| literal::is_string(code)) else { return };
        let mut string_value = StringValue::default();
        literal::append_value(self.text, code, &mut string_value);
        let mut facts =
            Facts { references: embedded::read(Language::Cpp, &string_value).1.references, ..Facts::default() };
        facts.references.retain(|reference| !reference.path.contains('{'));
        self.snap(&mut facts);
        embedded::merge(&mut self.facts, facts);
    }

    /// Records a code file whose path is a part of a string value.
    fn code(&mut self, string_value: &StringValue, path: &str) {
        if path.is_empty() || path.contains('{') {
            return;
        }
        let Some(start) = (path.as_ptr() as usize).checked_sub(string_value.text.as_ptr() as usize) else { return };
        let (start, end) = (string_value.map.in_file(start), string_value.map.in_file(start + path.len() - 1) + 1);
        let end = self.text.floor_char_boundary(end.max(start));
        let range = self.text.floor_char_boundary(start)..end;
        self.facts.references.push(Reference { path: path.to_owned(), range, usage: Usage::Code });
    }
}

/// Reports whether a call opens a file for reading, by the mode at an index or the keyword `mode`.
fn reads(reader: &Reader<'_>, call: &ExprCall, at: usize) -> bool {
    let keyword =
        call.arguments.keywords.iter().find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == "mode"));
    let mode = call.arguments.args.get(at).or(keyword.map(|keyword| &keyword.value));
    let Some(mode) = mode else { return true };
    let Some(mode) = literal::word(reader.text, mode) else { return false };
    let mode = mode.text.to_ascii_lowercase();
    matches!(mode.as_str(), "" | "old" | "read")
        || mode.starts_with('r') && !mode.starts_with("rec") && !mode.contains('+')
}

/// Reports whether a module's `open` opens a file.
fn is_file_module(base: &str) -> bool {
    let last = base.rsplit('.').next().unwrap_or(base);
    base.is_empty()
        || matches!(
            last,
            "io" | "gzip"
                | "bz2"
                | "lzma"
                | "codecs"
                | "uproot"
                | "uproot3"
                | "uproot4"
                | "TFile"
                | "fsspec"
                | "tarfile"
        )
}

/// Reports whether an object reads configuration files, by its name.
fn is_settings(base: &str) -> bool {
    let last = base.rsplit('.').next().unwrap_or(base).to_ascii_lowercase();
    ["config", "parser", "cfg", "ini"].iter().any(|part| last.contains(part))
}

/// Reports whether a function returns its path argument.
fn wraps(name: &str) -> bool {
    matches!(
        name.rsplit('.').next().unwrap_or(name),
        "Path" | "str" | "expanduser" | "expandvars" | "abspath" | "realpath"
    )
}
