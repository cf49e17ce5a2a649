//! Reports and baselines conform to their schemas.

use carnet::cli::schema;
use carnet::report::Options;
use carnet::report::{Format, render_scan};
use carnet::scan::suppress::baseline::Baseline;
use proptest::prelude::*;
use serde_json::Value;

use super::render;
use crate::support::scan_fixture::{finding, scan, with};

fn errors(schema: &Value, text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let value: Value = serde_json::from_str(text).expect("JSON");
    validator.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

fn own(format: schema::Format) -> Value {
    serde_json::to_value(format.schema()).expect("JSON")
}

fn sarif() -> Value {
    serde_json::from_str(include_str!("../../../data/sarif-2.1.0.json")).expect("JSON")
}

#[test]
fn scan_conforms_to_its_schema_and_can_be_read() {
    let text = render(&scan(), Format::Json);
    assert_eq!(errors(&own(schema::Format::Scan), &text), [""; 0]);
    let read: carnet::model::scan::Scan = serde_json::from_str(&text).expect("a scan");
    assert_eq!(read, scan());
}

#[test]
fn baseline_conforms_to_its_schema() {
    let baseline = Baseline::empty().updated(&scan().findings, jiff::civil::date(2026, 11, 22));
    assert_eq!(baseline.findings.len(), 11, "findings suppressed by comments or carnet.toml are omitted");
    let text = baseline.to_text().expect("JSON");
    assert_eq!(errors(&own(schema::Format::Baseline), &text), [""; 0]);
}

#[test]
fn sarif_report_conforms_to_the_schema_of_the_standard() {
    assert_eq!(errors(&sarif(), &render(&scan(), Format::Sarif)), [""; 0]);
    let options = Options { all: true, ..Options::default() };
    assert_eq!(errors(&sarif(), &render_scan(Format::Sarif, &scan(), &options).expect("JSON")), [""; 0]);
    assert_eq!(errors(&sarif(), &render(&with(Vec::new()), Format::Sarif)), [""; 0]);
    let wrong = render(&scan(), Format::Sarif).replace("\"level\": \"error\"", "\"level\": \"bad\"");
    assert!(!errors(&sarif(), &wrong).is_empty(), "the schema rejects an invalid level");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sarif_report_of_any_text_conforms_to_the_schema(text in any::<String>(), number in any::<u32>()) {
        let mut odd = finding(&text, carnet::model::finding::Severity::Error, &text, number, &text, "");
        odd.message = text.clone();
        if let Some(span) = &mut odd.span {
            (span.column, span.end_line, span.end_column) = (number.wrapping_mul(7), number.wrapping_mul(3), number / 3);
        }
        let mut scan = with(vec![odd]);
        scan.analysis.remote = Some(format!("https://{text}"));
        prop_assert_eq!(errors(&sarif(), &render(&scan, Format::Sarif)), [""; 0]);
    }
}
