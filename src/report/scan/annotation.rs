//! Annotations of GitHub Actions: workflow commands on standard output.
//!
//! A step shows ten errors, ten warnings and ten notices, and drops the others without a word: of more, the first nine are
//! written and a last one tells how many there are. What is written is escaped as the runner reads it, so that no text of a
//! repository begins a line or ends a property.

use std::fmt::Write as _;

use crate::model::text::one_line;

/// Annotations of one kind that a step shows.
const MAX_OF_A_KIND: usize = 10;

/// How loud one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Level {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Neither.
    Notice,
}

impl Level {
    const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "note",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Annotation {
    pub(in super::super) level: Level,
    /// Where, when it is about a line.
    pub(in super::super) place: Option<SourceRange>,
    pub(in super::super) title: String,
    pub(in super::super) text: String,
}

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct SourceRange {
    /// Path from the top of the repository.
    pub(in super::super) file: String,
    /// Line, counted from 1.
    pub(in super::super) line: u64,
    /// Last line, when known.
    pub(in super::super) end_line: Option<u64>,
    /// First column and the one behind the last, when it is on one line.
    pub(in super::super) columns: Option<(u32, u32)>,
}

/// One command a line, kind by kind; `rest` says where those are that a step would not show.
pub(in super::super) fn render(annotations: &[Annotation], rest: &str) -> String {
    let mut out = String::new();
    for level in Level::ALL {
        let of_kind: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.level == level).collect();
        let shown = if of_kind.len() > MAX_OF_A_KIND { MAX_OF_A_KIND - 1 } else { of_kind.len() };
        for annotation in &of_kind[..shown] {
            out.push_str(&command(annotation));
        }
        if shown < of_kind.len() {
            let (more, name, word) = (of_kind.len() - shown, level.command(), level.word());
            // Writing into a string can't fail.
            let _ = writeln!(out, "::{name} title=carnet::{}", data(&format!("{more} more {word}s: {rest}")));
        }
    }
    out
}

fn command(annotation: &Annotation) -> String {
    let mut place = String::new();
    if let Some(at) = &annotation.place {
        place = format!("file={},line={},", property(&at.file), at.line.max(1));
        if let Some(end) = at.end_line {
            let _ = write!(place, "endLine={},", end.max(at.line));
        }
        if let Some((from, to)) = at.columns {
            let _ = write!(place, "col={from},endColumn={},", to.max(from));
        }
    }
    let title = property(&one_line(&annotation.title, 100));
    format!("::{} {place}title={title}::{}\n", annotation.level.command(), data(&annotation.text))
}

/// Text of a command. The older form of commands, `##[…]`, is looked for anywhere in a line.
pub(in super::super) fn data(text: &str) -> String {
    let text = one_line(text, 4000).replace("##[", "## [");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Value of a property: the path as it is, apart from what would steer a terminal.
fn property(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("##[", "## [").chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            ':' => out.push_str("%3A"),
            ',' => out.push_str("%2C"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
