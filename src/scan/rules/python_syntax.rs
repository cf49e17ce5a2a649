//! Syntax that the Python of a facility, or the one that is declared, doesn't have.

mod module;

use super::context::FileInput;
use super::python_range::brings_python;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Reach, Severity};
use crate::source::lang::fact::Call;
use crate::source::lang::language::Language;

/// `match x:` for Python 3.9, `print x` for Python 3.
pub(super) static RULE: Rule = Rule {
    id: "python-syntax",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "syntax is used that the Python of a facility doesn't have",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Compares the newest syntax of a file with the Pythons of the facilities and with the oldest Python that the repository declares.
Finds programs for Python 2: by their syntax, by a module that Python 3 doesn't have (`ConfigParser`), or by calls of functions that
it doesn't have (`raw_input`, `xrange`).

## Why it breaks elsewhere

A file with syntax that a Python doesn't know can't be imported there at all, whatever the part that is used.

## Example

```python
print \"done\"
match channel:
    case \"mumu\": ...
```

## How to fix

Declare the Python that is needed (`requires-python`), and bring it with the environment. Move Python 2 programs to Python 3
(`2to3` does most of it); one that imports `ConfigParser`, `commands` or `urllib2` is such a program.

## Limits

Functions of newer standard libraries are not looked at. Where the Pythons of a facility aren't known nothing is said of it.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    if matches!(input.language, Language::Shell | Language::Make) {
        let message = "this is Python 2: Python 3 can't parse it";
        let help = "move it to Python 3, or let the shell do it";
        reports.extend(facts.python2.iter().map(|range| Diagnostic::at(range, message).help(help)));
        return;
    }
    if !matches!(input.language, Language::Python | Language::Notebook) {
        return;
    }
    if let Some(range) = &facts.python2 {
        // A notebook may only say that its kernel was Python 2; its code may be both.
        let (severity, message) = match input.language {
            Language::Notebook => (Severity::Warning, "this notebook was written for Python 2"),
            _ => (Severity::Error, "this is Python 2: it can't be parsed by Python 3"),
        };
        reports.push(
            Diagnostic::at(range, message)
                .severity(severity)
                .reach(without_python2(input))
                .help("move it to Python 3: 2to3 does most of it"),
        );
        return;
    }
    reports.extend(old_names(input));
    if let Some(report) = module::gone(input) {
        reports.push(report);
        return;
    }
    let Some(newest) = facts.syntax.iter().max_by_key(|syntax| syntax.since) else { return };
    let (major, minor) = newest.since;
    let mut reach = Reach::default();
    for target in input.world.targets.iter().filter(|target| !target.pythons.is_empty()) {
        let has = target.pythons.iter().any(|python| *python >= newest.since);
        if has { &mut reach.works } else { &mut reach.breaks }.push(target.id.clone());
    }
    let declared = input.world.oldest_pythons().find(|(range, oldest)| {
        let is_older = major == 3 && oldest.is_some_and(|oldest| oldest < minor);
        let has_start = || range.constraint.split(',').any(|part| part.trim().starts_with(['>', '=', '~', '^']));
        is_older && !brings_python(&range.path) && has_start()
    });
    let declared = declared.map(|(range, _)| range);
    if reach.breaks.is_empty() && declared.is_none() {
        return;
    }
    let everywhere = reach.works.is_empty() && !reach.breaks.is_empty();
    let message = match declared {
        Some(range) if reach.breaks.is_empty() => {
            format!(
                "{} needs Python {major}.{minor}, and {} allows older ones (`{}`)",
                newest.what, range.path, range.constraint
            )
        }
        _ => format!("{} needs Python {major}.{minor}, which {} does not have", newest.what, reach.breaks.join(", ")),
    };
    reports.push(
        Diagnostic::at(&newest.range, message)
            .severity(match (everywhere, reach.breaks.is_empty()) {
                (true, _) => Severity::Error,
                (false, false) => Severity::Warning,
                // Nobody has that Python any more; the declaration is wrong all the same.
                (false, true) => Severity::Note,
            })
            .confidence(Confidence::Medium)
            .reach(reach)
            .group(newest.what)
            .help("declare the Python that is needed and bring it along, or write it the older way"),
    );
}

/// The facilities whose Pythons are known, and none of them is a Python 2.
fn without_python2(input: &FileInput<'_>) -> Reach {
    let breaks = input.world.targets.iter().filter(|one| one.pythons.iter().all(|python| python.0 >= 3));
    let breaks = breaks.filter(|one| !one.pythons.is_empty()).map(|one| one.id.clone()).collect();
    Reach { breaks, works: Vec::new() }
}

/// Functions of Python 2 that went away.
const OLD_NAMES: &[&str] = &["execfile", "raw_input", "unichr", "xrange"];
/// What a program for both Pythons has somewhere.
const BOTH: &[&str] =
    &["NameError", "version_info", "PY2", "PY3", "six", "builtins", "future.utils", "future_builtins"];

/// The first call of each function that only Python 2 has, in a program that isn't written for both.
fn old_names(input: &FileInput<'_>) -> Vec<Diagnostic> {
    let has = |what: &str| has(input, what);
    let calls = &input.view.facts.calls;
    let is_bound = |name: &str| {
        has(&format!("def {name}"))
            || has(&format!("{name} ="))
            || has(&format!("{name}="))
            || has(&format!("import {name}"))
    };
    let first = |name: &&str| calls.iter().find(|call| call.name == **name);
    let found = OLD_NAMES.iter().filter(|name| !is_bound(name)).filter_map(first);
    let found: Vec<_> = found.collect();
    if found.is_empty() || is_for_both(input) {
        return Vec::new();
    }
    let report = |call: &Call| {
        let message = format!("`{}` is a function of Python 2 that Python 3 doesn't have", call.name);
        Diagnostic::at(&call.range, message).group(call.name.clone()).help("move it to Python 3: 2to3 does most of it")
    };
    found.into_iter().map(report).collect()
}

fn has(input: &FileInput<'_>, what: &str) -> bool {
    memchr::memmem::find(input.view.text.as_bytes(), what.as_bytes()).is_some()
}

fn is_for_both(input: &FileInput<'_>) -> bool {
    BOTH.iter().any(|sign| has(input, sign))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::RULE;
    use crate::model::finding::Severity::Warning;

    #[test]
    fn functions_that_only_python_2_has_are_told_unless_the_program_is_for_both() {
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
