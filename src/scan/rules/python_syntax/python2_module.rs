//! Modules that Python 3 removed or renamed.

use super::super::Diagnostic;
use super::super::context::FileInput;
use crate::model::finding::Severity;
use crate::source::lang::language::Language;
use crate::source::manifest::imports::is_python2_only;

/// Reports the first import of a Python 2 module in a program that Python 3 can parse.
pub(super) fn check(input: &FileInput<'_>) -> Option<Diagnostic> {
    let facts = &input.view.facts;
    let is_own = |name: &str| {
        let is_part = |part: &str| part.strip_suffix(".py").unwrap_or(part) == name;
        input.context.paths.iter().any(|path| path.split('/').any(is_part))
    };
    let modules = facts
        .imports
        .iter()
        .filter(|import| !import.is_optional && is_python2_only(&import.module) && !is_own(&import.module));
    let (range, name) = modules.map(|import| (&import.range, import.module.as_str())).next()?;
    if super::supports_both(input) {
        return None;
    }
    let message = format!("Python 3 has no module `{name}`");
    let severity = match input.language {
        Language::Notebook => Severity::Warning,
        _ => Severity::Error,
    };
    let diagnostic = Diagnostic::at(range, message).severity(severity).reach(super::without_python2(input));
    Some(diagnostic.help("port it to Python 3; 2to3 does most of the work"))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{diagnostics_among, severities};
    use super::super::RULE;
    use crate::model::finding::Severity::Error;

    #[test]
    fn python2_module_is_error() {
        assert_eq!(severities(&RULE, "a.py", "import ConfigParser\nprint('x')\n"), [Error]);
        assert_eq!(severities(&RULE, "a.py", "import os, commands\n"), [Error]);
    }

    #[test]
    fn programs_for_both_versions_are_skipped() {
        let both = "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle\n";
        assert_eq!(severities(&RULE, "a.py", both), []);
        assert_eq!(severities(&RULE, "a.py", "import sys\nif sys.version_info[0] < 3:\n    import urllib2\n"), []);
        assert_eq!(severities(&RULE, "a.py", "import queue\nx.commands()\n"), []);
        assert_eq!(diagnostics_among(&RULE, "a.py", "import commands\n", &["lib/commands.py"]).len(), 0);
        assert_eq!(diagnostics_among(&RULE, "a.py", "import commands\n", &["lib/commands/a.py"]).len(), 0);
        assert_eq!(diagnostics_among(&RULE, "a.py", "import commands\n", &["lib/mycommands.py"]).len(), 1);
    }
}
