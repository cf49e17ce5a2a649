//! Durations and sizes as people write them.

/// Seconds of `90s`, `10m`, `1h30m` or a bare number.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    sum(text, &[("h", 3600), ("m", 60), ("s", 1), ("", 1)])
        .ok_or_else(|| format!("`{text}` is no duration: write 90s, 10m or 1h30m"))
}

/// Bytes of `512m`, `2GiB`, `2g`, `1.5G` or a bare number. Units are powers of 1024, as container engines read them.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no size: write 512m, 2g or 2GiB");
    let lower = text.trim().to_ascii_lowercase();
    let split = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(split);
    let factor: u64 = match unit.trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(bad()),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    let bytes = number * factor as f64;
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(bad()) }
}

/// Adds up numbers with units, largest unit first, each at most once.
fn sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut next = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let at = next + units.get(next..)?.iter().position(|(unit, _)| *unit == rest[..letters].trim())?;
        total = total.checked_add(number.checked_mul(units[at].1)?)?;
        rest = &rest[letters..];
        next = at + 1;
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::{bytes, seconds};

    #[test]
    fn durations() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("1h30m"), Ok(5400));
        assert_eq!(seconds("45"), Ok(45));
        for bad in ["", "0s", "10x", "m", "1m1h", "-3s", "99999999999999999999h"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes("512m"), Ok(512 << 20));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes("7"), Ok(7));
        for bad in ["", "0", "1q", "m", "1..2g", "1e99"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
