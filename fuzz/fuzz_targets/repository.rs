//! Parses any text as every kind of file that the detection reads.

#![no_main]

use carnet::source::workflow::detect::{Files, tests};
use carnet::source::manifest::imports::modules;
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
    let paths = PATHS.map(str::to_owned).to_vec();
    let files = Files { paths, read: &|_| Some(data.to_vec()) };
    let _ = tests(&files);
    let _ = modules(&files);
});
