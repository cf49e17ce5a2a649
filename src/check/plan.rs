//! Determines the test commands of an analysis.

use crate::config::{Config, Facility};
use crate::model::contract::Contract;
use crate::model::plan::{TestCommand, TestKind};
use crate::model::reference::Reference;
use crate::source::git::commit::Commit;
use crate::source::git::tree::Listing;
use crate::source::workflow::detect;

/// Returns the configured test commands, or the detected ones if none are configured.
pub(super) fn tests(config: &Config, listing: &Listing) -> Vec<TestCommand> {
    configured(config).unwrap_or_else(|| detect::tests(listing))
}

/// Returns the configured test commands, or `None` if they must be detected.
fn configured(config: &Config) -> Option<Vec<TestCommand>> {
    if config.test.run.is_empty() {
        return None;
    }
    let mut tests: Vec<TestCommand> = Vec::new();
    for (kind, run) in &config.test.run {
        let stem = name(*kind, run);
        let same = tests.iter().filter(|test| test.name == stem || test.name.starts_with(&format!("{stem}-"))).count();
        let name = if same == 0 { stem } else { format!("{stem}-{}", same + 1) };
        tests.push(TestCommand { name, kind: *kind, run: run.clone() });
    }
    Some(tests)
}

/// Returns the test commands of an analysis in a commit.
pub(crate) fn tests_in_commit(config: &Config, commit: &Commit) -> Vec<TestCommand> {
    configured(config).unwrap_or_else(|| detect::tests(commit))
}

/// Returns the facility of an analysis that configures none: the current machine.
pub(super) fn this_machine() -> Facility {
    Facility {
        id: "host".to_owned(),
        role: None,
        image: Reference::Host,
        written: "host".to_owned(),
        engine: Some("host".to_owned()),
        contract: Contract::default(),
        expect: None,
    }
}

/// Reports whether a word has the extension of a program. A `+` after a macro makes ROOT compile it.
fn is_program(word: &str) -> bool {
    let extensions = [".py", ".sh", ".C", ".cxx", ".cpp", ".cc", ".c", ".ipynb", ".jl", ".R", ".pl"];
    extensions.iter().any(|extension| word.trim_end_matches('+').ends_with(extension))
}

/// Returns a short name for a command: the program it starts.
fn name(kind: TestKind, run: &str) -> String {
    let program = match kind {
        TestKind::Pytest => "pytest",
        TestKind::Unittest => "unittest",
        TestKind::Ctest => "ctest",
        TestKind::Make => "make",
        TestKind::RootMacro | TestKind::Script | TestKind::Command => {
            let mut words =
                run.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '(' | ';' | '&' | '|' | ')'));
            let first = words.clone().find(|word| !word.is_empty());
            let word = words.find(|word| is_program(word)).or(first);
            word.and_then(|word| word.trim_end_matches('+').rsplit('/').next()).unwrap_or("command")
        }
    };
    let sanitize = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    program.chars().map(sanitize).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::name;
    use crate::model::plan::TestKind;

    #[test]
    fn command_is_named_after_its_program() {
        for (run, expected) in [
            ("root -b -q 'code/gendata.C(20000,\"results/data.root\")'", "gendata.C"),
            ("mkdir -p out.d && root -l -b -q fit.C++", "fit.C"),
            ("./tests/run-all.sh --fast", "run-all.sh"),
            ("python3 -u scripts/check.py data/in.root", "check.py"),
            ("make.sh; ls", "make.sh"),
            ("snakemake --cores 1 out/plot.png", "snakemake"),
            ("", "command"),
        ] {
            assert_eq!(name(TestKind::of_command(run), run), expected, "{run}");
        }
    }
}
