//! Spans: the strings, values and comments of a text.

use std::ops::Range;

/// A part of the text of a view that is not code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Range of the content, without quotes and comment signs.
    pub range: Range<usize>,
    /// Syntactic kind.
    pub kind: Kind,
    /// Use of the content.
    pub role: Role,
    /// Whether the value starts here. False after a placeholder (`f"{base}/data"`), after `+` or `/`, and for all but the first
    /// argument of a call that joins paths. A leading `/` of such a span does not start an absolute path.
    pub is_head: bool,
    /// Name of the value: the key path in a configuration (`jobs.test.container`), the keyword of an argument, the variable
    /// it is assigned to, or the key of a dictionary entry.
    pub name: Option<String>,
    /// Dotted name of the call that it is an argument of: `os.path.join`, `parser.add_argument`.
    pub call: Option<String>,
}

/// The syntactic kind of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A comment.
    Comment,
    /// A docstring: a string that is a statement.
    Docstring,
    /// A string of a program, or a literal part of a formatted string.
    Text,
    /// A value in a configuration file.
    Value,
    /// A key in a configuration file or a dictionary.
    Key,
    /// A word of a shell command or an argument of a directive.
    Word,
    /// Prose. A Markdown file is one span of this kind.
    Prose,
}

/// The use of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// No specific use.
    #[default]
    Plain,
    /// A default that can be overridden: `default=` of argparse, click and law, a parameter default, `${VAR:-…}`,
    /// `get(key, …)`, `pop(key, …)`.
    Default,
    /// Text displayed to users: help, descriptions, printed, logged and raised messages, `echo`.
    Shown,
    /// Compared, searched for, replaced or tested for existence: `in`, `==`, `startswith`, `replace`, `isdir`, `test -d`.
    Guard,
    /// A regular expression.
    Pattern,
    /// A path inside an image: in a Dockerfile, in a step with a container, on the right side of a bind mount.
    Inside,
}

impl Span {
    /// Reports whether the content takes effect: it is not a comment, a docstring, displayed text or a regular expression.
    pub fn is_active(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Value | Kind::Word)
            && !matches!(self.role, Role::Shown | Role::Pattern | Role::Inside)
    }
}
