//! Parses any bytes as a file of every language: spans are ordered, within the text, and on character boundaries.

#![no_main]

use carnet::source::lang::language::Language;
use carnet::source::lang::read;
use libfuzzer_sys::fuzz_target;

const LANGUAGES: [Language; 18] = [
    Language::Python,
    Language::Notebook,
    Language::Cpp,
    Language::Shell,
    Language::Yaml,
    Language::Json,
    Language::Toml,
    Language::Ini,
    Language::Docker,
    Language::Apptainer,
    Language::HtCondor,
    Language::Make,
    Language::Cmake,
    Language::Requirements,
    Language::Data,
    Language::Prose,
    Language::Ignore,
    Language::Generated,
];

fuzz_target!(|input: (u8, &[u8])| {
    let (choice, bytes) = input;
    let _ = Language::of("x", bytes);
    let view = read(LANGUAGES[usize::from(choice) % LANGUAGES.len()], bytes);
    let mut end = 0;
    for span in &view.spans {
        assert!(span.range.start >= end && span.range.start <= span.range.end);
        assert!(view.text.get(span.range.clone()).is_some());
        end = span.range.end;
    }
});
