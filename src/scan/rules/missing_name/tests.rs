use super::RULE;
use crate::model::finding::Severity;
use crate::scan::rules::testing::repository_diagnostics;

/// Returns the names that are reported for a repository of these files.
fn missing(files: &[(&str, &str)]) -> Vec<String> {
    let diagnostics = repository_diagnostics(&RULE, files);
    let name = |message: &str| message.split('`').nth(3).unwrap_or_default().to_owned();
    diagnostics.iter().map(|diagnostic| name(&diagnostic.message)).collect()
}

const PACKAGE: &str = "from .version import __version__\nfrom .vbf import Vbf\n";

#[test]
fn name_that_package_does_not_export_is_reported() {
    let files = [
        ("boosted/__init__.py", PACKAGE),
        ("boosted/version.py", "__version__ = '1'\n"),
        ("boosted/vbf.py", "class Vbf: pass\nclass Plot: pass\n"),
        ("scripts/run.py", "import os\nfrom boosted import Vbf, vbf, Plot, __version__, __path__\n"),
        ("scripts/a.ipynb", r#"{"cells":[{"cell_type":"code","source":["from boosted.vbf import Hbb"]}]}"#),
    ];
    let diagnostics = repository_diagnostics(&RULE, &files);
    assert_eq!(missing(&files), ["Hbb", "Plot"]);
    assert_eq!(
        (diagnostics[1].line, diagnostics[1].help.as_deref()),
        (2, Some("import it from boosted/vbf.py, which defines it"))
    );
    assert_eq!(diagnostics[1].severity, Some(Severity::Error));
    assert_eq!(
        diagnostics[1].message,
        "`boosted` has no name `Plot`: boosted/__init__.py neither defines nor imports it"
    );
}

#[test]
fn importing_file_is_not_suggested_as_source() {
    let diagnostics = repository_diagnostics(&RULE, &[("t/a.py", "from b import c\n"), ("t/b.py", "")]);
    assert_eq!(diagnostics[0].help.as_deref(), Some("add it to the module, or remove the code that uses it"));
}

#[test]
fn relative_imports_are_resolved_from_their_file() {
    let files = |text: &'static str| {
        [
            ("a/p/__init__.py", ""),
            ("a/p/x.py", "def f(): pass\n"),
            ("a/p/q/__init__.py", ""),
            ("a/p/q/y.py", text),
            ("b/p/x.py", "def g(): pass\n"),
        ]
    };
    assert_eq!(missing(&files("from ..x import f, g\nfrom .. import x, z\nfrom . import y, w\n")), ["g", "z", "w"]);
    assert_eq!(missing(&files("from ......x import g\nfrom .y import g\n")), Vec::<String>::new());
}

#[test]
fn import_in_function_is_warning_and_optional_import_is_skipped() {
    let text = "def f():\n  from p import a\ntry:\n  from p import b\nexcept ImportError:\n  b = None\nif f:\n  from p import c\n";
    let diagnostics = repository_diagnostics(&RULE, &[("p/__init__.py", ""), ("run.py", text)]);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].severity, Some(Severity::Warning));
}

#[test]
fn incompletely_known_modules_are_skipped() {
    let run = ("run.py", "from p import a\n");
    for files in [
        &[("p/__init__.py", "from .x import *\n")][..],
        &[("p/__init__.py", "def __getattr__(name): pass\n")],
        &[("p/__init__.py", "a = = 1\n")],
        &[("p/x.py", "")],
        &[("p/__init__.py", ""), ("p/a.py", "")],
        &[("p/__init__.py", ""), ("p/a/x.txt", "")],
        &[("p/__init__.py", ""), ("p/a.cpython-39-x86_64-linux-gnu.so", "")],
        &[("p/__init__.py", ""), ("p/__init__.pyi", "")],
        &[("p/__init__.py", ""), ("p.pyi", "")],
        &[("p.py", ""), ("p.pyx", "")],
        &[("p.py", ""), ("p.cpython-39-x86_64-linux-gnu.so", "")],
        &[("p.py", ""), ("p/data.txt", "")],
        &[("p/__init__.py", ""), ("other/p/__init__.py", "a = 1\n")],
        &[("p/__init__.py", ""), ("other/p/x.py", "")],
        &[("deep/inside/p/__init__.py", "")],
        &[("p/__init__.py", ""), ("conftest.py", "import p\np.a = 1\n")],
        &[("p/__init__.py", "__all__ = ['a']\n")],
        // A build may add a compiled module with any name.
        &[("p/__init__.py", ""), ("CMakeLists.txt", ""), ("src/bind.cpp", "")],
        &[("p/__init__.py", ""), ("setup.py", ""), ("src/bind.cpp", "")],
        &[("p/__init__.py", ""), ("p/fast.pyx", "")],
    ] {
        let files: Vec<_> = files.iter().copied().chain([run]).collect();
        assert_eq!(missing(&files), Vec::<String>::new(), "{files:?}");
    }
    assert_eq!(missing(&[("p/__init__.py", ""), run]), ["a"]);
    let class = ("run.py", "from p import Fit\n");
    assert_eq!(missing(&[("p/__init__.py", ""), ("CMakeLists.txt", ""), class]), ["Fit"]);
    assert_eq!(missing(&[("p.py", ""), ("p.txt", ""), run]), ["a"]);
}

#[test]
fn modules_that_packages_provide_are_skipped() {
    for name in ["statistics", "yaml", "ROOT", "coffea"] {
        let (path, text) = (format!("{name}/__init__.py"), format!("from {name} import a\n"));
        assert_eq!(missing(&[(&path, ""), ("run.py", &text)]), Vec::<String>::new(), "{name}");
    }
    let declared = [("p/__init__.py", ""), ("run.py", "from p import a\n"), ("requirements.txt", "p==1\n")];
    assert_eq!(missing(&declared), Vec::<String>::new());
}
