//! The byte ranges of the parts of a notebook.

use std::ops::Range;

use super::scanner::{Problem, Scanner};
use crate::source::lang::language::Language;

/// A code cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// Strings of its source.
    pub source: Vec<Range<usize>>,
    /// Language of the cell (format 3). `None` if it is that of the kernel.
    pub language: Option<Range<usize>>,
    is_code: bool,
}

/// A notebook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Book {
    /// Code cells in order.
    pub cells: Vec<Cell>,
    /// Name of the kernel: `python3`.
    kernel: Option<Range<usize>>,
    /// Language of the kernel.
    kernel_language: Option<Range<usize>>,
    /// Language reported by the kernel.
    language: Option<Range<usize>>,
    /// Version of the language reported by the kernel.
    version: Option<Range<usize>>,
    /// The error that ended the parsing. `None` if the file was parsed completely.
    pub problem: Option<Problem>,
}

impl Book {
    /// Finds the code cells and metadata of a notebook.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut book = Self::default();
        let mut scanner = Scanner::new(bytes);
        let read = match scanner.peek() {
            Some(b'{') => book.members(&mut scanner),
            _ => Err("not a notebook"),
        };
        book.problem = read.err();
        book
    }

    fn members(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Problem> {
        scanner.object(|scanner, key| match key {
            b"cells" => self.read_cells(scanner),
            b"worksheets" => scanner.array(|scanner| {
                scanner.object(|scanner, key| match key {
                    b"cells" => self.read_cells(scanner),
                    _ => scanner.skip(),
                })
            }),
            b"metadata" => self.metadata(scanner),
            _ => scanner.skip(),
        })
    }

    fn read_cells(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Problem> {
        let bytes = scanner.bytes();
        scanner.array(|scanner| {
            let mut cell = Cell::default();
            let read = scanner.object(|scanner, key| match key {
                b"cell_type" => {
                    cell.is_code = text(scanner)?.is_some_and(|kind| &bytes[kind] == b"code");
                    Ok(())
                }
                b"source" | b"input" => source(scanner, &mut cell.source),
                b"language" => {
                    cell.language = text(scanner)?;
                    Ok(())
                }
                _ => scanner.skip(),
            });
            if cell.is_code {
                self.cells.push(cell);
            }
            read
        })
    }

    fn metadata(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Problem> {
        scanner.object(|scanner, key| match key {
            b"kernelspec" => scanner.object(|scanner, key| match key {
                b"name" => text(scanner).map(|name| self.kernel = name),
                b"language" => text(scanner).map(|language| self.kernel_language = language),
                _ => scanner.skip(),
            }),
            b"language_info" => scanner.object(|scanner, key| match key {
                b"name" => text(scanner).map(|name| self.language = name),
                b"version" => text(scanner).map(|version| self.version = version),
                _ => scanner.skip(),
            }),
            _ => scanner.skip(),
        })
    }

    /// Returns the language of its cells. Python by default; `None` if the language is not supported.
    pub(super) fn language(&self, bytes: &[u8]) -> Option<Language> {
        let names = [&self.kernel_language, &self.language, &self.kernel];
        match names.into_iter().flatten().next() {
            Some(name) => language_of(&bytes[name.clone()]),
            None => Some(Language::Python),
        }
    }

    /// Returns the range of the metadata that names a Python 2 kernel.
    pub(super) fn python2(&self, bytes: &[u8]) -> Option<Range<usize>> {
        if self.language(bytes) != Some(Language::Python) {
            return None;
        }
        let is_old = |range: &Range<usize>, start: &[u8]| bytes[range.clone()].starts_with(start);
        self.version
            .clone()
            .filter(|version| is_old(version, b"2."))
            .or_else(|| self.kernel.clone().filter(|kernel| self.version.is_none() && is_old(kernel, b"python2")))
    }
}

/// Returns the language for a language name or kernel name.
pub(super) fn language_of(name: &[u8]) -> Option<Language> {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    if name.contains("python") || name.is_empty() {
        return Some(Language::Python);
    }
    if name.contains("c++") || name.contains("cpp") || name.contains("cling") || name == "root" {
        return Some(Language::Cpp);
    }
    matches!(name.as_str(), "bash" | "sh").then_some(Language::Shell)
}

/// Consumes a value and returns its range if it is a string.
fn text(scanner: &mut Scanner<'_>) -> Result<Option<Range<usize>>, Problem> {
    match scanner.peek() {
        Some(b'"') => scanner.string().map(Some),
        _ => scanner.skip().map(|()| None),
    }
}

/// Consumes a source, which is a string or an array of strings.
fn source(scanner: &mut Scanner<'_>, pieces: &mut Vec<Range<usize>>) -> Result<(), Problem> {
    match scanner.peek() {
        Some(b'[') => scanner.array(|scanner| text(scanner).map(|piece| pieces.extend(piece))),
        _ => text(scanner).map(|piece| pieces.extend(piece)),
    }
}
