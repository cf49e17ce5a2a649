//! Parses any text as `carnet.toml`: problems have a position inside the text.

#![no_main]

use std::path::Path;

use carnet::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Config::parse(text, Path::new("/analysis/carnet.toml")) {
        assert!(!error.problems.is_empty());
        assert!(error.problems.iter().all(|problem| problem.span.start <= text.len()));
        let _ = error.to_string();
    }
});
