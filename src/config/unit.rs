//! Durations and sizes.

use super::problem::InvalidValue;

/// Parses `90s`, `10m`, `1h30m` or a number of seconds.
pub(super) fn seconds(text: &str) -> Result<u64, InvalidValue> {
    sum(text, &[("h", 3600), ("m", 60), ("s", 1), ("", 1)])
        .ok_or_else(|| InvalidValue(format!("invalid duration `{text}`; expected e.g. 90s, 10m or 1h30m")))
}

/// Parses `512m`, `2GiB`, `2g`, `1.5G` or a number of bytes. Units are powers of 1024, as in container engines.
pub(super) fn bytes(text: &str) -> Result<u64, InvalidValue> {
    let invalid = || InvalidValue(format!("invalid size `{text}`; expected e.g. 512m, 2g or 2GiB"));
    let lower = text.trim().to_ascii_lowercase();
    let split = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(split);
    let factor: u64 = match unit.trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(invalid()),
    };
    let number: f64 = number.parse().map_err(|_| invalid())?;
    let bytes = number * factor as f64;
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(invalid()) }
}

/// Sums numbers with units, largest unit first, each at most once.
fn sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut next = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let index = next + units.get(next..)?.iter().position(|(unit, _)| *unit == rest[..letters].trim())?;
        total = total.checked_add(number.checked_mul(units[index].1)?)?;
        rest = &rest[letters..];
        next = index + 1;
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::{bytes, seconds};

    #[test]
    fn durations_are_parsed_or_rejected() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("1h30m"), Ok(5400));
        assert_eq!(seconds("45"), Ok(45));
        for invalid in ["", "0s", "10x", "m", "1m1h", "-3s", "99999999999999999999h"] {
            assert!(seconds(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn sizes_are_parsed_or_rejected() {
        assert_eq!(bytes("512m"), Ok(512 << 20));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes("7"), Ok(7));
        for invalid in ["", "0", "1q", "m", "1..2g", "1e99"] {
            assert!(bytes(invalid).is_err(), "{invalid}");
        }
    }
}
