//! Parses any bytes as every kind of file that declares or locks packages.

#![no_main]

use std::collections::BTreeMap;

use carnet::source::manifest::{file_names, inventory};
use libfuzzer_sys::fuzz_target;

/// Names that formats recognize by a pattern, and files that name images.
const OTHER_NAMES: [&str; 4] = ["Dockerfile", "Snakefile", "requirements-dev.txt", "spec-conda.txt"];

fuzz_target!(|data: &[u8]| {
    let names = file_names().chain(OTHER_NAMES);
    let files: BTreeMap<_, _> = names.map(|name| (name.to_owned(), data.to_vec())).collect();
    let _ = inventory(&files);
});
