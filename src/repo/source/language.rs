//! Which language a file is written in.

/// Languages that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Python 2 and 3, Snakefiles included.
    Python,
    /// A Jupyter notebook.
    Notebook,
    /// C, C++ and ROOT macros.
    Cpp,
    /// POSIX shell, bash, zsh, csh.
    Shell,
    /// YAML, workflows of CI systems among it.
    Yaml,
    /// JSON.
    Json,
    /// TOML.
    Toml,
    /// INI and its kin: `.cfg`, `.conf`, `.ini`.
    Ini,
    /// A Dockerfile or Containerfile.
    Docker,
    /// An Apptainer or Singularity definition.
    Apptainer,
    /// A description of an HTCondor job: `.jdl`, `.sub`, `.submit`, `.condor`.
    Submit,
    /// A Makefile.
    Make,
    /// CMake.
    Cmake,
    /// Requirement files of pip and plain conda lists: one entry a line, `#` starts a comment.
    Requirements,
    /// Lists and tables: `.txt`, `.csv`, `.list`, and what has no other name.
    Data,
    /// Text for people: Markdown, reStructuredText, LaTeX, HTML, licences.
    Prose,
    /// What git and the like ignore, and other files whose paths mean something else.
    Ignore,
    /// What a program wrote: TMVA weights, ROOT dictionaries, logs, dumps.
    Generated,
}

impl Language {
    /// The language of a file, from its path and its first bytes.
    pub fn of(path: &str, head: &[u8]) -> Self {
        let _ = (path, head);
        Self::Data
    }

    /// Whether people write programs or settings in it, so that what stands in it is done.
    pub fn is_code(self) -> bool {
        !matches!(self, Self::Data | Self::Prose | Self::Ignore | Self::Generated)
    }
}
