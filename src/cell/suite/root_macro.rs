//! ROOT macros: ROOT ends with 0 after many errors, so its own error lines fail the macro.

use super::{Listed, Reader, one_line, whole};
use crate::model::cell::Outcome;

/// Looks for ROOT's error lines.
#[derive(Debug)]
pub(super) struct Errors {
    step: String,
    first: Option<String>,
}

impl Errors {
    /// A reader for the output of the step of this name.
    pub(super) fn new(step: &str) -> Self {
        Self { step: step.to_owned(), first: None }
    }
}

impl Reader for Errors {
    fn line(&mut self, line: &str) {
        if self.first.is_none() && is_error(line) {
            self.first = Some(one_line(line));
        }
    }

    /// One failed case with the first error line, or none at all.
    fn finish(self: Box<Self>) -> Listed {
        let failed = |message| whole(&self.step, Outcome::Failed, message);
        Listed { cases: self.first.clone().map(failed).into_iter().collect(), ..Listed::default() }
    }
}

/// Whether a line is an error of ROOT (`Error in <TFile::TFile>: ...`, from `DefaultErrorHandler`), of its signal
/// handler (` *** Break *** segmentation violation`), or of its interpreter (`input_line_9:1:1: error: ...`,
/// `macro.C:3:5: error: ...`).
fn is_error(line: &str) -> bool {
    let line = line.trim_start();
    let by_root = ["Error in <", "SysError in <", "Fatal in <", "*** Break ***", "*** Interpreter error"];
    if by_root.iter().any(|start| line.starts_with(start)) {
        return true;
    }
    let Some((place, _)) = line.split_once(": error: ").or_else(|| line.split_once(": fatal error: ")) else {
        return false;
    };
    // `FILE:LINE:COLUMN`
    let mut parts = place.rsplitn(3, ':');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_some_and(|file| !file.is_empty())
}

#[cfg(test)]
mod tests {
    use super::is_error;

    #[test]
    fn errors_of_root_are_told_from_words_about_errors() {
        for line in [
            "Error in <TFile::TFile>: file none.root does not exist",
            " *** Break *** segmentation violation",
            "input_line_9:2:3: error: use of undeclared identifier 'x'",
            "/work/tests/fit.C:12:7: fatal error: 'none.h' file not found",
        ] {
            assert!(is_error(line), "{line}");
        }
        for line in ["Warning in <TCanvas>: x", "relative error: 0.1", "fit: error: 0.2 +- 0.1", "no Error in <this>"] {
            assert!(!is_error(line), "{line}");
        }
    }
}
