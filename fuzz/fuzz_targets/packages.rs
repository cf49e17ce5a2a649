//! Parses any bytes as a package database, a package record or a requirement.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| carnet::cell::probe::fuzzing::packages(data));
