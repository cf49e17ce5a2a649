//! Parses any bytes as a document. Each document that can be read renders in every format, and its JSON is readable again. So
//! is the document merged with itself.

#![no_main]

use carnet::model::environment::Environment;
use carnet::report::{Format, Options, json, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = serde_json::from_slice::<Environment>(data).map(|environment| environment.digest());
    let Ok(document) = json::read(data) else { return };
    for &format in Format::ALL {
        let text = render(&document, format, &Options::default()).expect("the document renders in every format");
        if format == Format::Json {
            let again = json::read(text.as_bytes()).expect("the JSON is readable");
            assert_eq!(render(&again, format, &Options::default()).ok(), Some(text));
        }
    }
    let merged =
        carnet::diff::document::merge(vec![document.clone(), document], None).expect("a document agrees with itself");
    let text = render(&merged, Format::Json, &Options::default()).expect("the merged document renders");
    json::read(text.as_bytes()).expect("the merged document is readable");
});
