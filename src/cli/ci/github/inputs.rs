//! The inputs of the action, from the variables `INPUT_*`. Empty variables count as unset.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum as _;

use super::super::super::fail_on::FailOn;
use super::super::super::output::DEFAULT_OUT;
use crate::error::{Failure, Kind};
use crate::model::engine::EngineKind;

/// The mode of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Scan the analysis and run all cells on this runner.
    Check,
    /// Only scan the analysis.
    Scan,
    /// Plan the cells as jobs.
    Plan,
    /// Run the selected cells, as a job of a matrix.
    Cell,
    /// Merge the documents of the jobs of a matrix.
    Merge,
}

impl Mode {
    const ALL: [(&'static str, Self); 5] = [
        ("check", Self::Check),
        ("scan", Self::Scan),
        ("plan", Self::Plan),
        ("cell", Self::Cell),
        ("merge", Self::Merge),
    ];
}

/// How to run cells in their image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Engine {
    /// With the first available engine that supports the image.
    Auto,
    /// With this engine.
    Named(String),
    /// Without an engine: the step runs in the image already, as in a job with `container:`.
    None,
}

impl Engine {
    /// Returns the name of the selected engine.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Auto | Self::None => None,
        }
    }
}

/// The inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inputs {
    pub(super) mode: Mode,
    /// Directory of the analysis.
    pub(super) path: PathBuf,
    /// Names of cells or facilities; empty means all.
    pub(super) cells: BTreeSet<String>,
    pub(super) engine: Engine,
    pub(super) jobs: Option<u16>,
    pub(super) fail_on: FailOn,
    /// Directory for the reports.
    pub(super) out: PathBuf,
    /// Directory of the documents of other jobs.
    pub(super) documents: Option<PathBuf>,
    pub(super) annotations: bool,
    pub(super) summary: bool,
}

/// An invalid input.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid input `{name}`: `{}`", value.escape_debug())]
pub(super) struct InputError {
    name: &'static str,
    value: String,
    hint: String,
}

impl Failure for InputError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

impl Inputs {
    /// Reads the inputs with a function that returns the value of a variable.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InputError> {
        let input = |name: &'static str| Input {
            name,
            value: variable(&format!("INPUT_{}", name.to_uppercase().replace('-', "_")))
                .map(|value| value.trim().to_owned())
                .unwrap_or_default(),
        };
        let modes = Mode::ALL.map(|(name, _)| name);
        let mode = input("mode").one_of(&modes)?;
        let mode = Mode::ALL.into_iter().find(|(name, _)| *name == mode).map_or(Mode::Check, |(_, mode)| mode);
        let engines: Vec<&str> = ["auto"].into_iter().chain(EngineKind::image_engines()).chain(["none"]).collect();
        let engine = match input("engine").one_of(&engines)? {
            "auto" => Engine::Auto,
            "none" => Engine::None,
            name => Engine::Named(name.to_owned()),
        };
        let fail_on = input("fail-on").one_of(&["error", "warning", "never"])?;
        let inputs = Self {
            mode,
            path: input("path").path()?.unwrap_or_else(|| PathBuf::from(".")),
            cells: input("cells").names()?,
            engine,
            jobs: input("jobs").number()?,
            fail_on: FailOn::from_str(fail_on, false).unwrap_or_default(),
            out: input("out").path()?.unwrap_or_else(|| PathBuf::from(DEFAULT_OUT)),
            documents: input("documents").path()?,
            annotations: input("annotations").boolean(true)?,
            // The job that merges the documents adds a summary of all cells.
            summary: input("summary").boolean(mode != Mode::Cell)?,
        };
        inputs.validate()
    }

    /// Checks the combination of inputs.
    fn validate(self) -> Result<Self, InputError> {
        let invalid =
            |name, value: &str, hint: &str| Err(InputError { name, value: value.to_owned(), hint: hint.to_owned() });
        // The report directory is ignored by git, so it must not contain the analysis.
        if self.out.canonicalize().is_ok_and(|out| self.path.canonicalize().is_ok_and(|path| path.starts_with(out))) {
            return invalid("out", &self.out.to_string_lossy(), "use a directory that does not contain the analysis");
        }
        match self.mode {
            Mode::Cell if self.cells.is_empty() => {
                invalid("cells", "", "mode `cell` requires the names of cells, e.g. `${{ matrix.cells }}`")
            }
            Mode::Merge if self.documents.is_none() => {
                invalid("documents", "", "mode `merge` requires the directory with the downloaded documents")
            }
            Mode::Check if self.engine == Engine::None && self.cells.len() != 1 => {
                invalid("engine", "none", "`engine: none` requires mode `cell` and the name of one cell in `cells`")
            }
            _ => Ok(self),
        }
    }

    /// Reports whether cells run in the current environment.
    pub(super) fn is_in_place(&self) -> bool {
        self.engine == Engine::None
    }
}

