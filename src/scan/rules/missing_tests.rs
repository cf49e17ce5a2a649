//! Analyses without a test.

use super::context::RepositoryInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::workflow::test_file::is_test;

/// No file looks like a test.
pub(super) static RULE: Rule = Rule {
    id: "missing-tests",
    severity: Severity::Note,
    confidence: Confidence::Medium,
    summary: "the repository has no tests, so nothing can show that it runs elsewhere",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Says when no file of the repository looks like a test: no `test_*.py`, no directory `tests`, no `CTestTestfile` or `add_test`, no
`[test]` in `carnet.toml`.

## Why it breaks elsewhere

`carnet check` runs the tests inside each facility's image. Without one it can only say that the image is there.

## Example

A repository of notebooks and processors without a `tests` directory.

## How to fix

One test that runs the processor over a hundred events of a small file in the repository is enough to find most of what differs
between facilities.

## Limits

A script that is meant as a test but not named like one is not known; name it under `[test] run`.
";

fn check(input: &RepositoryInput<'_>, reports: &mut Vec<Diagnostic>) {
    let has_code = input
        .world
        .paths
        .iter()
        .any(|path| [".py", ".ipynb", ".C", ".cxx", ".cc", ".cpp", ".sh"].iter().any(|end| path.ends_with(end)));
    if has_code && !input.world.tested && !input.world.paths.iter().any(|path| is_test(path)) {
        let help = "add one that runs over a few events; carnet init shows how it is found";
        reports.push(Diagnostic::of(".", 0, "the repository has no tests").help(help));
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
        let mut world = RuleContext::new(catalogue, Vec::new(), paths, Inventory::default());
        world.tested = tested;
        let mut reports = Vec::new();
        check(&nothing(&world), &mut reports);
        reports.len()
    }

    #[test]
    fn tests_are_files_or_named_in_the_configuration() {
        assert_eq!(found(&["fit.py", "run.sh"], false), 1);
        assert_eq!(found(&["fit.py", "run.sh"], true), 0);
        assert_eq!(found(&["fit.py", "tests/fit.py"], false), 0);
        assert_eq!(found(&["README.md"], false), 0);
    }
}
