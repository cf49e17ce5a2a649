//! The Python modules that a repository imports and that somebody else must provide.
//!
//! A scanner of lines, not a parser: it takes files that no Python version would, skips strings and comments, and
//! sees imports inside functions, conditions and `try`.

mod standard;

use std::collections::BTreeSet;

use standard::STANDARD;

use crate::source::FileSet;

/// Maximum number of bytes read of a file.
const MAX_BYTES: u64 = 1 << 20;

/// Names of top-level modules in the repository's Python files and notebooks, sorted, without those of Python itself
/// and those that the repository has.
pub fn modules(files: &dyn FileSet) -> Vec<String> {
    let mut found = BTreeSet::new();
    for path in files.paths() {
        if path.ends_with(".py") {
            found.append(&mut scan(&files.text(path, MAX_BYTES)));
        } else if path.ends_with(".ipynb") {
            found.append(&mut scan(&notebook(&files.text(path, MAX_BYTES))));
        }
    }
    let own = own_modules(files);
    found.retain(|name| !own.contains(name.as_str()) && STANDARD.binary_search(&name.as_str()).is_err());
    found.into_iter().collect()
}

/// Whether Python itself has a module of this name.
pub fn is_standard(name: &str) -> bool {
    STANDARD.binary_search(&name).is_ok()
}

/// Modules that lie in the repository: `x.py` and directories with Python files, anywhere, since tests change the path.
fn own_modules(files: &dyn FileSet) -> BTreeSet<&str> {
    let mut own = BTreeSet::new();
    let paths = files.paths().into_iter().filter(|path| !is_installed(path, files));
    for path in paths.filter_map(|path| path.strip_suffix(".py")) {
        let mut parts = path.rsplit('/');
        own.extend(parts.next());
        own.extend(parts);
    }
    own
}

/// Whether a file can only be imported from where its project is installed: the "src layout" of a package
/// (packaging.python.org, "src layout vs flat layout"). Which version of it the tests get is up to the place.
fn is_installed(path: &str, files: &dyn FileSet) -> bool {
    let Some((package, _)) = path.strip_prefix("src/").and_then(|path| path.split_once('/')) else { return false };
    files.has(&format!("src/{package}/__init__.py"))
        && ["pyproject.toml", "setup.py"].iter().any(|file| files.has(file))
}

