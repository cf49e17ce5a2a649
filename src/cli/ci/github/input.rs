//! The inputs of the action, each the variable `INPUT_*` that its step is given. An empty one is one that was not said.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum as _;

use super::super::super::fail_on::FailOn;
use crate::error::{Failure, Kind};
use crate::model::engine::EngineKind;

/// What the step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Audit and all cells, on this machine.
    Check,
    /// The audit alone.
    Scan,
    /// The cells as jobs.
    Plan,
    /// The cells named, as one job of a matrix.
    Cell,
    /// What the jobs of a matrix brought, as one report.
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

/// How cells get into their image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Engine {
    /// The first that works and can take the image.
    Auto,
    /// This one.
    Named(String),
    /// None: the step stands in the image already, as a job with `container:` does.
    None,
}

impl Engine {
    /// The engine that was named.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Auto | Self::None => None,
        }
    }
}

/// All inputs.
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
    /// Directory with the documents of other jobs.
    pub(super) documents: Option<PathBuf>,
    pub(super) annotations: bool,
    pub(super) summary: bool,
}

/// An input that can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("input `{name}` is `{}`", value.escape_debug())]
pub(super) struct InputError {
    name: &'static str,
    value: String,
    wanted: String,
}

impl Failure for InputError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.wanted.clone())
    }
}

impl Inputs {
    /// Reads them by their variables' names.
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
            out: input("out").path()?.unwrap_or_else(|| PathBuf::from("carnet-out")),
            documents: input("documents").path()?,
            annotations: input("annotations").switch(true)?,
            // The job that merges tells of all cells at once; that of a single cell would only say it twice.
            summary: input("summary").switch(mode != Mode::Cell)?,
        };
        inputs.fit()
    }

    /// Inputs that ask for each other.
    fn fit(self) -> Result<Self, InputError> {
        let refuse = |name, value: &str, wanted: &str| {
            Err(InputError { name, value: value.to_owned(), wanted: wanted.to_owned() })
        };
        // The directory for reports hides itself from git, and must not hide the analysis.
        if self.out.canonicalize().is_ok_and(|out| self.path.canonicalize().is_ok_and(|path| path.starts_with(out))) {
            return refuse("out", &self.out.to_string_lossy(), "reports want a directory of their own");
        }
        match self.mode {
            Mode::Cell if self.cells.is_empty() => {
                refuse("cells", "", "mode cell wants the names of cells: ${{ matrix.cells }} of a plan")
            }
            Mode::Merge if self.documents.is_none() => refuse(
                "documents",
                "",
                "mode merge wants the directory into which the documents of the cells were downloaded",
            ),
            Mode::Check if self.engine == Engine::None && self.cells.len() != 1 => refuse(
                "engine",
                "none",
                "with engine none the step stands in the image of one cell: name it with `cells`, in mode cell",
            ),
            _ => Ok(self),
        }
    }

    /// Whether cells are run where the step stands.
    pub(super) fn in_place(&self) -> bool {
        self.engine == Engine::None
    }
}

struct Input {
    name: &'static str,
    value: String,
}

impl Input {
    fn refuse<T>(&self, wanted: impl Into<String>) -> Result<T, InputError> {
        Err(InputError { name: self.name, value: self.value.chars().take(200).collect(), wanted: wanted.into() })
    }

    /// One of these words; the first when nothing was said.
    fn one_of<'a>(&self, known: &[&'a str]) -> Result<&'a str, InputError> {
        if let Some(default) = known.first().filter(|_| self.value.is_empty()) {
            return Ok(default);
        }
        match known.iter().find(|word| **word == self.value) {
            Some(word) => Ok(word),
            None => self.refuse(format!("it is one of {}", known.join(", "))),
        }
    }

    fn path(&self) -> Result<Option<PathBuf>, InputError> {
        if self.value.chars().any(char::is_control) {
            return self.refuse("it is the path of one directory, on one line");
        }
        Ok((!self.value.is_empty()).then(|| PathBuf::from(&self.value)))
    }

    /// Names between spaces, commas and line breaks.
    fn names(&self) -> Result<BTreeSet<String>, InputError> {
        let names = self.value.split(|c: char| c.is_whitespace() || c == ',').filter(|name| !name.is_empty());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        match names.iter().all(|name| name.chars().all(plain)) {
            true => Ok(names),
            false => self.refuse("it holds names of cells or facilities of carnet.toml, separated by spaces"),
        }
    }

    fn number(&self) -> Result<Option<u16>, InputError> {
        match self.value.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ if self.value.is_empty() => Ok(None),
            _ => self.refuse("it is a number of cells, from 1 on"),
        }
    }

    fn switch(&self, default: bool) -> Result<bool, InputError> {
        match self.value.to_ascii_lowercase().as_str() {
            "" => Ok(default),
            "true" => Ok(true),
            "false" => Ok(false),
            _ => self.refuse("it is true or false"),
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
    fn nothing_said_is_a_check_of_everything() {
        let inputs = read(&[("INPUT_CELLS", ""), ("INPUT_FAIL_ON", " \n")]).unwrap();
        assert_eq!((inputs.mode, inputs.engine, inputs.cells.len()), (Mode::Check, Engine::Auto, 0));
        assert_eq!(inputs.out.to_str(), Some("carnet-out"));
        assert!(inputs.annotations && inputs.summary);
    }

    #[test]
    fn cells_come_in_a_line_or_in_several() {
        let inputs = read(&[("INPUT_MODE", "cell"), ("INPUT_CELLS", "a b/worker,\n c\n")]).unwrap();
        assert_eq!(inputs.cells.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b/worker", "c"]);
        assert!(!inputs.summary, "the job that merges tells it");
    }

    #[test]
    fn what_could_be_a_command_or_another_line_is_refused() {
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
            assert!(!error.wanted.is_empty());
        }
    }

    #[test]
    fn modes_ask_for_what_they_need() {
        let alone = [
            ("INPUT_MODE", "cell"),
            ("INPUT_MODE", "merge"),
            ("INPUT_ENGINE", "none"),
            ("INPUT_OUT", ".."),
            ("INPUT_OUT", "./"),
        ];
        for given in alone.map(|input| [input]) {
            read(&given).unwrap_err();
        }
        let inputs = read(&[("INPUT_MODE", "cell"), ("INPUT_CELLS", "a"), ("INPUT_ENGINE", "none")]).unwrap();
        assert!(inputs.in_place());
    }
}
