//! Limits of results and documents, which may come from a test or from another CI job.
//!
//! [`read`] checks the JSON before it parses it, so that the memory of the parsed value is limited too. The cell that writes
//! a result stays below these limits.

use memchr::memchr2;
use serde::de::DeserializeOwned;

use super::cell::{CellResult, FileDigest, Step};
use super::document::{Cell, Document};
use super::environment::Environment;

/// Maximum number of commands of a cell.
pub const MAX_STEPS: usize = 10_000;
/// Maximum number of test cases of a cell.
pub const MAX_CASES: usize = 100_000;
/// Maximum number of input files, and of output files, of a cell.
pub const MAX_FILES: usize = 10_000;
/// Maximum number of parts of a contract that are not enforced.
pub const MAX_NOTES: usize = 1_000;
/// Maximum number of cells of a document.
pub const MAX_CELLS: usize = 10_000;
/// Maximum number of Python interpreters of an environment.
pub const MAX_PYTHONS: usize = 100;
/// Maximum number of Python distributions of an interpreter.
pub const MAX_DISTRIBUTIONS: usize = 20_000;
/// Maximum number of modules, and of requirements, of a distribution.
pub const MAX_MODULES: usize = 10_000;
/// Maximum number of packages of a package manager.
pub const MAX_PACKAGES: usize = 100_000;
/// Maximum number of entries of every other list of an environment.
pub const MAX_ENTRIES: usize = 10_000;

/// Limits of one JSON text.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum size in bytes.
    pub bytes: u64,
    /// Maximum number of tokens: the characters `{`, `[`, `,` and `:` outside strings. A value has at least one.
    pub tokens: usize,
    /// Maximum size of a string in bytes, as written.
    pub string: usize,
    /// Maximum number of nested lists and objects.
    pub depth: usize,
}

/// The limits of the result of one cell.
///
/// The largest result of a cell has [`MAX_CASES`] cases with 25 tokens and 320 bytes of syntax each, 32 MiB of texts
/// (`cell::suite`), an environment and [`MAX_FILES`] files.
pub const RESULT: Limits = Limits { bytes: 96 << 20, tokens: 4_000_000, string: 1 << 20, depth: 32 };

/// The limits of a document, which has room for 1,000 cells with 1,000 tests each.
pub const DOCUMENT: Limits = Limits { bytes: 256 << 20, tokens: 24_000_000, string: 1 << 20, depth: 32 };

/// Maximum size in bytes of all documents that are merged.
pub const MAX_MERGED_BYTES: u64 = 1 << 30;

/// A limit that a result or a document exceeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The size of the text.
    #[error("larger than {} MiB", .0 >> 20)]
    Bytes(u64),
    /// The number of values.
    #[error("more than {0} JSON tokens")]
    Tokens(usize),
    /// The size of a string.
    #[error("a string of more than {} KiB", .0 >> 10)]
    String(usize),
    /// The depth.
    #[error("more than {0} nested lists and objects")]
    Depth(usize),
    /// The number of entries of a list.
    #[error("more than {max} {what}")]
    Count {
        /// The entries: `test cases`.
        what: &'static str,
        /// Maximum number.
        max: usize,
    },
}

/// An error when reading JSON under limits.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The text exceeds a limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The text is not valid JSON of the expected form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Parses JSON that does not exceed the limits.
///
/// # Errors
/// If the text exceeds a limit, or is not JSON of the expected form.
pub fn read<T: DeserializeOwned>(json: &[u8], limits: &Limits) -> Result<T, ReadError> {
    limits.check(json)?;
    Ok(serde_json::from_slice(json)?)
}

