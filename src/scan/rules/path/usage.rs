//! How a text in a file is used: directly, as a default, in a comparison, or not at all.

use std::ops::Range;

use super::super::context::FileInput;
use crate::model::finding::Severity;
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role, Span};
use crate::source::workflow::test_file::is_test;

/// How a text is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It takes effect.
    Direct,
    /// It takes effect unless the caller overrides it.
    Default,
    /// It is only compared or tested for.
    Guard,
}

/// A text that has an effect in the program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// The string or value that contains it; `None` in lists.
    pub(super) span: Option<&'a Span>,
    /// How it is used.
    pub(super) effect: Effect,
    /// Whether the file tests the analysis.
    pub(super) in_test: TestFile,
    /// Whether the value starts with it.
    pub(super) is_first: bool,
}

impl<'a> Usage<'a> {
    /// Returns how a text is used; `None` if it has no effect: in comments, documentation and messages, and inside images.
    pub(super) fn find(input: &FileInput<'a>, range: &Range<usize>) -> Option<Self> {
        if matches!(input.language, Language::Prose | Language::Ignore | Language::Generated) {
            return None;
        }
        let text = input.view.text.get(range.clone())?;
        // `/atlas/phys-higgs/Role=production` is the role of a grid proxy.
        if text.contains("/Role=") {
            return None;
        }
        // ``/path`` is markup of documentation in a string.
        if input.view.text.get(..range.start)?.ends_with("``") {
            return None;
        }
        let in_test = TestFile::from_path(input.path);
        let Some(span) = input.view.span_at(range.start) else {
            // Text outside spans contains paths only in lists and in files that could not be parsed.
            let is_large = input.language == Language::Json && input.view.spans.is_empty();
            if is_large {
                let is_first = input.view.text[..range.start].ends_with('"');
                return Some(Self { text, span: None, effect: Effect::Direct, in_test, is_first });
            }
            let is_list = matches!(input.language, Language::Data) || input.view.problem.is_some();
            let line = line_before(&input.view.text, range.start, 0);
            let is_first =
                line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '-' | '[' | '{')).is_empty();
            let is_shown = is_inactive(line, &input.view.text[range.end..])
                || is_prose(input.path, line)
                || is_markup_comment(input.path, &input.view.text, range.start);
            return (is_list && !is_shown).then_some(Self {
                text,
                span: None,
                effect: Effect::Direct,
                in_test,
                is_first,
            });
        };
        if !matches!(span.kind, Kind::Text | Kind::Value | Kind::Word | Kind::Key) || is_exported(input, span) {
            return None;
        }
        let effect = match span.role {
            Role::Plain => Effect::Direct,
            Role::Default => Effect::Default,
            Role::Guard => Effect::Guard,
            Role::Shown | Role::Pattern | Role::Inside => return None,
        };
        let is_first = range.start == span.range.start;
        if is_first && !span.is_head && !text.contains("://")
            || is_inactive(line_before(&input.view.text, range.start, span.range.start), &input.view.text[range.end..])
        {
            return None;
        }
        if span.kind == Kind::Text && is_sentence(line_before(&input.view.text, range.start, span.range.start)) {
            return None;
        }
        Some(Self { text, span: Some(span), effect, in_test, is_first })
    }

    /// Returns the severity for this use of the text. It is lowered by one level if the text can be overridden, is only
    /// compared, or is part of a test.
    pub(super) fn lower(&self, severity: Severity, is_personal: bool) -> Severity {
        let down = |severity| match severity {
            Severity::Error => Severity::Warning,
            Severity::Warning | Severity::Note => Severity::Note,
        };
        let mut lowered = match self.effect {
            Effect::Direct => severity,
            Effect::Default if is_personal => severity,
            Effect::Default => down(severity).max(Severity::Warning.min(severity)),
            Effect::Guard => down(severity),
        };
        // A program in a test directory may be started by hand, so its warnings are kept.
        let is_lower = match self.in_test {
            TestFile::No => false,
            TestFile::Helper => lowered == Severity::Error,
            TestFile::Yes => true,
        };
        if is_lower && !is_personal {
            lowered = down(lowered);
        }
        lowered
    }

    /// Returns the function that it is an argument of, without the part before the last dot or colon.
    pub(super) fn call(&self) -> &'a str {
        let call = self.span.and_then(|span| span.call.as_deref()).unwrap_or_default();
        call.rsplit(['.', ':']).next().unwrap_or_default()
    }

    /// Returns the last part of the name that it is assigned to.
    pub(super) fn name(&self) -> &'a str {
        let name = self.span.and_then(|span| span.name.as_deref()).unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default()
    }

    /// Reports whether it contains a placeholder that is replaced at run time.
    pub(super) fn is_templated(&self) -> bool {
        self.text.contains(['$', '{', '%', '<', '*'])
    }
}

