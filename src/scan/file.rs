//! Scans one file: reads it, parses it and runs every rule on it.

use std::io::Read as _;
use std::ops::Range;
use std::sync::PoisonError;

use memchr::{memchr, memmem};

use super::Shared;
use super::finding::{self, FileScope};
use super::grouping::{Kind, Kinds};
use super::lines::Lines;
use super::tree::{MAX_WHOLE, Snapshot};
use crate::model::finding::Finding;
use crate::scan::rules::context::FileInput;
use crate::scan::rules::{Check, Diagnostic};
use crate::scan::suppress::inline;
use crate::scan::suppress::inline::Directive;
use crate::source::lang;
use crate::source::lang::View;
use crate::source::lang::fact::{Import, Names, Reference, Usage};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Match;
use crate::source::manifest;

/// Number of bytes that are inspected to recognize binary files and languages.
const SNIFF_BYTES: usize = 8 << 10;
/// Number of matches above which a data file is a list.
const MIN_LIST_MATCHES: u64 = 64;
/// Maximum size of a JSON file without paths or URLs that may be a configuration, in bytes.
const MAX_HANDWRITTEN: usize = 64 << 10;
/// Number of matches above which any file is a list.
const MAX_MATCHES: usize = 5000;
/// Maximum number of spans of one file that are searched for file names.
const MAX_MENTIONS: usize = 20_000;
/// Size of a piece of a large file in bytes.
const PIECE: usize = 4 << 20;
/// Size of the end of a piece in which a boundary is searched, in bytes.
const OVERLAP: usize = 8 << 10;

/// Maximum size of a program or settings file that is parsed, in bytes. Larger files are generated.
const MAX_CODE: usize = 2 << 20;
/// Size above which programs are parsed one at a time, in bytes.
const MAX_PARALLEL_CODE: usize = 256 << 10;
/// Note for a program that is too large to be parsed.
const TOO_LONG_NOTE: &str = "file is too large to be parsed; only its paths and URLs were scanned";

/// The result of one file.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) findings: Vec<Finding>,
    pub(super) imports: Vec<(u32, Import)>,
    pub(super) references: Vec<(u32, Reference)>,
    pub(super) names: Option<Names>,
    pub(super) mentions: Vec<String>,
    pub(super) directives: Vec<Directive>,
    pub(super) notes: Vec<String>,
    pub(super) bytes: u64,
    pub(super) is_skipped: bool,
}

impl Examined {
    fn skipped(note: Option<String>) -> Self {
        Self { is_skipped: true, notes: note.into_iter().collect(), ..Self::default() }
    }
}

