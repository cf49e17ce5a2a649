//! Output without the parts that vary from run to run.

use serde_json::Value;

use crate::support::TestEnv;

/// Replaces the temporary directory, durations, and hexadecimal ids.
pub(crate) fn redacted(env: &TestEnv, output: &str) -> String {
    let output = output.replace(env.root().to_str().expect("UTF-8"), "[ROOT]");
    output.lines().map(|line| without_durations(&without_ids(line)) + "\n").collect()
}

/// Replaces at least 12 hexadecimal digits in a row.
fn without_ids(line: &str) -> String {
    let parts = line.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    let redact = |part: &str| {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        if digits.len() >= 12 { part.replace(digits, "[ID]") } else { part.to_owned() }
    };
    parts.map(redact).collect()
}

/// Replaces `0.57 s`.
fn without_durations(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let number = words.last().map_or("", |last| last.trim_start_matches('(')).to_owned();
        match (word.strip_prefix('s'), words.last_mut()) {
            (Some(end), Some(last)) if matches!(end, "" | "," | ")") && number.parse::<f64>().is_ok() => {
                *last = last.replace(&number, "[TIME]") + end;
            }
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

/// Removes all fields `timing`.
pub(crate) fn without_timing(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.remove("timing");
            map.values_mut().for_each(|inner| *inner = without_timing(inner.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| *inner = without_timing(inner.take())),
        _ => {}
    }
    value
}