/// The code of a notebook's cells (nbformat 4, "Notebook file format"), without lines of IPython's own.
fn notebook(text: &str) -> String {
    let Ok(notebook) = serde_json::from_str::<serde_json::Value>(text) else { return String::new() };
    let mut code = String::new();
    for cell in notebook["cells"].as_array().into_iter().flatten().filter(|cell| cell["cell_type"] == "code") {
        let source = match &cell["source"] {
            serde_json::Value::Array(lines) => lines.iter().filter_map(serde_json::Value::as_str).collect(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        // Another language's cell: `%%bash`, `%%cpp`.
        if source.starts_with("%%") && !["%%time", "%%capture"].iter().any(|magic| source.starts_with(magic)) {
            continue;
        }
        for line in source.lines().filter(|line| !line.trim_start().starts_with(['%', '!', '?'])) {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

/// Names of the top-level modules imported by a text.
fn scan(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for statement in statements(text) {
        // `try: import x`, `if x: import y`: what follows a colon is a statement of its own, and no import holds one.
        for part in statement.split(':') {
            let mut words = part.split_ascii_whitespace();
            match words.next() {
                Some("import") => {
                    let list = part.trim_start().trim_start_matches("import");
                    found.extend(list.split(',').filter_map(top_level));
                }
                Some("from") => {
                    let module = words.next().unwrap_or_default();
                    if words.next() == Some("import") {
                        found.extend(top_level(module));
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// `numpy` of ` numpy.linalg as la`; none for what is no name, such as a relative import.
fn top_level(module: &str) -> Option<String> {
    let name = module.split_ascii_whitespace().next()?.split('.').next()?;
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    (starts && characters.all(|c| c.is_alphanumeric() || c == '_')).then(|| name.to_owned())
}

/// The logical lines of a text: without strings and comments, with continued lines joined, split at semicolons.
fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = String::new();
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut step = c.len_utf8();
        match c {
            '#' => step = rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                step = string_length(rest, c);
                open.push('_');
            }
            '\\' if rest[1..].starts_with(['\n', '\r']) => {
                step = rest.find('\n').map_or(rest.len(), |end| end + 1);
                open.push(' ');
            }
            '(' | '[' | '{' => {
                depth += 1;
                open.push(c);
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                open.push(c);
            }
            '\n' | ';' if depth == 0 => found.push(std::mem::take(&mut open)),
            // A bracket that is never closed must not swallow the file: a statement at the margin ends it.
            '\n' if ["import ", "from ", "def ", "class "].iter().any(|word| rest[1..].starts_with(word)) => {
                depth = 0;
                found.push(std::mem::take(&mut open));
            }
            '\n' | '\r' => open.push(' '),
            c => open.push(c),
        }
        rest = &rest[step..];
    }
    found.push(open);
    found
}

/// Length of the string literal that `text` starts with, its quotes included. One that isn't closed ends with its line.
fn string_length(text: &str, quote: char) -> usize {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let (start, is_triple) = if text.starts_with(&triple) { (3, true) } else { (1, false) };
    let mut escaped = false;
    for (at, c) in text[start..].char_indices() {
        let at = start + at;
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if is_triple && text[at..].starts_with(&triple) {
            return at + 3;
        } else if !is_triple && (c == quote || c == '\n') {
            return if c == quote { at + 1 } else { at };
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{any, proptest};

    use super::{STANDARD, modules, scan};

    fn file(path: &str, text: &str) -> (String, Vec<u8>) {
        (path.to_owned(), text.as_bytes().to_vec())
    }

    fn names(text: &str) -> Vec<String> {
        scan(text).into_iter().collect()
    }

    #[test]
    fn every_form_of_import_is_seen() {
        let text = r"
import numpy.linalg as la, uproot ; import awkward
from coffea.nanoevents import (
    NanoAOD,  # (the
    Base,
)
try: import cupy
except ImportError: cupy = None
def f():
	from hist import Hist
import matplotlib \
    .pyplot
from . import own
from .x import y
";
        assert_eq!(names(text), ["awkward", "coffea", "cupy", "hist", "matplotlib", "numpy", "uproot"]);
    }

    #[test]
    fn strings_and_comments_import_nothing() {
        let text = r#"
'''
import a
'''
# import b
s = 'x\'; import c'
t = r"""
from d import e
"""
print('(')
import f
"#;
        assert_eq!(names(text), ["f"]);
    }

    #[test]
    fn a_bracket_left_open_does_not_hide_what_follows() {
        assert_eq!(names("x = (1,\nimport uproot\n"), ["uproot"]);
    }

    #[test]
    fn own_and_standard_modules_are_left_out_and_notebooks_are_read() {
        let notebook = r#"{"cells":[
            {"cell_type":"code","source":["%matplotlib inline\n","import mplhep, json\n"]},
            {"cell_type":"code","source":"%%bash\nimport nothing"},
            {"cell_type":"markdown","source":["import prose"]}]}"#;
        let files = BTreeMap::from([
            file("a.ipynb", notebook),
            file("lib/helpers.py", ""),
            file("pkg/sub/__init__.py", ""),
            file("src/cuts.py", "import os, vector, helpers, cuts\nfrom pkg.sub import x\n"),
        ]);
        assert_eq!(modules(&files), ["mplhep", "vector"]);
    }

    #[test]
    fn a_package_below_src_comes_from_where_it_is_installed() {
        let files = |project: &str| {
            BTreeMap::from([
                file(project, ""),
                file("src/fitter/__init__.py", ""),
                file("src/fitter/helper.py", ""),
                file("tests/test_a.py", "import fitter, helper"),
            ])
        };
        assert_eq!(modules(&files("pyproject.toml")), ["fitter", "helper"]);
        assert_eq!(modules(&files("README")), Vec::<String>::new());
    }

    #[test]
    fn the_standard_modules_are_sorted() {
        assert!(STANDARD.is_sorted());
    }

    proptest! {
        #[test]
        fn any_text_is_scanned_to_its_end(text in any::<String>(), odd in "[\"'\\\\#()\n a:;import]{0,80}") {
            scan(&text);
            scan(&odd);
        }
    }
}
