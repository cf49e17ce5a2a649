use super::*;
use crate::source::lang::fact::Facts;

/// Returns a notebook with one cell for each source, which is given as JSON.
fn notebook(metadata: &str, sources: &[&str]) -> String {
    let cells: Vec<String> = sources
        .iter()
        .map(|source| {
            format!("{{\"cell_type\": \"code\", \"outputs\": [{{\"text\": [\"'/out'\"]}}], \"source\": {source}}}")
        })
        .collect();
    format!("{{\n \"cells\": [{}],\n \"metadata\": {metadata}, \"nbformat\": 4}}", cells.join(",\n"))
}

fn strings(view: &View<'_>) -> Vec<String> {
    view.spans.iter().map(|span| view.text[span.range.clone()].to_owned()).collect()
}

#[test]
fn only_code_cells_are_read() {
    let file = r##"{"cells": [{"cell_type": "markdown", "source": ["'/md'"]}, {"outputs": [{"data": {"a": "'/out'"}}],
        "source": ["x = '/a'\n", "y = '/b'"], "cell_type": "code"}, {"cell_type": "raw", "source": "'/raw'"},
        {"cell_type": "code", "source": "z = '/c'"}], "metadata": {"x": "'/meta'"}}"##;
    let view = read(file.as_bytes());
    assert_eq!(view.text, "x = '/a'\ny = '/b'\nz = '/c'\n");
    assert_eq!((strings(&view), view.problem), (vec!["/a".to_owned(), "/b".to_owned(), "/c".to_owned()], None));
}

