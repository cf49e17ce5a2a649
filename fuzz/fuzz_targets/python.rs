//! Parses any text as a Python file, a cell and a notebook, and any bytes as a notebook.

#![no_main]

use std::borrow::Cow;

use carnet::source::lang::python;
use carnet::source::lang::python::Mode;
use carnet::source::lang::{View, notebook};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    check(&notebook::read(data));
    let text = String::from_utf8_lossy(data);
    check(&python::read(Cow::Borrowed(&text), Mode::File));
    check(&python::read(Cow::Borrowed(&text), Mode::Cell));
    let quoted = serde_json::Value::String(text.into_owned());
    let cell = serde_json::json!({ "cell_type": "code", "source": quoted });
    let file = serde_json::json!({ "cells": [cell] }).to_string();
    check(&notebook::read(file.as_bytes()));
});

fn check(view: &View<'_>) {
    let mut end = 0;
    for span in &view.spans {
        assert!(span.range.start >= end);
        assert!(view.text.get(span.range.clone()).is_some());
        end = span.range.end;
    }
}
