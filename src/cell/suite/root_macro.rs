//! ROOT macros: ROOT exits with 0 after many errors, so its error lines fail the macro.

use super::{ParsedOutput, Reader, command_case, first_line};
use crate::model::cell::Outcome;

/// A reader of the error lines of ROOT.
#[derive(Debug)]
pub(super) struct Errors {
    step: String,
    first: Option<String>,
    /// The last library that was not found, which ROOT reports on a separate line.
    missing: Option<String>,
}

impl Errors {
    /// Creates a reader for the output of a step.
    pub(super) fn new(step: &str) -> Self {
        Self { step: step.to_owned(), first: None, missing: None }
    }
}

impl Reader for Errors {
    fn line(&mut self, line: &str) {
        if self.first.is_some() {
            return;
        }
        if let Some(library) = missing_library(line) {
            self.missing = Some(library.to_owned());
        } else if is_error(line) {
            let cause = self.missing.as_deref().filter(|_| line.contains("failure loading library"));
            let cause = cause.map_or_else(String::new, |library| format!(" ({library} is not in this environment)"));
            self.first = Some(format!("{}{cause}", first_line(line)));
        }
    }

    /// Returns one failed case with the first error line, or no case.
    fn finish(self: Box<Self>) -> ParsedOutput {
        let failed = |message| command_case(&self.step, Outcome::Failed, message);
        ParsedOutput { cases: self.first.clone().map(failed).into_iter().collect(), ..ParsedOutput::default() }
    }
}

/// Returns the library in a line such as
/// `cling::DynamicLibraryManager::loadLibrary(): libSM.so.6: cannot open shared object file: No such file or directory`.
fn missing_library(line: &str) -> Option<&str> {
    let (before, _) = line.split_once(": cannot open shared object file")?;
    before.rsplit(": ").next().map(str::trim).filter(|name| name.contains(".so") && name.len() < 200)
}

/// Reports whether a line is an error of ROOT (`Error in <TFile::TFile>: ...`, from `DefaultErrorHandler`), of its
/// signal handler (` *** Break *** segmentation violation`), or of its interpreter (`input_line_9:1:1: error: ...`,
/// `macro.C:3:5: error: ...`).
fn is_error(line: &str) -> bool {
    let line = line.trim_start();
    let by_root = ["Error in <", "SysError in <", "Fatal in <", "*** Break ***", "*** Interpreter error"];
    if by_root.iter().any(|start| line.starts_with(start)) {
        return true;
    }
    let Some((position, _)) = line.split_once(": error: ").or_else(|| line.split_once(": fatal error: ")) else {
        return false;
    };
    // `FILE:LINE:COLUMN`
    let mut parts = position.rsplitn(3, ':');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
    is_number(parts.next()) && is_number(parts.next()) && parts.next().is_some_and(|file| !file.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Errors, Reader as _, is_error};

    #[test]
    fn missing_library_is_reported() {
        let mut errors = Box::new(Errors::new("fit.C"));
        for line in [
            "cling::DynamicLibraryManager::loadLibrary(): libSM.so.6: cannot open shared object file: No such file or directory",
            "Error in <TInterpreter::TCling::AutoLoad>: failure loading library libASImage.so for TASImage",
            "Error in <later>: x",
        ] {
            errors.line(line);
        }
        let message = &errors.finish().cases[0].message;
        assert!(message.ends_with("libASImage.so for TASImage (libSM.so.6 is not in this environment)"), "{message}");
    }

    #[test]
    fn only_error_lines_of_root_are_errors() {
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
