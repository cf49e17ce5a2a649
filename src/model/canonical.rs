//! Canonical JSON: keys sorted, one final newline, and hashes that leave out what may differ between two equal runs.

use serde::Serialize;
use serde_json::Value;

use super::digest::Digest;

/// The indented canonical form: what files and standard output get.
///
/// Objects are written with sorted keys (the map of `serde_json` is ordered by key), so the same content is the same bytes.
///
/// # Errors
/// When the value can't be JSON, such as a map whose keys aren't text.
pub fn to_string<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&serde_json::to_value(value)?)?;
    text.push('\n');
    Ok(text)
}

/// The digest of the compact canonical form, without the named top-level keys and without any `timing` at any depth.
///
/// # Errors
/// As [`to_string`].
pub fn digest_without<T: Serialize>(value: &T, left_out: &[&str]) -> serde_json::Result<Digest> {
    let mut value = serde_json::to_value(value)?;
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !left_out.contains(&key.as_str()));
    }
    drop_timing(&mut value);
    Ok(Digest::of(&serde_json::to_vec(&value)?))
}

fn drop_timing(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("timing");
            map.values_mut().for_each(drop_timing);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_timing),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
