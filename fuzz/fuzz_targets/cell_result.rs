//! Parses any bytes as the result of a cell.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| carnet::check::fuzzing::cell_result(data));
