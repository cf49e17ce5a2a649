//! How a text in a file is used: carried out, a default, compared, or nothing of it.

use std::ops::Range;

use super::super::context::FileInput;
use crate::model::finding::Severity;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};
use crate::source::workflow::test_file::is_test;

/// How a text is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    /// It takes effect.
    Done,
    /// It takes effect unless the caller says otherwise.
    Default,
    /// It is compared or asked for.
    Guard,
}

/// A text that means something to the program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage<'a> {
    /// What stands there.
    pub(super) text: &'a str,
    /// The string or value that holds it; none in lists.
    pub(super) span: Option<&'a Span>,
    /// How it is used.
    pub(super) force: Force,
    /// Whether the file tests the analysis.
    pub(super) in_test: Test,
    /// Whether the value begins with it.
    pub(super) is_first: bool,
}

impl<'a> Usage<'a> {
    /// How a text is used; none when nothing is done with it: in comments, in text for people, inside images.
    pub(super) fn of(input: &FileInput<'a>, range: &Range<usize>) -> Option<Self> {
        if matches!(input.language, Language::Prose | Language::Ignore | Language::Generated) {
            return None;
        }
        let text = input.view.text.get(range.clone())?;
        // `/atlas/phys-higgs/Role=production`: what a grid proxy is for.
        if text.contains("/Role=") {
            return None;
        }
        // ``/path``: markup of documentation that is kept in a string.
        if input.view.text.get(..range.start)?.ends_with("``") {
            return None;
        }
        let in_test = Test::of(input.path);
        let Some(span) = input.view.span_at(range.start) else {
            // Code itself holds no path; a list or what no parser could read may.
            let is_large = input.language == Language::Json && input.view.spans.is_empty();
            if is_large {
                let is_first = input.view.text[..range.start].ends_with('"');
                return Some(Self { text, span: None, force: Force::Done, in_test, is_first });
            }
            let is_list = matches!(input.language, Language::Data) || input.view.problem.is_some();
            let line = line_before(&input.view.text, range.start, 0);
            let is_first =
                line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '-' | '[' | '{')).is_empty();
            let is_shown = is_off(line, &input.view.text[range.end..])
                || is_prose(input.path, line)
                || is_markup_comment(input.path, &input.view.text, range.start);
            return (is_list && !is_shown).then_some(Self { text, span: None, force: Force::Done, in_test, is_first });
        };
        if !matches!(span.kind, Kind::Text | Kind::Value | Kind::Word | Kind::Key) || is_exported(input, span) {
            return None;
        }
        let force = match span.role {
            Role::Plain => Force::Done,
            Role::Default => Force::Default,
            Role::Guard => Force::Guard,
            Role::Shown | Role::Pattern | Role::Inside => return None,
        };
        let is_first = range.start == span.range.start;
        if is_first && !span.is_head && !text.contains("://")
            || is_off(line_before(&input.view.text, range.start, span.range.start), &input.view.text[range.end..])
        {
            return None;
        }
        if span.kind == Kind::Text && is_sentence(line_before(&input.view.text, range.start, span.range.start)) {
            return None;
        }
        Some(Self { text, span: Some(span), force, in_test, is_first })
    }

    /// A severity as the use of the text has it: an error that can be overridden, or is only asked for, is a warning;
    /// and so it goes down.
    pub(super) fn lower(&self, severity: Severity, is_personal: bool) -> Severity {
        let down = |severity| match severity {
            Severity::Error => Severity::Warning,
            Severity::Warning | Severity::Note => Severity::Note,
        };
        let mut lowered = match self.force {
            Force::Done => severity,
            Force::Default if is_personal => severity,
            Force::Default => down(severity).max(Severity::Warning.min(severity)),
            Force::Guard => down(severity),
        };
        // A program in a directory of tests may well be started by hand: a risk stays one there.
        let is_lower = match self.in_test {
            Test::No => false,
            Test::Beside => lowered == Severity::Error,
            Test::Yes => true,
        };
        if is_lower && !is_personal {
            lowered = down(lowered);
        }
        lowered
    }

    /// The call that it is an argument of, without what stands before the last dot or colon.
    pub(super) fn call(&self) -> &'a str {
        let call = self.span.and_then(|span| span.call.as_deref()).unwrap_or_default();
        call.rsplit(['.', ':']).next().unwrap_or_default()
    }

    /// What it is assigned to, the last part of the name.
    pub(super) fn name(&self) -> &'a str {
        let name = self.span.and_then(|span| span.name.as_deref()).unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default()
    }

    /// Whether it goes on with what is known at run time only: a placeholder stands in it.
    pub(super) fn is_templated(&self) -> bool {
        self.text.contains(['$', '{', '%', '<', '*'])
    }
}