/// Scans files one after the other.
pub(super) struct Worker<'a> {
    shared: Shared<'a>,
    buffer: Vec<u8>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(shared: Shared<'a>) -> Self {
        Self { shared, buffer: Vec::new() }
    }

    pub(super) fn examine(&mut self, path: &str, snapshot: &Snapshot) -> Examined {
        let mut bytes = std::mem::take(&mut self.buffer);
        let examined = match snapshot.load(path, MAX_WHOLE, &mut bytes) {
            Ok(_) if is_binary(&bytes) => Examined::skipped(None),
            Ok(is_truncated) => {
                let language = manifest::language(path, &bytes[..bytes.len().min(SNIFF_BYTES)]);
                if is_truncated || bytes.len() > max_whole(language) {
                    self.pieces(path, language, bytes.as_mut(), snapshot)
                } else {
                    // A parsed program takes many times its size in memory: parse large ones one at a time.
                    let is_large = bytes.len() > MAX_PARALLEL_CODE && is_parsed(language);
                    let large_file =
                        is_large.then(|| self.shared.large_file.lock().unwrap_or_else(PoisonError::into_inner));
                    let examined = self.whole(path, language, &bytes);
                    drop(large_file);
                    examined
                }
            }
            Err(error) => Examined::skipped(Some(format!("failed to read file: {error}"))),
        };
        // Release the memory of a large file.
        bytes.shrink_to(PIECE);
        self.buffer = bytes;
        examined
    }

    fn whole(&self, path: &str, language: Language, bytes: &[u8]) -> Examined {
        let mut examined = Examined { bytes: bytes.len() as u64, ..Examined::default() };
        if !language.is_code() || language == Language::Json {
            let mut kinds = Kinds::default();
            if !matches!(language, Language::Prose | Language::Ignore) {
                kinds.add(bytes, self.shared.matcher);
            }
            let found: u64 = kinds.kinds.iter().map(|kind| kind.count).sum();
            // A JSON file with thousands of URLs, or with only numbers, is data. A handwritten file is parsed as JSON.
            let is_data =
                language != Language::Json || found > MIN_LIST_MATCHES || found == 0 && bytes.len() > MAX_HANDWRITTEN;
            if is_data {
                // Data files are only checked for paths, URLs and keys.
                let is_of_interest = found > 0
                    || language == Language::Data && bytes.trim_ascii_start().starts_with(b"/")
                    || memmem::find(bytes, b"-----BEGIN ").is_some()
                    || is_named_in_prose(language, bytes);
                if is_of_interest {
                    let text = if language == Language::Json { Language::Data } else { language };
                    let view = lang::read(text, bytes);
                    self.check(path, text, bytes, &view, &kinds.kinds, &mut examined);
                }
                return examined;
            }
        }
        let view = lang::read(language, bytes);
        let text = view.text.as_bytes();
        let matches = self.shared.matcher.all(text);
        let is_list = matches.len() as u64 > MIN_LIST_MATCHES && matches!(language, Language::Yaml | Language::Toml)
            || matches.len() > MAX_MATCHES;
        let kinds = if is_list {
            let mut kinds = Kinds::default();
            kinds.add(text, self.shared.matcher);
            kinds.kinds
        } else {
            matches.into_iter().map(|first| Kind { first, count: 1, lines: Vec::new() }).collect()
        };
        self.check(path, language, bytes, &view, &kinds, &mut examined);
        if let Some(problem) = &view.problem {
            examined.notes.push(problem.clone());
        }
        self.remember(path, &view, bytes, &mut examined);
        examined
    }

    /// Collects the facts of a file that repository rules need.
    fn remember(&self, path: &str, view: &View<'_>, bytes: &[u8], examined: &mut Examined) {
        let facts = &view.facts;
        examined.names = facts.names.clone().filter(|_| path.ends_with(".py"));
        let mut lines = None;
        if !facts.imports.is_empty() || !facts.references.is_empty() {
            let lines = &*lines.insert(Lines::new(bytes));
            let line = |range: &Range<usize>| lines.line(view.map.in_file(range.start));
            examined.imports = facts.imports.iter().map(|import| (line(&import.range), import.clone())).collect();
            examined.references =
                facts.references.iter().map(|reference| (line(&reference.range), reference.clone())).collect();
        }
        for span in view.spans.iter().filter(|span| span.is_active()).take(MAX_MENTIONS) {
            let text = &view.text[span.range.clone()];
            if span.is_head && text.starts_with("../") && (is_program(text) || leads_out(path, text)) {
                let lines = lines.get_or_insert_with(|| Lines::new(bytes));
                let reference = Reference { path: text.to_owned(), range: span.range.clone(), usage: Usage::Data };
                examined.references.push((lines.line(view.map.in_file(span.range.start)), reference));
            }
            let name = text.rsplit('/').next().unwrap_or(text);
            if text.len() < 300 && name.contains('.') && !name.contains([' ', '\n']) {
                examined.mentions.push(name.to_owned());
            }
        }
    }

    /// Scans a file that is too large to be read at once. It is treated as data.
    fn pieces(&self, path: &str, language: Language, bytes: &mut Vec<u8>, snapshot: &Snapshot) -> Examined {
        let mut examined = Examined { bytes: bytes.len() as u64, ..Examined::default() };
        let mut kinds = Kinds::default();
        let mut seen = kinds.kinds.len();
        let mut samples: Vec<(Vec<u8>, Kind)> = Vec::new();
        if is_parsed(language) {
            examined.notes.push(TOO_LONG_NOTE.to_owned());
        }
        let mut file = match snapshot.open(path) {
            Ok(file) => file,
            Err(error) => return Examined::skipped(Some(format!("failed to read file: {error}"))),
        };
        bytes.clear();
        examined.bytes = 0;
        loop {
            let start = bytes.len();
            if let Err(error) = (&mut file).take(PIECE as u64).read_to_end(bytes) {
                examined.notes.push(format!("failed to read the whole file: {error}"));
            }
            let is_last = bytes.len() == start;
            examined.bytes += (bytes.len() - start) as u64;
            // The part after the last boundary is scanned with the next piece.
            let piece_end = if is_last { bytes.len() } else { piece_end(bytes) };
            kinds.add(&bytes[..piece_end], self.shared.matcher);
            for kind in &mut kinds.kinds[seen..] {
                samples.push((bytes[kind.first.range.clone()].to_vec(), kind.clone()));
            }
            seen = kinds.kinds.len();
            bytes.drain(..piece_end);
            if is_last {
                break;
            }
        }
        // Rules only see the matches, one sample per line.
        let mut text = Vec::new();
        let mut found = Vec::new();
        for ((sample, first), kind) in samples.into_iter().zip(&kinds.kinds) {
            let start = text.len();
            text.extend_from_slice(&sample);
            found.push(Kind { first: Match { range: start..text.len(), ..first.first }, ..kind.clone() });
            text.push(b'\n');
        }
        if found.is_empty() {
            return examined;
        }
        let view = lang::read(Language::Data, &text);
        self.check(path, Language::Data, &text, &view, &found, &mut examined);
        examined
    }

    fn check(
        &self,
        path: &str,
        language: Language,
        bytes: &[u8],
        view: &View<'_>,
        kinds: &[Kind],
        examined: &mut Examined,
    ) {
        let matches: Vec<Match> = kinds.iter().map(|kind| kind.first.clone()).collect();
        let input = FileInput { path, language, view, matches: &matches, context: self.shared.context };
        let mut found: Vec<(&'static crate::scan::rules::Rule, Diagnostic)> = Vec::new();
        let mut diagnostics = Vec::new();
        for rule in self.shared.rules {
            if let Check::File(check) = rule.check {
                check(&input, &mut diagnostics);
                found.extend(diagnostics.drain(..).map(|diagnostic| (*rule, diagnostic)));
            }
        }
        if !found.is_empty() {
            let scope = FileScope { path, lines: Lines::new(bytes), view, kinds };
            examined.findings = finding::from_file(&scope, found);
            let notes = finding::limit(&mut examined.findings);
            examined.notes.extend(notes.into_iter().map(|note| note.message));
        }
        examined.directives = inline::read(language, bytes);
    }
}

