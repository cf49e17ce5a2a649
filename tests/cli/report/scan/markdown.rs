//! Markdown reports for job summaries and comments.

use carnet::model::finding::Severity;
use carnet::report::Format;
use insta::assert_snapshot;

use super::render;
use crate::report::assert_file_snapshot;
use crate::support::scan_fixture::{finding, scan, with};

#[test]
fn markdown_report_of_the_scan_fixture() {
    assert_file_snapshot("scan-markdown", &render(&scan(), Format::Markdown));
}

#[test]
fn large_scan_report_omits_complete_sections() {
    let long = "x".repeat(280);
    let findings = (0..20_000).map(|n| {
        let mut finding = finding(&format!("rule-{}", n % 100), Severity::Error, &long, n, &long, "x");
        finding.message = long.clone();
        finding.help = Some(long.clone());
        finding
    });
    let text = render(&with(findings.collect()), Format::Markdown);
    assert!(text.len() < 1 << 20 && text.len() > 500_000, "{} bytes", text.len());
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    let end: Vec<&str> = text.lines().rev().take(8).collect();
    assert_snapshot!(end.into_iter().rev().collect::<Vec<_>>().join("\n"), @"
    _96 sections omitted because of the size limit; the JSON report is complete._

    <details>
    <summary>1 note about files that were not scanned</summary>

    - <code>data/huge.json</code>: <code>larger than 64 MiB&#58; not read</code>

    </details>
    ");
}
