//! Syntax that a facility's Python or the declared Python does not support.

mod python2_module;

use super::context::FileInput;
use super::python_range::includes_python;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Reach, Severity};
use crate::source::lang::fact::Call;
use crate::source::lang::language::Language;

/// The rule `python-syntax`: `match x:` for Python 3.9, `print x` for Python 3.
pub(super) static RULE: Rule = Rule {
    id: "python-syntax",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "syntax that the Python of a facility does not support",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Compares the newest syntax of a file with the Python versions of the facilities and with the oldest Python that the repository
declares. Finds Python 2 programs by their syntax, by imports of modules that Python 3 removed (`ConfigParser`), and by calls of
functions that it removed (`raw_input`, `xrange`).

## Why it breaks elsewhere

A Python that does not support the syntax of a file cannot import the file at all, no matter which part of it is used.

## Example

```python
print \"done\"
match channel:
    case \"mumu\": ...
```

## How to fix

Declare the required Python (`requires-python`), and provide it with the environment. Port Python 2 programs to Python 3; `2to3` does
most of the work.

## Limits

Functions of newer standard libraries are not checked. Facilities with unknown Python versions are not compared.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    if matches!(input.language, Language::Shell | Language::Make) {
        let message = "Python 2 syntax, which Python 3 cannot parse";
        let help = "port it to Python 3, or rewrite it in the shell";
        diagnostics.extend(facts.python2.iter().map(|range| Diagnostic::at(range, message).help(help)));
        return;
    }
    if !matches!(input.language, Language::Python | Language::Notebook) {
        return;
    }
    if let Some(range) = &facts.python2 {
        // The metadata of a notebook may state a Python 2 kernel although its code runs with both versions.
        let (severity, message) = match input.language {
            Language::Notebook => (Severity::Warning, "notebook was written for Python 2"),
            _ => (Severity::Error, "Python 2 syntax, which Python 3 cannot parse"),
        };
        diagnostics.push(
            Diagnostic::at(range, message)
                .severity(severity)
                .reach(without_python2(input))
                .help("port it to Python 3; 2to3 does most of the work"),
        );
        return;
    }
    diagnostics.extend(python2_functions(input));
    if let Some(diagnostic) = python2_module::check(input) {
        diagnostics.push(diagnostic);
        return;
    }
    let Some(newest) = facts.syntax.iter().max_by_key(|syntax| syntax.since) else { return };
    let (major, minor) = newest.since;
    let mut reach = Reach::default();
    for target in input.context.targets.iter().filter(|target| !target.pythons.is_empty()) {
        let has = target.pythons.iter().any(|python| *python >= newest.since);
        if has { &mut reach.works } else { &mut reach.breaks }.push(target.id.clone());
    }
    let declared = input.context.oldest_pythons().find(|(range, oldest)| {
        let is_older = major == 3 && oldest.is_some_and(|oldest| oldest < minor);
        let has_start = || range.constraint.split(',').any(|part| part.trim().starts_with(['>', '=', '~', '^']));
        is_older && !includes_python(&range.path) && has_start()
    });
    let declared = declared.map(|(range, _)| range);
    if reach.breaks.is_empty() && declared.is_none() {
        return;
    }
    let everywhere = reach.works.is_empty() && !reach.breaks.is_empty();
    let message = match declared {
        Some(range) if reach.breaks.is_empty() => {
            format!(
                "{} requires Python {major}.{minor}, but {} allows older versions (`{}`)",
                newest.description, range.path, range.constraint
            )
        }
        _ => format!(
            "{} requires Python {major}.{minor}, which is not available at {}",
            newest.description,
            reach.breaks.join(", ")
        ),
    };
    diagnostics.push(
        Diagnostic::at(&newest.range, message)
            .severity(match (everywhere, reach.breaks.is_empty()) {
                (true, _) => Severity::Error,
                (false, false) => Severity::Warning,
                // Every facility has a newer Python, but the declaration is wrong.
                (false, true) => Severity::Note,
            })
            .confidence(Confidence::Medium)
            .reach(reach)
            .group(newest.description)
            .help("declare the required Python and provide it with the environment, or use older syntax"),
    );
}

/// Returns the facilities with known Python versions that provide no Python 2.
fn without_python2(input: &FileInput<'_>) -> Reach {
    let breaks = input.context.targets.iter().filter(|facility| facility.pythons.iter().all(|python| python.0 >= 3));
    let breaks = breaks.filter(|facility| !facility.pythons.is_empty()).map(|facility| facility.id.clone()).collect();
    Reach { breaks, works: Vec::new() }
}

/// Functions that Python 3 removed.
const PYTHON2_FUNCTIONS: &[&str] = &["execfile", "raw_input", "unichr", "xrange"];
/// Texts that occur in programs for both Python 2 and 3.
const COMPATIBILITY_SIGNS: &[&str] =
    &["NameError", "version_info", "PY2", "PY3", "six", "builtins", "future.utils", "future_builtins"];

/// Reports the first call of each function that only Python 2 has, unless the program supports both versions.
fn python2_functions(input: &FileInput<'_>) -> Vec<Diagnostic> {
    let has = |what: &str| has(input, what);
    let calls = &input.view.facts.calls;
    let is_bound = |name: &str| {
        has(&format!("def {name}"))
            || has(&format!("{name} ="))
            || has(&format!("{name}="))
            || has(&format!("import {name}"))
    };
    let first = |name: &&str| calls.iter().find(|call| call.name == **name);
    let found = PYTHON2_FUNCTIONS.iter().filter(|name| !is_bound(name)).filter_map(first);
    let found: Vec<_> = found.collect();
    if found.is_empty() || supports_both(input) {
        return Vec::new();
    }
    let diagnostic = |call: &Call| {
        let message = format!("Python 3 has no function `{}`", call.name);
        Diagnostic::at(&call.range, message)
            .group(call.name.clone())
            .help("port it to Python 3; 2to3 does most of the work")
    };
    found.into_iter().map(diagnostic).collect()
}

fn has(input: &FileInput<'_>, what: &str) -> bool {
    memchr::memmem::find(input.view.text.as_bytes(), what.as_bytes()).is_some()
}

fn supports_both(input: &FileInput<'_>) -> bool {
    COMPATIBILITY_SIGNS.iter().any(|sign| has(input, sign))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::RULE;
    use crate::model::finding::Severity::Warning;

    #[test]
    fn python2_functions_are_reported_unless_program_supports_both() {
        let text = "for n in xrange(3):\n    raw_input('go on')\nfor n in xrange(3):\n    pass\n";
        assert_eq!(severities(&RULE, "run.py", text), [Warning, Warning]);
        let both = "try:\n    xrange\nexcept NameError:\n    xrange = range\nfor n in xrange(3):\n    pass\n";
        assert_eq!(severities(&RULE, "run.py", both), []);
        let script = "#!/bin/sh\nmod=`python -c \"print int($n.0%$each)\"`\npython -c 'print 1'\n";
        assert_eq!(severities(&RULE, "run.sh", script), [Warning]);
        assert_eq!(severities(&RULE, "run.sh", "#!/bin/sh\npython -c 'print(1)'\n"), []);
        assert_eq!(severities(&RULE, "run.py", "# raw_input('x')\nself.raw_input('x')\n"), []);
    }
}
