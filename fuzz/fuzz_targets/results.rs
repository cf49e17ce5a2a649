//! Parses any bytes as a JUnit file and as the output of a test command.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| carnet::cell::suite::fuzzing::results(data));
