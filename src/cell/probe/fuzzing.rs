//! The parsers of untrusted files, for `fuzz/`.

use super::file_tree::into_text;
use super::package::{apk, conda, dpkg, rpm};
use super::{elf, mount, python, redact, stanza};

/// Parses a package database or metadata; the first byte selects the kind.
pub fn packages(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = || into_text(rest.to_vec());
    match kind % 7 {
        0 => drop(rpm::header::package(rest)),
        1 => headers(rpm::bdb::headers(rest)),
        2 => headers(rpm::ndb::headers(rest)),
        3 => drop(dpkg::parse(&text(), dpkg::Filter::Everything)),
        4 => drop(apk::parse(&text())),
        5 => drop(conda::parse(rest, "/opt/conda")),
        _ => metadata(&text()),
    }
}

fn headers(blobs: Result<Vec<Vec<u8>>, rpm::RpmError>) {
    blobs.unwrap_or_default().iter().for_each(|blob| drop(rpm::header::package(blob)));
}

fn metadata(text: &str) {
    for field in stanza::fields(text) {
        python::requires(field.value);
    }
    python::requires(text);
    drop(mount::parse(text));
    let redacted = redact::redact(text);
    assert_eq!(redact::redact(&redacted), redacted, "redaction is idempotent");
}

/// Parses the symbol versions and the architecture of an ELF file.
pub fn elf(data: &[u8]) {
    let _ = elf::machine(data);
    for prefix in ["GLIBC_", "GLIBCXX_", ""] {
        let _ = elf::highest(data, prefix);
    }
}
