//! What a parser tells of a file beyond its strings. All ranges are bytes of the view's text.

use std::collections::BTreeSet;
use std::ops::Range;

/// Facts of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The interpreter line, without `#!`.
    pub shebang: Option<Word>,
    /// Modules that are imported.
    pub imports: Vec<Import>,
    /// Calls of functions and constructors.
    pub calls: Vec<Call>,
    /// Commands of a shell: of shell files, of `RUN` lines, of CI jobs, of Makefiles, of strings given to a shell.
    pub commands: Vec<Command>,
    /// Keys with values: job descriptions, CI files, configuration, `export`, entries of dictionaries.
    pub settings: Vec<Setting>,
    /// Images that are named to run something in them.
    pub images: Vec<Word>,
    /// The newest Python syntax that is used: its version, what it is, where. At most one a version.
    pub syntax: Vec<Syntax>,
    /// Whether the file is Python 2.
    pub python2: Option<Range<usize>>,
    /// Files that are included: `#include "x.h"`, `source x.sh`, `exec(open("x"))`, `gROOT.LoadMacro("x")`, opened for reading.
    pub references: Vec<Reference>,
    /// The names that a module of Python has once it is imported; none when they can't be known, and of anything else.
    pub names: Option<Names>,
}

/// Names of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Those that its own statements bind, under any condition.
    pub bound: BTreeSet<String>,
    /// Those that it gives to something else, which may be a module: `other.name = …`.
    pub given: BTreeSet<String>,
}

/// A piece of text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text, unquoted; variables as written.
    pub text: String,
    /// Where.
    pub range: Range<usize>,
}

/// An imported module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Dotted name; relative ones begin with their dots.
    pub module: String,
    /// Names taken from it (`from x import a, b`).
    pub names: Vec<String>,
    /// Where.
    pub range: Range<usize>,
    /// Whether the program goes on without it: inside `try` with a handler, or behind a condition.
    pub is_optional: bool,
    /// Whether it runs when the file is imported, not only when a function is called.
    pub at_top: bool,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Dotted name as written.
    pub name: String,
    /// The name alone.
    pub range: Range<usize>,
    /// The whole call.
    pub whole: Range<usize>,
    /// Literal positional arguments, by position; none for what is no literal.
    pub arguments: Vec<Option<Word>>,
    /// Keyword arguments; the value is none when it is no literal.
    pub keywords: Vec<(String, Option<Word>)>,
    /// Whether it stands below a condition, in a branch that need not be taken (an `if`, an `except`, a `match`).
    pub is_conditional: bool,
    /// Whether it runs when the file is imported: outside functions and outside `if __name__ == "__main__"`.
    pub at_import: bool,
}

/// A command of a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its words, the name first; assignments before the name are settings.
    pub words: Vec<Word>,
    /// From the first word to the last.
    pub range: Range<usize>,
    /// Where it stands.
    pub host: Host,
    /// Whether it stands below a condition (`if`, `&&`, `||`, `case`).
    pub is_conditional: bool,
}

/// What holds a shell command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host {
    /// A shell script.
    Script,
    /// A build of an image: `RUN`, `%post`.
    Build,
    /// A job of a CI system, a step of a workflow.
    Job,
    /// A recipe of a Makefile.
    Recipe,
    /// A string in a program, or a line of a notebook that begins with `!`.
    Program,
}

/// A key with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What kind of key it is.
    pub dialect: Dialect,
    /// The key as written, with the path of its parents where the format has them: `+JobFlavour`, `--partition`, `jobs.a.image`.
    pub key: String,
    /// The value, unquoted; empty when it is no literal.
    pub value: Word,
    /// From the key to the value.
    pub range: Range<usize>,
}

/// What kind of key a setting has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// A description of an HTCondor job: `request_cpus = 1`, `+JobFlavour = "workday"`.
    Condor,
    /// `#SBATCH`, `#PBS`, `#BSUB`, `#$`, `#COBALT`: the key is the option.
    Batch,
    /// `export X=…`, `X=…`, `setenv X …`, `os.environ["X"] = …`, `ENV X …`.
    Variable,
    /// A keyword argument or an entry of a dictionary in a program.
    Program,
    /// YAML, JSON, TOML, INI.
    Config,
}

/// A use of syntax that older Pythons don't have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// First version that has it: `(3, 10)`.
    pub since: (u8, u8),
    /// What it is: `a match statement`.
    pub what: &'static str,
    /// The first place.
    pub range: Range<usize>,
}

/// A file that another needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Path as written: relative or absolute.
    pub path: String,
    /// Where.
    pub range: Range<usize>,
    /// What it is used for.
    pub usage: Usage,
}

/// What a file is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Usage {
    /// Compiled or run as a part of the program: `#include "…"`, `LoadMacro`, `source`, a script that is started.
    Code,
    /// Opened for reading.
    Data,
}
