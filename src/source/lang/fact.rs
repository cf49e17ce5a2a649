//! Facts that a parser extracts from a file. All ranges are byte offsets in the text of the view.

use std::collections::BTreeSet;
use std::ops::Range;

/// The facts of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The interpreter line without `#!`.
    pub shebang: Option<Word>,
    /// Imported modules.
    pub imports: Vec<Import>,
    /// Calls of functions and constructors.
    pub calls: Vec<Call>,
    /// Shell commands from shell files, `RUN` lines, CI jobs, Makefiles and strings passed to a shell.
    pub commands: Vec<Command>,
    /// Keys with values, from job descriptions, CI files, configuration, `export` and dictionaries.
    pub settings: Vec<Setting>,
    /// Container images that the file runs.
    pub images: Vec<Word>,
    /// Uses of newer Python syntax, at most one for each version.
    pub syntax: Vec<Syntax>,
    /// The first Python 2 syntax. `None` if the file has none.
    pub python2: Option<Range<usize>>,
    /// Files that the program includes, runs or reads: `#include "x.h"`, `source x.sh`, `gROOT.LoadMacro("x")`, `open("x")`.
    pub references: Vec<Reference>,
    /// The names that a Python module defines. `None` if they are unknown or the file is not a Python module.
    pub names: Option<Names>,
}

/// Names that a module defines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Names bound by statements of the module, including conditional ones.
    pub bound: BTreeSet<String>,
    /// Attributes assigned to other objects, which may be modules: `other.name = …`.
    pub assigned_attributes: BTreeSet<String>,
}

/// A text with its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text without quotes. Variables are not expanded.
    pub text: String,
    /// Range in the text of the view.
    pub range: Range<usize>,
}

/// An imported module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Dotted name. A relative import begins with dots.
    pub module: String,
    /// Imported names (`from x import a, b`).
    pub names: Vec<String>,
    /// Range in the text of the view.
    pub range: Range<usize>,
    /// Whether the program may work without it: inside `try` with a handler, or conditional.
    pub is_optional: bool,
    /// Whether it is executed when the file is imported, outside functions.
    pub runs_at_import: bool,
}

/// A call of a function or constructor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Dotted name as written in the source.
    pub name: String,
    /// Range of the name.
    pub range: Range<usize>,
    /// Range of the call with its arguments.
    pub full_range: Range<usize>,
    /// Positional arguments. `None` for an argument that is not a literal.
    pub arguments: Vec<Option<Word>>,
    /// Keyword arguments. `None` for a value that is not a literal.
    pub keywords: Vec<(String, Option<Word>)>,
    /// Whether it is in a branch (`if`, `except`, `match`).
    pub is_conditional: bool,
    /// Whether it is executed on import: outside functions and outside `if __name__ == "__main__"`.
    pub runs_at_import: bool,
}

/// A shell command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Words of the command, starting with its name. Assignments before the name are settings.
    pub words: Vec<Word>,
    /// Range from the first word to the last.
    pub range: Range<usize>,
    /// The context of the command.
    pub host: Host,
    /// Whether it is conditional (`if`, `&&`, `||`, `case`).
    pub is_conditional: bool,
}

/// The context of a shell command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host {
    /// A shell script.
    Script,
    /// An image build: `RUN`, `%post`.
    Build,
    /// A CI job or a workflow step.
    Job,
    /// A Makefile recipe.
    Recipe,
    /// A string in a program, or a notebook line that starts with `!`.
    Program,
}

/// A key with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Kind of the key.
    pub dialect: Dialect,
    /// The key, with its parent keys in nested formats: `+JobFlavour`, `--partition`, `jobs.a.image`.
    pub key: String,
    /// The value without quotes. Empty if it is not a literal.
    pub value: Word,
    /// Range from the key to the value.
    pub range: Range<usize>,
}

/// The kind of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// An HTCondor job description: `request_cpus = 1`, `+JobFlavour = "workday"`.
    HtCondor,
    /// An option of a batch system: `#SBATCH`, `#PBS`, `#BSUB`, `#$`, `#COBALT`.
    Batch,
    /// An environment or shell variable: `export X=…`, `X=…`, `setenv X …`, `os.environ["X"] = …`, `ENV X …`.
    Variable,
    /// A keyword argument or a dictionary entry in a program.
    Program,
    /// A key of a YAML, JSON, TOML or INI file.
    Config,
}

/// A use of syntax that older Python versions do not support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// First Python version that supports it, as major and minor: `(3, 10)`.
    pub since: (u8, u8),
    /// Description of the syntax: ``a `match` statement``.
    pub description: &'static str,
    /// Range of the first use.
    pub range: Range<usize>,
}

/// A reference to another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Path as written, relative or absolute.
    pub path: String,
    /// Range in the text of the view.
    pub range: Range<usize>,
    /// Use of the file.
    pub usage: Usage,
}

/// The use of a referenced file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Usage {
    /// Compiled or executed: `#include "…"`, `LoadMacro`, `source`, a started script.
    Code,
    /// Opened for reading.
    Data,
}