/// Reports whether a document mentions commands that run an image.
fn is_named_in_prose(language: Language, bytes: &[u8]) -> bool {
    language == Language::Prose
        && ["docker run", "singularity ", "apptainer "]
            .iter()
            .any(|word| memmem::find(bytes, word.as_bytes()).is_some())
}

/// Reports whether a path is source code.
fn is_program(path: &str) -> bool {
    [".py", ".sh", ".C", ".cxx", ".cc", ".cpp", ".h"].iter().any(|end| path.ends_with(end))
}

/// Reports whether files of this language are parsed.
fn is_parsed(language: Language) -> bool {
    language.is_code() && language != Language::Json
}

/// Returns the maximum size of a file that is scanned as a whole. A notebook is larger than its code.
fn max_whole(language: Language) -> usize {
    if is_parsed(language) && language != Language::Notebook { MAX_CODE } else { usize::MAX }
}

/// Reports whether a path, relative to the directory of a file, refers to a data file outside the repository.
fn leads_out(file: &str, path: &str) -> bool {
    let ups = path.split('/').take_while(|part| *part == "..").count();
    let depth = file.matches('/').count();
    let name = path.rsplit('/').next().unwrap_or_default();
    let data = [
        ".root", ".json", ".onnx", ".h5", ".parquet", ".pkl", ".npy", ".npz", ".csv", ".txt", ".yaml", ".yml",
        ".coffea",
    ];
    ups > depth && data.iter().any(|end| name.ends_with(end))
}

fn is_binary(bytes: &[u8]) -> bool {
    memchr(0, &bytes[..bytes.len().min(SNIFF_BYTES)]).is_some()
}

/// Returns the end of a piece: after the last line end, otherwise after the last separator, otherwise before the overlap.
fn piece_end(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(OVERLAP);
    let end = bytes[tail..].iter().rposition(|byte| matches!(byte, b'\n'));
    let end = end.or_else(|| bytes[tail..].iter().rposition(|byte| matches!(byte, b' ' | b',' | b'"' | b'\t')));
    end.map_or(tail, |offset| tail + offset + 1)
}

#[cfg(test)]
mod tests {
    use super::leads_out;

    #[test]
    fn leads_out_recognizes_files_outside_repository() {
        assert!(leads_out("python/config.yaml", "../../training/model.onnx"));
        assert!(!leads_out("python/config.yaml", "../data/model.onnx"));
        assert!(!leads_out("python/config.yaml", "../../plots"));
    }
}