/// The value of one input.
struct Input {
    name: &'static str,
    value: String,
}

impl Input {
    fn invalid<T>(&self, hint: impl Into<String>) -> Result<T, InputError> {
        Err(InputError { name: self.name, value: self.value.chars().take(200).collect(), hint: hint.into() })
    }

    /// Returns the matching word; the first one if the input is empty.
    fn one_of<'a>(&self, words: &[&'a str]) -> Result<&'a str, InputError> {
        if let Some(default) = words.first().filter(|_| self.value.is_empty()) {
            return Ok(default);
        }
        match words.iter().find(|word| **word == self.value) {
            Some(word) => Ok(word),
            None => self.invalid(format!("expected one of {}", words.join(", "))),
        }
    }

    fn path(&self) -> Result<Option<PathBuf>, InputError> {
        if self.value.chars().any(char::is_control) {
            return self.invalid("expected a path without control characters");
        }
        Ok((!self.value.is_empty()).then(|| PathBuf::from(&self.value)))
    }

    /// Returns the names, separated by whitespace or commas.
    fn names(&self) -> Result<BTreeSet<String>, InputError> {
        let names = self.value.split(|c: char| c.is_whitespace() || c == ',').filter(|name| !name.is_empty());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        match names.iter().all(|name| name.chars().all(is_plain)) {
            true => Ok(names),
            false => self.invalid("expected names of cells or facilities in carnet.toml, separated by spaces"),
        }
    }

    fn number(&self) -> Result<Option<u16>, InputError> {
        match self.value.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ if self.value.is_empty() => Ok(None),
            _ => self.invalid("expected a number of at least 1"),
        }
    }

    fn boolean(&self, default: bool) -> Result<bool, InputError> {
        match self.value.to_ascii_lowercase().as_str() {
            "" => Ok(default),
            "true" => Ok(true),
            "false" => Ok(false),
            _ => self.invalid("expected true or false"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Engine, InputError, Inputs, Mode};

    fn read(given: &[(&str, &str)]) -> Result<Inputs, InputError> {
        let variables: BTreeMap<&str, &str> = given.iter().copied().collect();
        Inputs::read(|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn empty_inputs_check_everything() {
        let inputs = read(&[("INPUT_CELLS", ""), ("INPUT_FAIL_ON", " \n")]).unwrap();
        assert_eq!((inputs.mode, inputs.engine, inputs.cells.len()), (Mode::Check, Engine::Auto, 0));
        assert_eq!(inputs.out.to_str(), Some("carnet-out"));
        assert!(inputs.annotations && inputs.summary);
    }

    #[test]
    fn cells_are_separated_by_spaces_commas_or_lines() {
        let inputs = read(&[("INPUT_MODE", "cell"), ("INPUT_CELLS", "a b/worker,\n c\n")]).unwrap();
        assert_eq!(inputs.cells.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b/worker", "c"]);
        assert!(!inputs.summary, "the merge job adds the summary");
    }

    #[test]
    fn commands_and_control_characters_are_rejected() {
        for (name, value) in [
            ("INPUT_MODE", "$(id)"),
            ("INPUT_ENGINE", "--help"),
            ("INPUT_CELLS", "$(touch x)"),
            ("INPUT_CELLS", "a`id`"),
            ("INPUT_PATH", "a\nstatus=passed"),
            ("INPUT_OUT", "a\r::error::x"),
            ("INPUT_JOBS", "0"),
            ("INPUT_JOBS", "2;id"),
            ("INPUT_FAIL_ON", "ERROR"),
            ("INPUT_ANNOTATIONS", "yes"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(!error.to_string().contains(['\n', '\r']), "{name}: {error}");
            assert!(!error.hint.is_empty());
        }
    }

    #[test]
    fn modes_require_their_inputs() {
        let incomplete = [
            ("INPUT_MODE", "cell"),
            ("INPUT_MODE", "merge"),
            ("INPUT_ENGINE", "none"),
            ("INPUT_OUT", ".."),
            ("INPUT_OUT", "./"),
        ];
        for given in incomplete.map(|input| [input]) {
            read(&given).unwrap_err();
        }
        let inputs = read(&[("INPUT_MODE", "cell"), ("INPUT_CELLS", "a"), ("INPUT_ENGINE", "none")]).unwrap();
        assert!(inputs.is_in_place());
    }
}
