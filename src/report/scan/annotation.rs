//! GitHub Actions annotations: workflow commands on standard output.
//!
//! A step shows ten errors, ten warnings and ten notices, and drops the rest silently. If there are more, the first nine are
//! written, and a last annotation counts the rest. Text is escaped as the runner requires it, so that text of a repository
//! cannot begin a command or end a property.

use std::fmt::Write as _;

use crate::model::text::{count, one_line};

/// Maximum number of annotations of one level that a step shows.
const MAX_PER_LEVEL: usize = 10;

/// Level of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Level {
    /// Shown as an error.
    Error,
    /// Shown as a warning.
    Warning,
    /// Shown as a notice.
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

/// An annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Annotation {
    pub(in super::super) level: Level,
    /// Position in a file; `None` if the annotation is not about a file.
    pub(in super::super) range: Option<SourceRange>,
    pub(in super::super) title: String,
    pub(in super::super) text: String,
}

/// A position in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct SourceRange {
    /// Path relative to the top of the repository.
    pub(in super::super) file: String,
    /// Line, counted from 1.
    pub(in super::super) line: u64,
    /// Last line, if known.
    pub(in super::super) end_line: Option<u64>,
    /// First column and the column after the last, if the range is on one line.
    pub(in super::super) columns: Option<(u32, u32)>,
}

/// Renders one command per line, level by level. `rest` names the reports with the annotations that a step does not show.
pub(in super::super) fn render(annotations: &[Annotation], rest: &str) -> String {
    let mut out = String::new();
    for level in Level::ALL {
        let of_level: Vec<&Annotation> = annotations.iter().filter(|annotation| annotation.level == level).collect();
        let shown = if of_level.len() > MAX_PER_LEVEL { MAX_PER_LEVEL - 1 } else { of_level.len() };
        for annotation in &of_level[..shown] {
            out.push_str(&command(annotation));
        }
        if shown < of_level.len() {
            let (more, name, word) = (of_level.len() - shown, level.command(), level.word());
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "::{name} title=carnet::{}",
                data(&format!("{}: {rest}", count(more, &format!("more {word}"))))
            );
        }
    }
    out
}

fn command(annotation: &Annotation) -> String {
    let mut properties = String::new();
    if let Some(range) = &annotation.range {
        properties = format!("file={},line={},", property(&range.file), range.line.max(1));
        if let Some(end) = range.end_line {
            let _ = write!(properties, "endLine={},", end.max(range.line));
        }
        if let Some((from, to)) = range.columns {
            let _ = write!(properties, "col={from},endColumn={},", to.max(from));
        }
    }
    let title = property(&one_line(&annotation.title, 100));
    format!("::{} {properties}title={title}::{}\n", annotation.level.command(), data(&annotation.text))
}

/// Escapes the text of a command. The runner also finds the older form of commands, `##[…]`, anywhere in a line.
pub(in super::super) fn data(text: &str) -> String {
    let text = one_line(text, 4000).replace("##[", "## [");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property. Control characters are replaced.
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
