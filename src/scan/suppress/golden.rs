//! Baselines written by earlier versions stay readable.

use std::fs;
use std::path::Path;

use super::baseline::Baseline;

#[test]
fn baselines_of_earlier_versions_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("tests/data/golden/0.1.0/baseline.json")).expect("a file");
    let baseline = Baseline::parse(&text).expect("a baseline");
    assert_eq!(baseline.to_text().expect("JSON"), text);
    let schema = fs::read_to_string(root.join("docs/schema/baseline.json")).expect("a schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let value = serde_json::from_str(&text).expect("JSON");
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