impl Limits {
    /// Checks a JSON text without parsing it. The check uses no memory. Invalid JSON may pass.
    ///
    /// # Errors
    /// If the text exceeds a limit.
    pub fn check(&self, json: &[u8]) -> Result<(), LimitError> {
        if json.len() as u64 > self.bytes {
            return Err(LimitError::Bytes(self.bytes));
        }
        let (mut tokens, mut depth) = (0, 0_usize);
        let mut rest = json;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'"' => {
                    rest = &rest[string_len(rest, self.string).ok_or(LimitError::String(self.string))?..];
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth = depth.saturating_sub(1);
                    continue;
                }
                b',' | b':' => {}
                _ => continue,
            }
            tokens += 1;
            if depth > self.depth {
                return Err(LimitError::Depth(self.depth));
            }
            if tokens > self.tokens {
                return Err(LimitError::Tokens(self.tokens));
            }
        }
        Ok(())
    }
}

/// Returns the length of a string with its closing quote, or `None` if it exceeds `max` bytes.
fn string_len(text: &[u8], max: usize) -> Option<usize> {
    let mut at = 0;
    loop {
        let found = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest));
        // A string without an end is an error of the parser.
        let end = found.map_or(text.len(), |found| at + found);
        if end > max {
            return None;
        }
        match text.get(end) {
            Some(b'\\') => at = end + 2,
            Some(_) => return Some(end + 1),
            None => return Some(end),
        }
    }
}

fn count(what: &'static str, number: usize, max: usize) -> Result<(), LimitError> {
    if number > max { Err(LimitError::Count { what, max }) } else { Ok(()) }
}

impl CellResult {
    /// Checks the number of entries of every list.
    ///
    /// # Errors
    /// If a list has too many entries.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        check_lists(&self.steps, [&self.inputs, &self.outputs], &self.not_enforced)?;
        self.environment.as_ref().map_or(Ok(()), Environment::check_limits)
    }
}

impl Document {
    /// Checks the number of cells.
    ///
    /// # Errors
    /// If there are too many cells.
    pub fn check_cells(&self) -> Result<(), LimitError> {
        count("cells", self.cells.len(), MAX_CELLS)
    }

    /// Checks the number of entries of every list.
    ///
    /// # Errors
    /// If a list has too many entries.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        self.check_cells()?;
        self.cells.iter().try_for_each(Cell::check_limits)?;
        self.environments.values().try_for_each(Environment::check_limits)
    }
}

impl Cell {
    /// Checks the number of entries of every list.
    ///
    /// # Errors
    /// If a list has too many entries.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        check_lists(&self.steps, [&self.inputs, &self.outputs], &self.not_enforced)
    }
}

/// Checks the lists that a result and the cell of a document share.
fn check_lists(
    steps: &[Step],
    [inputs, outputs]: [&[FileDigest]; 2],
    not_enforced: &[String],
) -> Result<(), LimitError> {
    count("commands", steps.len(), MAX_STEPS)?;
    count("test cases", steps.iter().map(|step| step.cases.len()).sum(), MAX_CASES)?;
    // The last entry may state that files were left out.
    count("input files", inputs.len().saturating_sub(1), MAX_FILES)?;
    count("output files", outputs.len().saturating_sub(1), MAX_FILES)?;
    count("notes about the contract", not_enforced.len(), MAX_NOTES)
}

