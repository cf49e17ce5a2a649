//! Fingerprints of findings, which stay the same if lines move.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

/// Returns the fingerprint of a finding, 32 hexadecimal digits. It depends on the rule, the file and the normalized text of
/// the line, but not on the line number. Findings that agree in all of these differ in `occurrence`, counted from 0 at the
/// top of the file.
pub fn fingerprint(rule: &str, path: &str, text: &str, occurrence: u32) -> String {
    let mut hasher = Sha256::new();
    for part in [rule, path, &normalized(text)] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(occurrence.to_le_bytes());
    let mut digits = hex::encode(hasher.finalize());
    digits.truncate(32);
    digits
}

/// Returns the text with single spaces and without surrounding white space, so that indentation does not matter.
pub fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Creates fingerprints and counts the occurrences of each. Findings must be sorted by location.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<String, u32>,
}

impl Fingerprints {
    /// Returns the fingerprint of the next finding with this text.
    pub fn next(&mut self, rule: &str, path: &str, text: &str) -> String {
        let first = fingerprint(rule, path, text, 0);
        let seen = self.seen.entry(first.clone()).or_insert(0);
        let occurrence = *seen;
        *seen = seen.saturating_add(1);
        if occurrence == 0 { first } else { fingerprint(rule, path, text, occurrence) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprints, fingerprint};

    #[test]
    fn fingerprint_ignores_indentation() {
        let key = fingerprint("site-path", "a.py", "x = '/nfs/dust'", 0);
        assert_eq!(key, fingerprint("site-path", "a.py", "\t  x  =\t'/nfs/dust'\r", 0));
        assert_eq!((key.len(), key.bytes().all(|b| b.is_ascii_hexdigit())), (32, true));
    }

    #[test]
    fn fingerprint_depends_on_every_part() {
        let keys = [
            fingerprint("a", "b", "c", 0),
            fingerprint("a", "b", "c", 1),
            fingerprint("a", "b", "d", 0),
            fingerprint("a", "d", "c", 0),
            fingerprint("d", "b", "c", 0),
            fingerprint("ab", "", "c", 0),
            fingerprint("a", "", "b c", 0),
        ];
        let mut distinct = keys.to_vec();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn equal_lines_have_different_fingerprints() {
        let mut fingerprints = Fingerprints::default();
        let first = fingerprints.next("r", "p", "same");
        let second = fingerprints.next("r", "p", "  same");
        assert_eq!((first, second), (fingerprint("r", "p", "same", 0), fingerprint("r", "p", "same", 1)));
    }
}
