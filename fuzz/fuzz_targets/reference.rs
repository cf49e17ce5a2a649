//! Parses any text as an image reference: every reference that is read is written unchanged.

#![no_main]

use std::path::Path;

use carnet::model::reference::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(reference) = Reference::parse(text, Path::new("")) {
        let again = Reference::parse(&reference.to_string(), Path::new(""));
        assert_eq!(again.ok(), Some(reference));
    }
});
