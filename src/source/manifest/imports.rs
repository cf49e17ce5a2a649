//! The third-party Python modules that a repository imports.

mod standard;

use std::collections::BTreeSet;

use standard::{PYTHON2, STANDARD};

use crate::source::FileSet;
use crate::source::foreign::is_foreign;
use crate::source::lang;
use crate::source::lang::language::Language;

/// Maximum number of bytes read of a Python file.
const MAX_PYTHON_BYTES: u64 = 1 << 20;
/// Maximum number of bytes read of a notebook. Most of a large notebook are outputs, which the reader skips.
const MAX_NOTEBOOK_BYTES: u64 = 8 << 20;
/// Maximum number of bytes parsed of all files together. In a larger repository, the imports of the last files are unknown.
const MAX_TOTAL_BYTES: usize = 64 << 20;

/// Returns the top-level modules that Python files and notebooks import, sorted, without the standard library and the
/// repository's own modules.
pub fn modules(files: &dyn FileSet) -> Vec<String> {
    let paths: BTreeSet<&str> = files.paths().into_iter().filter(|path| !is_foreign(path)).collect();
    let mut modules = BTreeSet::new();
    let mut total = 0;
    for path in &paths {
        let (language, max_bytes) = match path.rsplit_once('.') {
            Some((_, "py")) => (Language::Python, MAX_PYTHON_BYTES),
            Some((_, "ipynb")) => (Language::Notebook, MAX_NOTEBOOK_BYTES),
            _ => continue,
        };
        let Some(bytes) = files.read(path, max_bytes) else { continue };
        // Parsing takes much longer than this search.
        if memchr::memmem::find(&bytes, b"import").is_none() {
            continue;
        }
        total += bytes.len();
        if total > MAX_TOTAL_BYTES {
            break;
        }
        let view = lang::read(language, &bytes);
        modules.extend(view.facts.imports.iter().filter_map(|import| top_level(&import.module)));
    }
    let own = own_modules(&paths);
    modules.retain(|name| !own.contains(name.as_str()) && !is_standard(name));
    modules.into_iter().collect()
}

/// Reports whether the standard library has a module of this name.
pub fn is_standard(name: &str) -> bool {
    STANDARD.binary_search(&name).is_ok() || is_python2_only(name)
}

/// Reports whether Python 3 removed or renamed this module of Python 2.
pub fn is_python2_only(name: &str) -> bool {
    PYTHON2.binary_search(&name).is_ok()
}

/// Returns `numpy` for `numpy.linalg`. `None` for a relative import and for anything that is not a name.
fn top_level(module: &str) -> Option<String> {
    let name = module.split('.').next()?;
    let mut characters = name.chars();
    let has_start = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    (has_start && characters.all(|c| c.is_alphanumeric() || c == '_')).then(|| name.to_owned())
}

/// Returns the modules in the repository: `x.py` and directories with Python files, at any depth, because tests change the
/// import path.
fn own_modules<'a>(paths: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let is_project = paths.contains("pyproject.toml") || paths.contains("setup.py");
    let mut own = BTreeSet::new();
    for path in paths.iter().filter(|path| !(is_project && is_in_src_layout(path, paths))) {
        own.extend(path.strip_suffix(".py").into_iter().flat_map(|module| module.split('/')));
    }
    own
}

/// Reports whether a file is in a package of the "src layout" (packaging.python.org, "src layout vs flat layout"). Such a
/// package can only be imported after it is installed, so the facility decides its version.
fn is_in_src_layout(path: &str, paths: &BTreeSet<&str>) -> bool {
    let package = path.strip_prefix("src/").and_then(|path| path.split_once('/')).map(|(package, _)| package);
    package.is_some_and(|package| paths.contains(format!("src/{package}/__init__.py").as_str()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{PYTHON2, STANDARD, modules};

    fn imported(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        modules(&files)
    }

    #[test]
    fn every_form_of_import_is_found() {
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
        let expected = ["awkward", "coffea", "cupy", "hist", "matplotlib", "numpy", "uproot"];
        assert_eq!(imported(&[("a.py", text)]), expected);
    }

    #[test]
    fn strings_and_comments_are_not_imports() {
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
        assert_eq!(imported(&[("x.py", text)]), ["f"]);
    }

    #[test]
    fn imports_after_syntax_errors_are_found() {
        assert_eq!(imported(&[("a.py", "x = (1,\nimport uproot\n")]), ["uproot"]);
        assert_eq!(
            imported(&[("a.py", "import coffea\nprint 'x'\nexec y in z\nimport uproot\n")]),
            ["coffea", "uproot"]
        );
    }

    #[test]
    fn own_and_standard_modules_are_left_out_and_notebooks_are_read() {
        let notebook = r#"{"cells":[
            {"cell_type":"code","source":["%matplotlib inline\n","import mplhep, json\n"]},
            {"cell_type":"code","source":"%%bash\nimport nothing"},
            {"cell_type":"markdown","source":["import prose"]}]}"#;
        let cuts = "import os, vector, helpers, cuts\nfrom pkg.sub import x\n";
        let files = [("a.ipynb", notebook), ("lib/helpers.py", ""), ("pkg/sub/__init__.py", ""), ("src/cuts.py", cuts)];
        assert_eq!(imported(&files), ["mplhep", "vector"]);
    }

    #[test]
    fn package_in_src_layout_is_not_an_own_module() {
        let imports = |project: &'static str| {
            let test = ("tests/test_a.py", "import fitter, helper");
            imported(&[(project, ""), ("src/fitter/__init__.py", ""), ("src/fitter/helper.py", ""), test])
        };
        assert_eq!(imports("pyproject.toml"), ["fitter", "helper"]);
        assert_eq!(imports("README"), Vec::<String>::new());
    }

    #[test]
    fn standard_modules_are_sorted() {
        assert!(STANDARD.is_sorted() && PYTHON2.is_sorted());
    }
}
