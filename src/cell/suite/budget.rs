//! The budget of texts that all test cases of a cell share. It keeps a result below [`limit::RESULT`].

use super::{head, is_failure, shorten};
use crate::model::cell::{Captured, TestCase};
use crate::model::limit;
use crate::model::text::count;

/// Maximum size in bytes of all outputs, as JSON. From half of it, at most [`MAX_SHORT_OUTPUT`] bytes per output are kept.
const MAX_OUTPUTS: usize = 16 << 20;
/// Maximum size of an output in bytes if only short ones are kept.
const MAX_SHORT_OUTPUT: usize = 2 << 10;
/// Maximum size in bytes of all names and messages, as JSON. After that, at most [`MAX_SHORT_NAME`] bytes of each are kept.
const MAX_NAMES: usize = 16 << 20;
/// Maximum length of a name or message in bytes if only short ones are kept, also as JSON.
const MAX_SHORT_NAME: usize = 32;

/// The used part of the budget.
#[derive(Debug, Default)]
pub(super) struct Budget {
    outputs: usize,
    names: usize,
    cases: usize,
}

impl Budget {
    /// Shortens the texts of the cases of a step, and drops cases above the maximum number: passed ones first. Returns why
    /// cases are missing.
    pub(super) fn fit(&mut self, cases: &mut Vec<TestCase>) -> Option<String> {
        let free = limit::MAX_CASES.saturating_sub(self.cases);
        let dropped = cases.len().saturating_sub(free);
        if dropped > 0 {
            let failures = cases.iter().filter(|case| is_failure(case)).count();
            let (mut bad, mut good) = (free.min(failures), free.saturating_sub(failures));
            cases.retain(|case| {
                let left = if is_failure(case) { &mut bad } else { &mut good };
                let is_kept = *left > 0;
                *left = left.saturating_sub(1);
                is_kept
            });
        }
        self.cases += cases.len();
        for case in cases {
            for text in [&mut case.name, &mut case.class, &mut case.message].into_iter().chain(&mut case.file) {
                *text = self.name(std::mem::take(text));
            }
            case.output = case.output.take().and_then(|output| self.output(output));
        }
        (dropped > 0).then(|| left_out(dropped))
    }

    /// Returns a name or message, shortened if the budget is used up.
    pub(super) fn name(&mut self, text: String) -> String {
        let length = json_len(&text);
        if self.names + length <= MAX_NAMES {
            self.names += length;
            return text;
        }
        // The remaining texts are short, so that no case is dropped.
        let short = head(text, MAX_SHORT_NAME);
        if json_len(&short) > MAX_SHORT_NAME { head(short, MAX_SHORT_NAME / 6) } else { short }
    }

    /// Returns an output, shortened or dropped if the budget is used up.
    pub(super) fn output(&mut self, output: Captured) -> Option<Captured> {
        let mut kept = output;
        let half_is_used = |kept: &Captured| self.outputs + json_len(&kept.text) > MAX_OUTPUTS / 2;
        if half_is_used(&kept) && kept.text.len() > MAX_SHORT_OUTPUT {
            let before = kept.dropped;
            kept = shorten(&kept, MAX_SHORT_OUTPUT);
            kept.dropped = kept.dropped.saturating_add(before);
        }
        self.outputs += json_len(&kept.text);
        if self.outputs > MAX_OUTPUTS {
            self.outputs = MAX_OUTPUTS;
            return None;
        }
        Some(kept)
    }
}

/// States that cases are missing.
pub(super) fn left_out(number: usize) -> String {
    format!("{} above the maximum of {} left out", count(number, "case"), limit::MAX_CASES)
}

/// Returns the length of a text as a JSON string, without quotes.
fn json_len(text: &str) -> usize {
    let length = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::{Budget, json_len};
    use crate::cell::suite::{MAX_CASE_OUTPUT, command_case};
    use crate::model::cell::{self, Captured, CellResult, CellTiming, End, Outcome, Seconds, Step};
    use crate::model::{canonical, limit};

    #[test]
    fn length_is_that_of_the_json() {
        let text: String = (0..=0x7f_u8).map(char::from).chain(['é', '\u{2028}']).collect();
        assert_eq!(json_len(&text) + 2, serde_json::to_string(&text).expect("JSON").len());
    }

    #[test]
    fn failures_are_dropped_last() {
        let mut cases = vec![command_case("a", Outcome::Passed, String::new()); limit::MAX_CASES];
        cases.extend(vec![command_case("b", Outcome::Failed, String::new()); 3]);
        let note = Budget::default().fit(&mut cases);
        assert_eq!(note.as_deref(), Some("3 cases above the maximum of 100000 left out"));
        assert_eq!((cases.len(), cases[limit::MAX_CASES - 4].name.as_str()), (limit::MAX_CASES, "a"));
        assert!(cases[limit::MAX_CASES - 3..].iter().all(|case| case.name == "b"));
    }

    #[test]
    fn largest_result_can_be_read() {
        let case = |name: usize, output: usize| {
            let mut case = command_case(&"\u{1b}".repeat(name), Outcome::Errored, "\"".repeat(500));
            case.class = "\\".repeat(name);
            case.file = Some("f".repeat(name));
            case.line = Some(u64::MAX);
            case.tried_network = true;
            case.timing = Seconds { seconds: 0.123_456_789_012_345_6 };
            case.output = Some(Captured { text: "\u{1}".repeat(output), dropped: u64::MAX });
            case
        };
        // Long texts use up the budget.
        let mut cases = vec![case(4096, MAX_CASE_OUTPUT); 1000];
        cases.extend(vec![case(40, 10); limit::MAX_CASES - 1000]);
        assert_eq!(Budget::default().fit(&mut cases), None);
        let step = Step {
            name: String::new(),
            kind: None,
            run: String::new(),
            end: End::Exit { code: 1 },
            attempts: 1,
            output: None,
            cases,
            unread: None,
            timing: Seconds::default(),
        };
        let result = CellResult {
            schema: cell::SCHEMA.to_owned(),
            version: String::new(),
            cell: String::new(),
            environment: None,
            steps: vec![step],
            inputs: Vec::new(),
            outputs: Vec::new(),
            not_enforced: Vec::new(),
            trouble: None,
            timing: CellTiming::default(),
        };
        let text = canonical::to_string(&result).expect("JSON");
        assert!((text.len() as u64) < limit::RESULT.bytes * 9 / 10, "{} MiB", text.len() >> 20);
        let read: CellResult = limit::read(text.as_bytes(), &limit::RESULT).expect("within the limits");
        assert_eq!(read.check_limits(), Ok(()));
    }
}
