//! Limits the size of the report: shortens output first, then messages. No case is left out.

use junit_report::{TestCase, TestResult, TestSuite};

use crate::model::text::{clip, ends};

/// Maximum size in bytes of a JUnit file that GitLab reads.
const GITLAB_BYTES: usize = 30_000_000;
/// Maximum size of the report in bytes. It is smaller because lengths are approximate.
pub(super) const MAX_BYTES: usize = GITLAB_BYTES - 1_000_000;
/// Minimum and maximum size of a text in bytes.
const TEXTS: (usize, usize) = (100, super::MAX_TEXT);
/// Minimum and maximum width of a message in columns.
const MESSAGES: (usize, usize) = (60, super::MAX_ATTRIBUTE);
/// Maximum size of the line that counts the omitted bytes of a text.
const OMISSION: usize = 50;
/// Typical size in bytes of a suite without its cases.
const SUITE: usize = 2000;
/// Typical size in bytes of the syntax of a case.
const CASE: usize = 70;
/// Typical size in bytes of the syntax of a result.
const RESULT: usize = 80;

/// Maximum sizes of texts and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    text: usize,
    message: usize,
}

/// The approximate length of the report.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    texts: Vec<usize>,
    messages: Vec<usize>,
    /// Length of the rest.
    fixed: usize,
}

impl Lengths {
    /// Adds a suite without its cases.
    pub(super) fn add_suite(&mut self) {
        self.fixed += SUITE;
    }

    /// Adds a passed case with its class, name and file.
    pub(super) fn add_case(&mut self, cell: &str, names: [&str; 3]) {
        self.fixed += CASE + cell.len() + names.into_iter().map(escaped_len).sum::<usize>();
    }

    /// Adds a case with a result.
    pub(super) fn add_built(&mut self, case: &TestCase) {
        let names = [case.classname.as_deref(), Some(&case.name), case.filepath.as_deref()];
        self.add_case("", names.map(Option::unwrap_or_default));
        self.fixed += RESULT;
        match &case.result {
            TestResult::SkippedWithCause { message, cause, .. }
            | TestResult::Failure { message, cause, .. }
            | TestResult::Error { message, cause, .. } => {
                self.fixed += escaped_len(message) - message.len();
                self.messages.push(message.len());
                self.texts.extend(cause.as_ref().map(String::len));
            }
            TestResult::Success | TestResult::Skipped => {}
        }
        self.texts.extend(case.system_out.as_ref().map(String::len));
    }

    /// Returns the largest sizes with which the report has at most `room` bytes, or the smallest sizes if none fits. `None`
    /// if nothing needs to be shortened.
    pub(super) fn sizes(&self, room: usize) -> Option<Sizes> {
        let cut = |list: &[usize], max: usize, more: usize| -> usize {
            list.iter().map(|&length| if length <= max { length } else { max + more }).sum()
        };
        let fits = |sizes: Sizes| {
            self.fixed + cut(&self.texts, sizes.text, OMISSION) + cut(&self.messages, sizes.message, 0) <= room
        };
        if self.fixed + self.texts.iter().chain(&self.messages).sum::<usize>() <= room {
            return None;
        }
        let text = |text| Sizes { text, message: MESSAGES.1 };
        if fits(text(TEXTS.0)) {
            return Some(text(largest(TEXTS, |size| fits(text(size)))));
        }
        let message = |message| Sizes { text: TEXTS.0, message };
        Some(message(largest(MESSAGES, |size| fits(message(size)))))
    }
}

/// Returns the length of an attribute, in which special characters are escaped.
fn escaped_len(text: &str) -> usize {
    text.bytes().map(|byte| if matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'') { 6 } else { 1 }).sum()
}

/// Returns the largest number in the range that fits, or its start if none does.
fn largest((mut low, mut high): (usize, usize), fits: impl Fn(usize) -> bool) -> usize {
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

impl Sizes {
    /// Shortens the texts and messages of a suite.
    pub(super) fn apply(self, suite: &mut TestSuite) {
        parts(
            suite,
            |text| *text = ends(text, self.text).into_owned(),
            |message| *message = clip(message, self.message).into_owned(),
        );
    }

    /// Describes the sizes.
    pub(super) fn describe(self) -> String {
        let messages = if self.message < MESSAGES.1 {
            format!(", messages to {} characters", self.message)
        } else {
            String::new()
        };
        format!("output shortened to {} bytes per test{messages}", self.text)
    }

    /// Returns a note about a report of this size.
    pub(super) fn note(self, written: usize) -> String {
        let (what, max) = (self.describe(), GITLAB_BYTES / 1_000_000);
        if written > GITLAB_BYTES {
            format!("{what}; its {} MB still exceed {max} MB, so GitLab may ignore it", written / 1_000_000)
        } else {
            format!("{what}, because GitLab ignores files larger than {max} MB")
        }
    }
}

/// Calls a function with every text and another with every message.
fn parts(suite: &mut TestSuite, mut text: impl FnMut(&mut String), mut message: impl FnMut(&mut String)) {
    for case in &mut suite.testcases {
        match &mut case.result {
            TestResult::SkippedWithCause { message: line, cause, .. }
            | TestResult::Failure { message: line, cause, .. }
            | TestResult::Error { message: line, cause, .. } => {
                message(line);
                cause.iter_mut().for_each(&mut text);
            }
            TestResult::Success | TestResult::Skipped => {}
        }
        case.system_out.iter_mut().for_each(&mut text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, proptest};

    use super::{Lengths, MESSAGES, OMISSION, TEXTS};

    proptest! {
        #[test]
        fn sizes_are_the_largest_that_fit(texts in prop::collection::vec(0_usize..70_000, 0..20),
            messages in prop::collection::vec(0_usize..1000, 0..20), fixed in 0_usize..1000, room in 0_usize..500_000) {
            let complete = fixed + texts.iter().chain(&messages).sum::<usize>();
            let lengths = Lengths { texts, messages, fixed };
            let Some(sizes) = lengths.sizes(room) else {
                assert!(complete <= room);
                return Ok(());
            };
            let total = |text: usize, message: usize| {
                let cut = |list: &[usize], max: usize, more: usize| {
                    list.iter().map(|&length| if length > max { max + more } else { length }).sum::<usize>()
                };
                fixed + cut(&lengths.texts, text, OMISSION) + cut(&lengths.messages, message, 0)
            };
            assert!(total(sizes.text, sizes.message) <= room || (sizes.text, sizes.message) == (TEXTS.0, MESSAGES.0));
            if sizes.message < MESSAGES.1 {
                assert_eq!(sizes.text, TEXTS.0);
                assert!(total(sizes.text, sizes.message + 1) > room);
            }
        }
    }
}
