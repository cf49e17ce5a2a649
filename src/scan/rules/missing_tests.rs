//! Analyses without tests.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::workflow::test_file::is_test;

/// The rule `missing-tests`: no file looks like a test.
pub(super) static RULE: Rule = Rule {
    id: "missing-tests",
    severity: Severity::Note,
    confidence: Confidence::Medium,
    summary: "no tests, so `carnet check` cannot verify that the analysis runs elsewhere",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Reports a repository without tests: no `test_*.py`, no `tests` directory, no `CTestTestfile` or `add_test`, and no `[test]` in
`carnet.toml`.

## Why it breaks elsewhere

`carnet check` runs the tests inside the image of each facility. Without tests it can only verify that the image exists.

## Example

A repository of notebooks and processors without a `tests` directory.

## How to fix

Add a test that runs the processor over a hundred events of a small file in the repository. This is enough to find most differences
between facilities.

## Limits

A test script with a different name is not recognized. List it in `[test] run`.
";

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let has_code = input
        .context
        .paths
        .iter()
        .any(|path| [".py", ".ipynb", ".C", ".cxx", ".cc", ".cpp", ".sh"].iter().any(|end| path.ends_with(end)));
    if has_code && !input.context.tested && !input.context.paths.iter().any(|path| is_test(path)) {
        let help = "add a test that processes a few events, or set `[test] run` in carnet.toml";
        diagnostics.push(
            Diagnostic::in_file(".", 0, "repository has no tests").help(help).identity("the repository has no tests"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::facility::Catalogue;
    use crate::model::inventory::Inventory;
    use crate::scan::rules::context::RuleContext;
    use crate::scan::rules::testing::nothing;

    fn found(paths: &[&str], tested: bool) -> usize {
        let catalogue = Catalogue::builtin();
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut context = RuleContext::new(catalogue, Vec::new(), paths, Inventory::default());
        context.tested = tested;
        let mut diagnostics = Vec::new();
        check(&nothing(&context), &mut diagnostics);
        diagnostics.len()
    }

    #[test]
    fn tests_are_found_by_path_or_configuration() {
        assert_eq!(found(&["fit.py", "run.sh"], false), 1);
        assert_eq!(found(&["fit.py", "run.sh"], true), 0);
        assert_eq!(found(&["fit.py", "tests/fit.py"], false), 0);
        assert_eq!(found(&["README.md"], false), 0);
    }
}
