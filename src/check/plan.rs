//! From the configuration and the repository to what each cell does.

use crate::config::{Config, Facility};
use crate::model::contract::Contract;
use crate::model::plan::{TestCommand, TestKind};
use crate::model::reference::Reference;
use crate::source::git::commit::Commit;
use crate::source::git::tree::Listing;
use crate::source::workflow::detect;

/// The test commands: those of the configuration, else the detected ones.
pub(super) fn tests(config: &Config, listing: &Listing) -> Vec<TestCommand> {
    configured(config).unwrap_or_else(|| detect::tests(listing))
}

/// The test commands that the configuration names; none when they are to be detected.
pub(super) fn configured(config: &Config) -> Option<Vec<TestCommand>> {
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

/// The test commands that an analysis has in a commit.
pub(crate) fn tests_of(config: &Config, commit: &Commit) -> Vec<TestCommand> {
    configured(config).unwrap_or_else(|| detect::tests(commit))
}

/// The only cell of an analysis that names no facility.
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

/// Whether a word names a file that is run, by its ending; ROOT compiles a macro with `+` after it.
fn is_program(word: &str) -> bool {
    let ends = [".py", ".sh", ".C", ".cxx", ".cpp", ".cc", ".c", ".ipynb", ".jl", ".R", ".pl"];
    ends.iter().any(|end| word.trim_end_matches('+').ends_with(end))
}

/// A short name for a command: what it starts.
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
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    program.chars().map(fine).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::name;
    use crate::model::plan::TestKind;

    #[test]
    fn a_command_is_called_by_what_it_runs() {
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
