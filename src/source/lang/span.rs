//! Strings, values and comments of a text.

use std::ops::Range;

/// A part of a view's text that is not code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Bytes of the text: the content, without quotes and comment signs.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// What it is used for.
    pub role: Role,
    /// Whether its value begins here: false behind a placeholder (`f"{base}/data"`), behind `+` or `/`, and for an argument
    /// after the first of a call that joins paths. A `/` at the start of such a text makes no absolute path.
    pub is_head: bool,
    /// What it belongs to: the path of keys in a configuration (`jobs.test.container`), the keyword of an argument, the
    /// variable it is assigned to, the key of a dictionary entry.
    pub name: Option<String>,
    /// The call it is an argument of, dotted as written: `os.path.join`, `parser.add_argument`.
    pub call: Option<String>,
}

/// What a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A comment.
    Comment,
    /// A string that is a statement of its own: documentation.
    Docstring,
    /// A string of a program, or the literal part of a formatted one.
    Text,
    /// A value of a configuration.
    Value,
    /// A key of a configuration or a dictionary.
    Key,
    /// A word of a shell command, an argument of a directive.
    Word,
    /// Text for people inside a file of another language: a Markdown file is one span of this.
    Prose,
}

/// What a string is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Nothing special.
    #[default]
    Plain,
    /// A default that the caller can override: `default=` of argparse, click and law, a default of a parameter,
    /// `${VAR:-…}`, `get(key, …)`, `pop(key, …)`.
    Default,
    /// Text shown to people: help, description, printed, logged, raised, `echo`.
    Shown,
    /// Compared, searched for, replaced or asked whether it is there: `in`, `==`, `startswith`, `replace`, `isdir`, `test -d`.
    Guard,
    /// A regular expression.
    Pattern,
    /// A path inside an image: instructions of a Dockerfile, steps that name a container, right sides of binds.
    Inside,
}

impl Span {
    /// Whether what stands here is carried out: not a comment, a docstring, a text for people or a regular expression.
    pub fn is_active(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Value | Kind::Word)
            && !matches!(self.role, Role::Shown | Role::Pattern | Role::Inside)
    }
}
