//! Limits the size of the report: shortens output first, then messages. No case is left out.

use junit_report::{TestResult, TestSuite};

use crate::model::text::{clip, ends};

/// Maximum size of the report in bytes. GitLab ignores a JUnit file of more than 30 MB.
pub(super) const MAX_BYTES: usize = 29_000_000;
/// Minimum and maximum size of a text in bytes.
const TEXTS: (usize, usize) = (100, super::MAX_TEXT);
/// Minimum and maximum width of a message in columns.
const MESSAGES: (usize, usize) = (60, super::MAX_ATTRIBUTE);
/// Maximum size of the line that counts the omitted bytes of a text.
const OMISSION: usize = 50;

/// Maximum sizes of texts and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    text: usize,
    message: usize,
}

/// The lengths of the texts and messages in suites, and the size of their XML.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    texts: Vec<usize>,
    messages: Vec<usize>,
    pub(super) bytes: usize,
}

impl Lengths {
    /// Measures a suite with its XML.
    pub(super) fn of(suite: &mut TestSuite, xml: usize) -> Self {
        let mut lengths = Self { bytes: xml, ..Self::default() };
        parts(suite, |text| lengths.texts.push(text.len()), |message| lengths.messages.push(message.len()));
        lengths
    }

    /// Adds the lengths of another suite.
    pub(super) fn add(&mut self, other: Self) {
        self.texts.extend(other.texts);
        self.messages.extend(other.messages);
        self.bytes += other.bytes;
    }

    /// Returns the largest sizes with which the report has at most [`MAX_BYTES`] bytes, or else the smallest sizes.
    pub(super) fn sizes(&self, room: usize) -> Sizes {
        let full: usize = self.texts.iter().chain(&self.messages).sum();
        let fixed = self.bytes.saturating_sub(full);
        let cut = |list: &[usize], max: usize, more: usize| -> usize {
            list.iter().map(|&length| if length <= max { length } else { max + more }).sum()
        };
        let fits = |sizes: Sizes| {
            fixed + cut(&self.texts, sizes.text, OMISSION) + cut(&self.messages, sizes.message, 0) <= room
        };
        let text = |text| Sizes { text, message: MESSAGES.1 };
        if fits(text(TEXTS.0)) {
            return text(largest(TEXTS, |size| fits(text(size))));
        }
        let message = |message| Sizes { text: TEXTS.0, message };
        message(largest(MESSAGES, |size| fits(message(size))))
    }
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
            let bytes = fixed + texts.iter().chain(&messages).sum::<usize>();
            let lengths = Lengths { texts, messages, bytes };
            let sizes = lengths.sizes(room);
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
