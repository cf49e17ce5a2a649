//! Running the test commands and reading their results.
