//! Modules that Python 3 doesn't have.

use super::super::Diagnostic;
use super::super::context::FileInput;
use crate::model::finding::Severity;
use crate::source::lang::language::Language;

/// Modules of Python 2 that Python 3 has under other names, sorted.
const OLD_MODULES: &[&str] = &[
    "BaseHTTPServer",
    "ConfigParser",
    "Cookie",
    "HTMLParser",
    "Queue",
    "SimpleHTTPServer",
    "SocketServer",
    "StringIO",
    "Tkinter",
    "__builtin__",
    "cPickle",
    "cStringIO",
    "commands",
    "cookielib",
    "httplib",
    "md5",
    "sets",
    "urllib2",
    "urlparse",
];

/// A module of Python 2 in a program that Python 3 can read.
pub(super) fn gone(input: &FileInput<'_>) -> Option<Diagnostic> {
    let facts = &input.view.facts;
    let is_own = |name: &str| {
        let is_part = |part: &str| part.strip_suffix(".py").unwrap_or(part) == name;
        input.world.paths.iter().any(|path| path.split('/').any(is_part))
    };
    let modules = facts.imports.iter().filter(|import| {
        !import.is_optional && OLD_MODULES.binary_search(&import.module.as_str()).is_ok() && !is_own(&import.module)
    });
    let (range, name) = modules.map(|import| (&import.range, import.module.as_str())).next()?;
    if super::is_for_both(input) {
        return None;
    }
    let message = format!("this is Python 2: Python 3 has no `{name}`");
    let severity = match input.language {
        Language::Notebook => Severity::Warning,
        _ => Severity::Error,
    };
    let report = Diagnostic::at(range, message).severity(severity).reach(super::without_python2(input));
    Some(report.help("move it to Python 3: 2to3 does most of it"))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{reports_among, severities};
    use super::super::RULE;
    use super::OLD_MODULES;
    use crate::model::finding::Severity::Error;

    #[test]
    fn a_module_of_python_2_makes_a_program_one_for_it() {
        assert_eq!(severities(&RULE, "a.py", "import ConfigParser\nprint('x')\n"), [Error]);
        assert_eq!(severities(&RULE, "a.py", "import os, commands\n"), [Error]);
    }

    #[test]
    fn a_program_for_both_pythons_is_none_for_one() {
        let both = "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle\n";
        assert_eq!(severities(&RULE, "a.py", both), []);
        assert_eq!(severities(&RULE, "a.py", "import sys\nif sys.version_info[0] < 3:\n    import urllib2\n"), []);
        assert_eq!(severities(&RULE, "a.py", "import queue\nx.commands()\n"), []);
        assert_eq!(reports_among(&RULE, "a.py", "import commands\n", &["lib/commands.py"]).len(), 0);
        assert_eq!(reports_among(&RULE, "a.py", "import commands\n", &["lib/commands/a.py"]).len(), 0);
        assert_eq!(reports_among(&RULE, "a.py", "import commands\n", &["lib/mycommands.py"]).len(), 1);
    }

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(OLD_MODULES.is_sorted());
    }
}