/// Whether a value is the `prefix` that conda writes into an exported environment, and reads never.
fn is_exported(input: &FileInput<'_>, span: &Span) -> bool {
    input.language == Language::Yaml
        && span.name.as_deref() == Some("prefix")
        && memchr::memmem::find(input.view.text.as_bytes(), b"\ndependencies:").is_some()
}

/// The line that a place stands in up to that place, from `from` on at most.
fn line_before(text: &str, at: usize, from: usize) -> &str {
    let before = text.get(from..at).unwrap_or_default();
    before.rsplit_once('\n').map_or(before, |(_, line)| line)
}

/// How far in front of a place the start of a comment of XML is looked for, in bytes.
const LONGEST_COMMENT: usize = 1 << 16;

/// Whether a place of a file in XML stands in a comment.
fn is_markup_comment(path: &str, text: &str, at: usize) -> bool {
    if ![".xml", ".gdml", ".xsd"].iter().any(|end| path.ends_with(end)) {
        return false;
    }
    let from = at.saturating_sub(LONGEST_COMMENT);
    let before = &text.as_bytes()[from..at];
    let open = memchr::memmem::rfind(before, b"<!--");
    open.is_some_and(|open| memchr::memmem::find(&before[open..], b"-->").is_none())
}

/// Whether a line of a script inside a string is a comment, or shows what comes: an `echo` that no `>` leads into a file,
/// before the place or in the line `behind` it.
fn is_off(line: &str, behind: &str) -> bool {
    let line = line.trim_start();
    // The rest of a line is read only where it decides: a list may be one long line.
    let is_shown = line.starts_with("echo ")
        && !line.contains('>')
        && !behind.split('\n').next().unwrap_or_default().contains(['>', '|']);
    let is_directive =
        ["#!", "#SBATCH", "#PBS", "#BSUB", "#COBALT", "#$", "#FLUX"].iter().any(|sign| line.starts_with(sign));
    line.starts_with('#') && !is_directive || is_shown
}

/// Whether what stands in a list before a path is text for people. In JSON, which may be one line, the string alone counts; a
/// datacard names its files behind three other words (combine's manual, "Shape analysis").
fn is_prose(path: &str, line: &str) -> bool {
    if path.ends_with(".json") {
        return is_sentence(line.rsplit('"').next().unwrap_or(line));
    }
    let most = if line.starts_with("shapes ") { 4 } else { 2 };
    line.split_whitespace().count() > most
}

/// Whether a line is a sentence for people up to a place: five words of letters alone, one of them a small word of English.
fn is_sentence(line: &str) -> bool {
    let mut words = 0;
    let mut has_small = false;
    for word in line.split_whitespace() {
        let word = word.trim_matches([',', '.', ':', ';', '(', ')', '\'', '"', '`']);
        if !word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'\'') {
            return false;
        }
        words += 1;
        let lower = word.to_ascii_lowercase();
        has_small |= matches!(
            lower.as_str(),
            "the"
                | "a"
                | "an"
                | "is"
                | "are"
                | "be"
                | "was"
                | "of"
                | "to"
                | "from"
                | "not"
                | "your"
                | "you"
                | "this"
                | "that"
                | "with"
        );
    }
    words >= 5 && has_small
}

/// What a file is to tests of the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    /// Nothing.
    No,
    /// A program that lies beside some and is none by its own name.
    Beside,
    /// One, or what they read.
    Yes,
}

impl Test {
    fn of(path: &str) -> Self {
        let file = path.rsplit('/').next().unwrap_or_default();
        let is_program = [".py", ".cc", ".cpp", ".cxx", ".C", ".sh"].iter().any(|end| file.ends_with(end));
        match (is_test(path), is_program && !is_test(file)) {
            (false, _) => Self::No,
            (true, true) => Self::Beside,
            (true, false) => Self::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Test, is_prose, is_sentence};

    #[test]
    fn a_list_on_one_line_is_no_prose() {
        assert!(!is_prose("a.json", "{\"2018\": {\"TT\": {\"files\": [\""));
        assert!(is_prose("a.json", "{\"note\": \"this was made from the files in "));
        assert!(!is_prose("card.txt", "shapes *  CR1  ") && is_prose("notes.txt", "files are kept in "));
    }

    #[test]
    fn a_path_behind_a_sentence_is_for_people() {
        assert!(
            is_sentence("The output could not be found, look into ")
                && is_sentence("copy it to your area, for example ")
        );
        assert!(!is_sentence("cp -r a.root to the ") && !is_sentence("xrdcp the ") && !is_sentence(""));
    }

    #[test]
    fn a_program_beside_tests_is_started_by_hand() {
        assert_eq!((Test::of("tests/test_a.py"), Test::of("tests/bias.sh")), (Test::Yes, Test::Beside));
        assert_eq!((Test::of("tests/data/a.xml"), Test::of("run.py")), (Test::Yes, Test::No));
    }
}
