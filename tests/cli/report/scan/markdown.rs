//! The form for step summaries and comments.

use carnet::model::finding::Severity;
use carnet::report::Format;

use super::render;
use crate::report::assert_snapshot;
use crate::support::scan_fixture::{finding, scan, with};

#[test]
fn a_table_by_severity_comes_first_and_the_findings_of_each_rule_are_folded() {
    assert_snapshot("scan-markdown", &render(&scan(), Format::Markdown));
}

#[test]
fn it_is_cut_between_sections_below_a_mebibyte() {
    let long = "x".repeat(280);
    let findings = (0..20_000).map(|n| {
        let mut long_one = finding(&format!("rule-{}", n % 100), Severity::Error, &long, n, &long, "x");
        long_one.message = long.clone();
        long_one.help = Some(long.clone());
        long_one
    });
    let text = render(&with(findings.collect()), Format::Markdown);
    assert!(text.len() < 1 << 20 && text.len() > 500_000, "{} bytes", text.len());
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert!(text.contains("left out for size") && text.contains("could not be looked at"));
}
