//! Reports of a scan never contain untrusted control characters, markup or workflow commands.

use carnet::model::finding::{Finding, Fix, Location, Severity, Suppression, Suppressor};
use carnet::model::scan::{Note, Scan};
use carnet::report::Options;
use carnet::report::{Format, render_scan};
use proptest::prelude::*;

use super::render;
use crate::support::scan_fixture::{finding, scan, with};

/// The fixture with `malicious` as every untrusted text.
fn filled(malicious: &str) -> Scan {
    let mut scan = scan();
    scan.analysis.name = malicious.to_owned();
    scan.analysis.remote = Some(format!("https://{malicious}"));
    scan.notes = vec![Note { path: malicious.to_owned(), message: malicious.to_owned() }];
    for finding in &mut scan.findings {
        fill(finding, malicious);
    }
    scan
}

fn fill(finding: &mut Finding, malicious: &str) {
    finding.path = malicious.to_owned();
    finding.message = malicious.to_owned();
    finding.help = Some(malicious.to_owned());
    finding.source = Some(malicious.to_owned());
    finding.facilities.breaks = vec![malicious.to_owned()];
    finding.fix = Some(Fix { title: malicious.to_owned(), start: 0, end: 1, replacement: malicious.to_owned() });
    for location in &mut finding.locations {
        *location = Location { path: malicious.into(), line: 1 };
    }
    if let Some(suppression) = &mut finding.suppressed {
        suppression.reason = malicious.to_owned();
    }
}

#[test]
fn scan_reports_contain_no_control_characters() {
    let scan = filled("a\x1b[2J\x1b]0;owned\x07b\u{9b}31m\u{202e}c\r\x08d\0\ne");
    for format in [Format::Human, Format::Markdown, Format::Junit, Format::Github, Format::Sarif, Format::Gitlab] {
        let text = render(&scan, format);
        // JSON reports contain the original paths, escaped.
        let is_json = matches!(format, Format::Sarif | Format::Gitlab);
        let bad = text.chars().find(|c| c.is_ascii_control() && *c != '\n');
        assert_eq!(bad, None, "in {format}");
        if !is_json {
            assert_eq!(text.chars().find(|c| c.is_control() && *c != '\n'), None, "in {format}");
        }
    }
    assert_eq!(render(&scan, Format::Markdown).matches("owned").count(), 0, "the title of an escape sequence");
}

#[test]
fn github_report_contains_no_untrusted_workflow_commands() {
    for malicious in [
        "x\n::set-output name=a::b",
        "::add-mask::x",
        "\r::error::x",
        "a,line=9::b%0A::c",
        "##[error]x",
        "\n##[set-env name=A;]b",
    ] {
        let text = render(&filled(malicious), Format::Github);
        for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            let known = ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
            assert!(known && !line.contains("##["), "{line}");
            // Only the known properties precede the second `::`.
            let (properties, _) = line[2..].split_once("::").expect("a command");
            let keys = properties.split_once(' ').map(|(_, list)| list).unwrap_or_default().split(',');
            for key in keys {
                let name = key.split('=').next().unwrap_or_default();
                assert!(matches!(name, "file" | "line" | "endLine" | "col" | "endColumn" | "title"), "{line}");
            }
        }
        assert!(text.lines().count() <= 30);
    }
}

#[test]
fn scan_markdown_contains_no_untrusted_markup() {
    let malicious =
        "<script>alert(1)</script> @everyone #12 !3 [x](http://evil.example) ![i](//e) | `c` **b** $x$ :boom:";
    let text = render(&filled(malicious), Format::Markdown);
    let mut pipes = None;
    for line in text.lines() {
        for markup in ["<script", "@everyone", "#12 ", "](", "http:", "**b**", "$x$", ":boom:"] {
            assert!(!line.contains(markup), "{markup} in: {line}");
        }
        let number = line.matches('|').count();
        if !line.starts_with('|') {
            pipes = None;
        } else {
            assert_eq!(
                *pipes.get_or_insert(number),
                number,
                "the row and its header have different numbers of cells: {line}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_scan_format_supports_any_text(text in any::<String>(), width in 0_usize..200, column in 0_u32..40, length in 0_u32..40) {
        let mut odd = finding("site-path", Severity::Error, &text, 1, &text, "");
        fill(&mut odd, &text);
        let span = odd.span.as_mut().expect("a span");
        (span.column, span.end_column) = (column, column + length);
        let mut other = odd.clone();
        other.suppressed = Some(Suppression { by: Suppressor::Inline, reason: text.clone() });
        let scan = with(vec![odd, other]);
        for format in Format::for_scans() {
            let rendered = render_scan(format, &scan, &Options { width, ..Options::default() }).expect("a report");
            match format {
                Format::Json | Format::Sarif | Format::Gitlab => {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&rendered).is_ok());
                }
                Format::Junit => prop_assert!(junit_parser::from_reader(rendered.as_bytes()).is_ok()),
                Format::Github => prop_assert!(rendered.lines().count() == 1),
                Format::Human | Format::Markdown | Format::Html | Format::Badge => {
                    prop_assert!(rendered.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
                }
            }
        }
    }
}