#[test]
fn map_returns_file_offsets() {
    let file = notebook("{}", &[r#"["a = \"\u00e9\ud83d\ude00é/x\"\n", "b = '/y'"]"#, r#""c = '\\n/z'""#]);
    let view = read(file.as_bytes());
    assert_eq!(view.text, "a = \"é😀é/x\"\nb = '/y'\nc = '\\n/z'\n");
    for part in ["/x", "/y", "/z", "b =", "c ="] {
        let offset = view.map.in_file(view.text.find(part).expect("it is in the text"));
        assert_eq!(Some(offset), file.find(part), "{part}");
    }
}

#[test]
fn invalid_utf8_keeps_file_offsets() {
    let mut file = notebook("{}", &["\"a = '~~/x'\""]).into_bytes();
    file.iter_mut().filter(|byte| **byte == b'~').for_each(|byte| *byte = 0xe9);
    let view = read(&file);
    assert_eq!(view.text, "a = '??/x'\n");
    let offset = view.map.in_file(7);
    assert_eq!(&file[offset..offset + 2], b"/x");
}

#[test]
fn syntax_error_in_a_cell_does_not_affect_others() {
    let view = read(notebook("{}", &["\"x = ('/a'\"", "\"import b\\ny = '/b'\""]).as_bytes());
    assert_eq!(strings(&view), ["/a", "/b"]);
    let import = &view.facts.imports[0];
    assert_eq!((import.module.as_str(), &view.text[import.range.clone()]), ("b", "b"));
    assert!(view.problem.is_some());
}

#[test]
fn format_3_worksheets_are_read() {
    let file = r#"{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "language": "python", "input": ["x = '/a'"]}]}]}"#;
    assert_eq!(strings(&read(file.as_bytes())), ["/a"]);
}

#[test]
fn python2_kernel_is_reported_with_its_range() {
    let file = notebook(r#"{"language_info": {"name": "python", "version": "2.7.13"}}"#, &["\"x = 1\""]);
    let view = read(file.as_bytes());
    let range = view.facts.python2.clone().expect("Python 2");
    assert_eq!(&view.text[range.clone()], "2.7.13");
    assert_eq!(Some(view.map.in_file(range.start)), file.find("2.7.13"));
    let newer = notebook(r#"{"language_info": {"name": "python", "version": "3.9"}}"#, &["\"x = 1\""]);
    assert_eq!(read(newer.as_bytes()).facts.python2, None);
}

#[test]
fn cell_magic_sets_language_of_cell() {
    let language =
        |source: &str, kernel| magic(source).map(|(body, magic)| (source[body..].to_owned(), magic.language(kernel)));
    let python = Some(Language::Python);
    assert_eq!(language("%%bash -s x\nls", python), Some(("\nls".to_owned(), Some(Language::Shell))));
    assert_eq!(language("%%time\nx", python), Some(("\nx".to_owned(), python)));
    assert_eq!(language("%%cpp -d\nint a;", python), Some(("\nint a;".to_owned(), Some(Language::Cpp))));
    assert_eq!(language("%%html\n<a>", python), Some(("\n<a>".to_owned(), None)));
    assert_eq!(language("%time x", python), None);
    let view = read(notebook("{}", &["\"%%time\\nx = '/a'\"", "\"%%html\\n'/b'\""]).as_bytes());
    assert_eq!(strings(&view), ["/a"]);
}

#[test]
fn cells_of_unsupported_kernel_are_not_read() {
    let file = notebook(r#"{"kernelspec": {"language": "julia", "name": "julia-1.9"}}"#, &["\"x = '/a'\""]);
    assert_eq!(strings(&read(file.as_bytes())), Vec::<String>::new());
}

#[test]
fn invalid_notebook_has_a_problem() {
    for (file, has_cell) in [
        ("", false),
        ("version https://git-lfs", false),
        ("[1]", false),
        (r#"{"cells": [{"cell_type": "code", "source": "x = '/a'"}, {"cell_ty"#, true),
        (r#"{"cells": [{"cell_type": "code", "source": "x = '/a'"}]"#, true),
        (r#"{"cells" 1}"#, false),
    ] {
        let view = read(file.as_bytes());
        assert!(view.problem.is_some(), "{file}");
        assert_eq!(!view.spans.is_empty(), has_cell, "{file}");
    }
}

#[test]
fn deeply_nested_outputs_are_skipped() {
    let deep = 200_000;
    let nested = format!("{}{}", "[{\"a\":".repeat(deep), "}]".repeat(deep));
    let file =
        format!("{{\"cells\": [{{\"cell_type\": \"code\", \"outputs\": 1{nested}, \"source\": \"x = '/a'\"}}]}}");
    assert!(read(file.as_bytes()).problem.is_some());
    let file = file.replacen("1[", "[", 1);
    let view = read(file.as_bytes());
    assert_eq!((strings(&view), view.problem), (vec!["/a".to_owned()], None));
    assert!(read("[".repeat(deep).as_bytes()).problem.is_some());
    assert!(read("{\"cells\":[".repeat(deep).as_bytes()).problem.is_some());
}

proptest::proptest! {
    #[test]
    fn source_is_decoded_completely(source in "(\\PC|\n|\t|\"|\\\\){0,60}") {
        let quoted = serde_json::to_string(&source).expect("a string is JSON");
        let view = read(notebook("{}", &[&quoted]).as_bytes());
        proptest::prop_assert_eq!(view.text.strip_suffix('\n'), Some(source.as_str()));
        check(&view);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), cut in 0_usize..400) {
        check(&read(&bytes));
        let mut file = notebook("{}", &["[\"x = '/a'\\n\", \"!ls\"]", "\"%%bash\\nls \\ud800 /b\""]).into_bytes();
        file.truncate(cut);
        file.extend(bytes);
        check(&read(&file));
    }
}

/// Checks that all ranges are in the text and that spans do not overlap.
fn check(view: &View<'_>) {
    let mut end = 0;
    for span in &view.spans {
        assert!(span.range.start >= end && view.text.get(span.range.clone()).is_some(), "{:?}", span.range);
        end = span.range.end;
    }
    let mut facts: Facts = view.facts.clone();
    embedded::relocate(&mut facts, |range| {
        assert!(view.text.get(range.clone()).is_some(), "{range:?}");
        range.clone()
    });
}
