//! Parses any bytes as every kind of file that declares or locks packages.

#![no_main]

use std::collections::BTreeMap;

use carnet::source::manifest::inventory;
use libfuzzer_sys::fuzz_target;

const PATHS: [&str; 20] = [
    ".python-version",
    "Dockerfile",
    "Pipfile",
    "Pipfile.lock",
    "Snakefile",
    "conda-lock.yml",
    "environment.yml",
    "pdm.lock",
    "pixi.lock",
    "pixi.toml",
    "poetry.lock",
    "pylock.toml",
    "pyproject.toml",
    "requirements.txt",
    "setup.cfg",
    "setup.py",
    "spack.lock",
    "spack.yaml",
    "spec-conda.txt",
    "uv.lock",
];

fuzz_target!(|data: &[u8]| {
    let files = BTreeMap::from(PATHS.map(|path| (path.to_owned(), data.to_vec())));
    let _ = inventory(&files);
});