/// Reports whether a value is the `prefix` in an exported conda environment, which conda never reads.
fn is_exported(input: &FileInput<'_>, span: &Span) -> bool {
    input.language == Language::Yaml
        && span.name.as_deref() == Some("prefix")
        && memchr::memmem::find(input.view.text.as_bytes(), b"\ndependencies:").is_some()
}

/// Returns the part of the line before an offset, starting at `from` at the earliest.
fn line_before(text: &str, offset: usize, from: usize) -> &str {
    let before = text.get(from..offset).unwrap_or_default();
    before.rsplit_once('\n').map_or(before, |(_, line)| line)
}

/// Maximum distance in bytes to the start of an XML comment.
const MAX_COMMENT: usize = 1 << 16;

/// Reports whether an offset in an XML file is in a comment.
fn is_markup_comment(path: &str, text: &str, offset: usize) -> bool {
    if ![".xml", ".gdml", ".xsd"].iter().any(|end| path.ends_with(end)) {
        return false;
    }
    let from = offset.saturating_sub(MAX_COMMENT);
    let before = &text.as_bytes()[from..offset];
    let open = memchr::memmem::rfind(before, b"<!--");
    open.is_some_and(|open| memchr::memmem::find(&before[open..], b"-->").is_none())
}

/// Reports whether a script line is a comment, or an `echo` without a redirection before or after the text.
fn is_inactive(line: &str, after: &str) -> bool {
    let line = line.trim_start();
    // The rest of the line is searched last, because it can be long.
    let is_shown = line.starts_with("echo ")
        && !line.contains('>')
        && !after.split('\n').next().unwrap_or_default().contains(['>', '|']);
    let is_directive =
        ["#!", "#SBATCH", "#PBS", "#BSUB", "#COBALT", "#$", "#FLUX"].iter().any(|sign| line.starts_with(sign));
    line.starts_with('#') && !is_directive || is_shown
}

/// Reports whether the text before a path in a list is prose. In JSON, only the string itself counts, because the file may
/// be one line. In a datacard, the file name follows three other words (combine manual, "Shape analysis").
fn is_prose(path: &str, line: &str) -> bool {
    if path.ends_with(".json") {
        return is_sentence(line.rsplit('"').next().unwrap_or(line));
    }
    let max_words = if line.starts_with("shapes ") { 4 } else { 2 };
    line.split_whitespace().count() > max_words
}

/// Reports whether a line starts a sentence: at least five words of letters, one of them a common English word.
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

/// The role of a file in tests of the analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TestFile {
    /// Not part of the tests.
    No,
    /// A program in a test directory whose name is not that of a test.
    Helper,
    /// A test, or data of a test.
    Yes,
}

impl TestFile {
    fn from_path(path: &str) -> Self {
        let file = path.rsplit('/').next().unwrap_or_default();
        let is_program = [".py", ".cc", ".cpp", ".cxx", ".C", ".sh"].iter().any(|end| file.ends_with(end));
        match (is_test(path), is_program && !is_test(file)) {
            (false, _) => Self::No,
            (true, true) => Self::Helper,
            (true, false) => Self::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TestFile, is_prose, is_sentence};
    use crate::source::workflow::test_file::is_test;

    #[test]
    fn list_on_one_line_is_not_prose() {
        assert!(!is_prose("a.json", "{\"2018\": {\"TT\": {\"files\": [\""));
        assert!(is_prose("a.json", "{\"note\": \"this was made from the files in "));
        assert!(!is_prose("card.txt", "shapes *  CR1  ") && is_prose("notes.txt", "files are kept in "));
    }

    #[test]
    fn sentence_before_path_is_recognized() {
        assert!(
            is_sentence("The output could not be found, look into ")
                && is_sentence("copy it to your area, for example ")
        );
        assert!(!is_sentence("cp -r a.root to the ") && !is_sentence("xrdcp the ") && !is_sentence(""));
    }

    #[test]
    fn program_in_test_directory_is_helper() {
        assert_eq!(
            (TestFile::from_path("tests/test_a.py"), TestFile::from_path("tests/bias.sh")),
            (TestFile::Yes, TestFile::Helper)
        );
        assert_eq!(
            (TestFile::from_path("tests/data/a.xml"), TestFile::from_path("run.py")),
            (TestFile::Yes, TestFile::No)
        );
    }

    #[test]
    fn notebook_name_does_not_make_it_a_test() {
        assert!(is_test("analysis/muon_test.py") && is_test("tests/muon.ipynb"));
        assert!(!is_test("analysis/muon_test.ipynb"));
    }
}
