//! Canonical JSON (sorted keys, one final newline) and digests that ignore values that vary between equal runs.

use serde::Serialize;
use serde_json::Value;

use super::digest::Digest;

/// Returns the indented canonical form, which is written to files and standard output.
///
/// Keys are sorted (the map of `serde_json` is ordered by key), so equal content gives equal bytes.
///
/// # Errors
/// If the value cannot be represented as JSON, such as a map with non-string keys.
pub fn to_string<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&serde_json::to_value(value)?)?;
    text.push('\n');
    Ok(text)
}

/// Returns the digest of the compact canonical form, without the given top-level keys and without `timing` at any
/// depth.
///
/// # Errors
/// See [`to_string`].
pub fn digest_without<T: Serialize>(value: &T, excluded: &[&str]) -> serde_json::Result<Digest> {
    let mut value = serde_json::to_value(value)?;
    if let Value::Object(map) = &mut value {
        map.retain(|key, _| !excluded.contains(&key.as_str()));
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
