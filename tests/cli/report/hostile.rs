//! Reports never contain untrusted control characters or markup.

use carnet::model::cell::{Captured, Outcome};
use carnet::model::document::{Document, Status};
use carnet::report::{Format, Options};
use proptest::prelude::*;

use crate::report::{render, with_scan};
use crate::support::document_fixture::{assemble, case, cell, document, step};

/// The fixture with `malicious` as every untrusted text.
fn filled(malicious: &str) -> Document {
    let mut document = document();
    document.analysis.name = malicious.to_owned();
    document.analysis.commit = Some(malicious.to_owned());
    let naf = &mut document.cells[2];
    naf.not_enforced = vec![malicious.to_owned()];
    naf.reason = Some(malicious.to_owned());
    naf.hint = Some(malicious.to_owned());
    for case in &mut naf.steps[0].cases {
        case.name = malicious.to_owned();
        case.class = malicious.to_owned();
        case.file = Some(malicious.to_owned());
        case.message = malicious.to_owned();
        case.output = Some(Captured { text: malicious.to_owned(), dropped: 0 });
    }
    document.cells[4].reason = Some(malicious.to_owned());
    for row in document.diffs.iter_mut().flat_map(|diff| &mut diff.diff.sections).flat_map(|section| &mut section.rows)
    {
        row.name = malicious.to_owned();
        for value in &mut row.values {
            *value = carnet::model::diff::Value::Is { text: malicious.to_owned(), origin: malicious.to_owned() };
        }
    }
    document
}

#[test]
fn reports_contain_no_control_characters() {
    let document = filled("a\x1b[2J\x1b]0;owned\x07b\u{9b}31m\u{202e}c\r\x08d\0");
    for format in [Format::Human, Format::Markdown, Format::Junit, Format::Html, Format::Badge] {
        let text = render(&document, format, &Options::default());
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(bad, None, "in {format}");
        assert!(!text.contains("owned"), "the title of an escape sequence in {format}");
    }
}

#[test]
fn human_reports_contain_no_commands_of_ci_systems() {
    for malicious in [
        "::add-mask::x",
        " \t::error::x",
        "word ::error::x",
        "a\n::warning::x",
        "a\r::debug::x",
        "a\u{2028}::set-output name=a::x",
        "\u{a0}\u{3000}::group::x",
        "\x1b[31m::error::x\x1b[0m",
        "x ##[group]y",
        "x ##vso[task.setvariable variable=a]y",
        "section_start:1:a\r\x1b[0Kx",
    ] {
        for (color, width) in [(false, 100), (true, 100), (false, 1)] {
            let options = Options { color, width, ..Options::default() };
            let text = render(&filled(malicious), Format::Human, &options);
            let text = anstream::adapter::strip_str(&text).to_string();
            let is_command = |line: &&str| {
                let line = line.trim_start();
                line.starts_with("::") || ["##[", "##vso[", "section_start:"].iter().any(|start| line.contains(start))
            };
            assert_eq!(text.lines().find(is_command), None, "{malicious:?}");
        }
    }
}

#[test]
fn markdown_contains_no_untrusted_markup() {
    let malicious = "<script>alert(1)</script> @everyone #12 !3 [x](http://evil.example) www.evil.example ![i](//e) | `c` **b** $x$ :boom:";
    let text = render(&filled(malicious), Format::Markdown, &Options::default());
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            for markup in ["<script", "@everyone", "#12 ", "](", "http:", "www.evil", "**b**", "$x$", ":boom:"] {
                assert!(!line.contains(markup), "{markup} in: {line}");
            }
            // GitHub and GitLab also find mentions in rendered text, but never inside code.
            let mut outside = line.split("<code>").map(|part| part.rsplit("</code>").next().unwrap_or(part));
            assert!(!outside.any(|part| part.contains("everyone")), "a mention in: {line}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_format_supports_any_text(text in any::<String>(), width in 0_usize..200) {
        let test = case(&text, Outcome::Failed, &text, &text);
        let mut failed = cell(&text, Status::Failed, vec![step(vec![test])]);
        failed.reason = Some(text.clone());
        let document = assemble(vec![failed], Vec::new());
        for &format in Format::ALL {
            render(&with_scan(document.clone()), format, &Options { width, ..Options::default() });
        }
        render(&filled(&text), Format::Human, &Options { width, ascii: true, ..Options::default() });
    }
}
