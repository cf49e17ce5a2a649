//! Parses any bytes as an ELF file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| carnet::cell::probe::fuzzing::elf(data));