impl Environment {
    /// Checks the number of entries of every list.
    ///
    /// # Errors
    /// If a list has too many entries.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        count("Python interpreters", self.pythons.len(), MAX_PYTHONS)?;
        for python in &self.pythons {
            let distributions = python.distributions.get().map_or(&[][..], Vec::as_slice);
            count("Python distributions", distributions.len(), MAX_DISTRIBUTIONS)?;
            for distribution in distributions {
                count("modules of a distribution", distribution.modules.len(), MAX_MODULES)?;
                count("requirements of a distribution", distribution.requires.len(), MAX_MODULES)?;
            }
            count("commands of a Python", python.commands.len(), MAX_ENTRIES)?;
            count("entries of a search path", python.path.get().map_or(0, Vec::len), MAX_ENTRIES)?;
        }
        for packages in self.packages.values() {
            count("packages", packages.get().map_or(0, Vec::len), MAX_PACKAGES)?;
        }
        let system = &self.system;
        let installed = [system.tools.len(), system.roots.len(), system.releases.len()];
        installed.into_iter().try_for_each(|number| count("tools or releases", number, MAX_ENTRIES))?;
        let variables = &self.variables;
        let named = [variables.lists.len(), variables.values.len(), variables.names.len()];
        named.into_iter().try_for_each(|number| count("variables", number, MAX_ENTRIES))?;
        variables.lists.values().try_for_each(|list| count("entries of a search path", list.len(), MAX_ENTRIES))?;
        count("site directories", self.runtime.site_paths.len(), MAX_ENTRIES)?;
        count("resource limits", self.imposed.limits.len(), MAX_ENTRIES)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy as _, any, prop, proptest};
    use serde_json::Value;

    use super::{LimitError, Limits};

    const SMALL: Limits = Limits { bytes: 100, tokens: 10, string: 8, depth: 3 };

    #[test]
    fn each_limit_is_named() {
        let check = |json: &str| SMALL.check(json.as_bytes());
        assert_eq!(check(r#"{"a":["12345678",{}]}"#), Ok(()));
        assert_eq!(check(&" ".repeat(101)), Err(LimitError::Bytes(100)));
        assert_eq!(check("[1,2,3,4,5,6,7,8,9,0,1]"), Err(LimitError::Tokens(10)));
        assert_eq!(check(r#"["123456789"]"#), Err(LimitError::String(8)));
        assert_eq!(check(r#"["\"\"\"\"\""]"#), Err(LimitError::String(8)));
        assert_eq!(check(r#"["123456789"#), Err(LimitError::String(8)));
        assert_eq!(check("[[[[]]]]"), Err(LimitError::Depth(3)));
        assert_eq!(check(r#"["[[[[", ",:,:\\"]"#), Ok(()));
    }

    /// Returns the number of values and keys, the depth and the length of the longest string.
    fn measure(value: &Value) -> (usize, usize, usize) {
        let sum = |parts: Vec<(usize, usize, usize)>, own: usize| {
            parts.into_iter().fold((own, 1, 0), |all, part| (all.0 + part.0, all.1.max(part.1 + 1), all.2.max(part.2)))
        };
        match value {
            Value::String(text) => (1, 0, text.len()),
            Value::Array(items) => sum(items.iter().map(measure).collect(), 1),
            Value::Object(map) => {
                let parts = map.iter().map(|(key, value)| {
                    let (number, depth, longest) = measure(value);
                    (number + 1, depth, longest.max(key.len()))
                });
                sum(parts.collect(), 1)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => (1, 0, 0),
        }
    }

    fn json() -> impl proptest::strategy::Strategy<Value = Value> {
        let text = prop::sample::select(vec!["", "a", "\"", "\\", "[{,:", "\u{1b}", "é", "123456789"]);
        let leaf = prop::strategy::Union::new([
            any::<i64>().prop_map(Value::from).boxed(),
            text.clone().prop_map(Value::from).boxed(),
        ]);
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop::strategy::Union::new([
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from).boxed(),
                prop::collection::btree_map(text.clone().prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect()))
                    .boxed(),
            ])
        })
    }

    proptest! {
        #[test]
        fn json_that_passes_is_within_the_limits(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.expect("JSON");
            let (values, depth, longest) = measure(&value);
            if SMALL.check(text.as_bytes()).is_ok() {
                assert!(values <= 2 * SMALL.tokens && depth <= SMALL.depth && longest <= SMALL.string, "{text}");
            } else {
                let limits = Limits { bytes: 1 << 20, tokens: 2 * values, string: 6 * longest, depth };
                assert_eq!(limits.check(text.as_bytes()), Ok(()), "{text}");
            }
        }

        #[test]
        fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = SMALL.check(&bytes);
        }
    }
}
