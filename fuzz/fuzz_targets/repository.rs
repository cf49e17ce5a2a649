//! Parses any text as every kind of file that the detection reads.

#![no_main]

use std::collections::BTreeMap;

use carnet::source::manifest::imports::modules;
use carnet::source::workflow::detect::tests;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 9] = [
    ".github/workflows/ci.yml",
    "CMakeLists.txt",
    "Makefile",
    "a.ipynb",
    "pyproject.toml",
    "requirements.txt",
    "test.sh",
    "tests/m.C",
    "tests/test_a.py",
];

fuzz_target!(|data: &[u8]| {
    let files = BTreeMap::from(PATHS.map(|path| (path.to_owned(), data.to_vec())));
    let _ = tests(&files);
    let _ = modules(&files);
});
