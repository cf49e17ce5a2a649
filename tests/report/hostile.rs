//! Text from outside can't steer a terminal, a browser or a parser.

use carnet::model::cell::{Captured, Outcome};
use carnet::model::document::{Document, Status};
use carnet::report::{Format, Options};
use proptest::prelude::*;

use crate::fixture::{assemble, case, cell, document, step};
use crate::render;

/// The fixture with a text in every place that comes from outside.
fn with(evil: &str) -> Document {
    let mut document = document();
    document.analysis.name = evil.to_owned();
    document.analysis.commit = Some(evil.to_owned());
    let naf = &mut document.cells[2];
    naf.not_enforced = vec![evil.to_owned()];
    naf.reason = Some(evil.to_owned());
    naf.hint = Some(evil.to_owned());
    for case in &mut naf.steps[0].cases {
        case.name = evil.to_owned();
        case.class = evil.to_owned();
        case.file = Some(evil.to_owned());
        case.message = evil.to_owned();
        case.output = Some(Captured { text: evil.to_owned(), dropped: 0 });
    }
    document.cells[4].reason = Some(evil.to_owned());
    for row in document.diffs.iter_mut().flat_map(|diff| &mut diff.diff.sections).flat_map(|section| &mut section.rows)
    {
        row.name = evil.to_owned();
        for value in &mut row.values {
            *value = carnet::model::diff::Value::Is { text: evil.to_owned(), origin: evil.to_owned() };
        }
    }
    document
}

#[test]
fn no_terminal_control_reaches_a_report_for_people() {
    let document = with("a\x1b[2J\x1b]0;owned\x07b\u{9b}31m\u{202e}c\r\x08d\0");
    for format in [Format::Human, Format::Markdown, Format::Junit, Format::Html, Format::Badge] {
        let text = render(&document, format, &Options::default());
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(bad, None, "in {format}");
        assert!(!text.contains("owned"), "a window title is no text");
    }
}

#[test]
fn markdown_has_no_html_mentions_or_links_of_others() {
    let evil = "<script>alert(1)</script> @everyone #12 !3 [x](http://evil.example) www.evil.example ![i](//e) | `c` **b** $x$ :boom:";
    let text = render(&with(evil), Format::Markdown, &Options::default());
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            for sign in ["<script", "@everyone", "#12 ", "](", "http:", "www.evil", "**b**", "$x$", ":boom:"] {
                assert!(!line.contains(sign), "{sign} in: {line}");
            }
            // A forge finds mentions in the rendered text too, but never inside code.
            let mut outside = line.split("<code>").map(|part| part.rsplit("</code>").next().unwrap_or(part));
            assert!(!outside.any(|part| part.contains("everyone")), "a mention in: {line}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_renders_in_every_format(text in any::<String>(), width in 0_usize..200) {
        let failed = case(&text, Outcome::Failed, &text, &text);
        let mut broken = cell(&text, Status::Failed, vec![step(vec![failed])]);
        broken.reason = Some(text.clone());
        let document = assemble(vec![broken], Vec::new());
        for &format in Format::ALL {
            render(&crate::audited(document.clone()), format, &Options { width, ..Options::default() });
        }
        render(&with(&text), Format::Human, &Options { width, ascii: true, ..Options::default() });
    }
}
