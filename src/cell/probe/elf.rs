//! The machine and the defined versions of an ELF file.

use object::read::elf::{FileHeader, VerdefIterator};
use object::{Endianness, elf};

/// Maximum number of versions of a library; libstdc++ defines about a hundred.
const MAX_VERSIONS: usize = 10_000;

/// Returns the architecture of an ELF file as printed by `uname -m`. `None` for other files and machines.
pub(in crate::cell) fn machine(bytes: &[u8]) -> Option<&'static str> {
    if !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    let little = bytes.get(5) != Some(&2);
    let word: [u8; 2] = bytes.get(18..20)?.try_into().ok()?;
    let machine = if little { u16::from_le_bytes(word) } else { u16::from_be_bytes(word) };
    Some(match machine {
        3 => "i686",
        21 if little => "ppc64le",
        21 => "ppc64",
        22 => "s390x",
        40 => "armv7l",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv64",
        _ => return None,
    })
}

/// Reports whether the first bytes of a file are those of an ELF program.
pub(super) fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

/// Returns the highest version with a prefix that a shared library defines: `3.4.30` for `GLIBCXX_`.
pub(super) fn highest(bytes: &[u8], prefix: &str) -> Option<String> {
    let versions = if bytes.get(4) == Some(&1) {
        defined::<elf::FileHeader32<Endianness>>(bytes)
    } else {
        defined::<elf::FileHeader64<Endianness>>(bytes)
    };
    versions
        .iter()
        .filter_map(|name| name.strip_prefix(prefix))
        .filter_map(numbers)
        .max()
        .map(|version| version.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
}

/// Parses the numbers of a dotted version. `None` for other texts (`GLIBC_PRIVATE`).
pub(super) fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

fn defined<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Vec<String> {
    read::<Elf>(bytes).unwrap_or_default()
}

fn read<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> object::Result<Vec<String>> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some((mut versions, link)): Option<(VerdefIterator<'_, Elf>, _)> = sections.gnu_verdef(endian, bytes)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, bytes, link)?;
    let mut out = Vec::new();
    while let Some((_, mut names)) = versions.next()? {
        if let Some(name) = names.next()? {
            out.push(String::from_utf8_lossy(name.name(endian, strings)?).into_owned());
        }
        if out.len() == MAX_VERSIONS {
            break;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn machine_of_a_program_is_read() {
        let own = std::fs::read("/proc/self/exe").expect("this program");
        assert_eq!(machine(&own), Some(std::env::consts::ARCH));
        assert_eq!(machine(b"#!/bin/sh"), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(numbers("3.4.9") < numbers("3.4.30"));
        assert_eq!(numbers("PRIVATE"), None);
    }

    /// Returns a shared library with versions (see `elf.sh` in the directory of the fixtures).
    fn library() -> Vec<u8> {
        let path = format!("{}/tests/data/probe/libversion.so.zst", env!("CARGO_MANIFEST_DIR"));
        zstd::decode_all(std::fs::File::open(path).expect("a fixture")).expect("zstd")
    }

    #[test]
    fn highest_version_is_found() {
        assert_eq!(highest(&library(), "GLIBCXX_").as_deref(), Some("3.4.30"));
        assert_eq!(highest(&library(), "CXXABI_").as_deref(), Some("1.3.13"));
        assert_eq!(highest(&library(), "GLIBC_"), None);
    }

    proptest! {
        #[test]
        fn damaged_library_does_not_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..100)) {
            let mut bytes = library();
            for (offset, byte) in changes {
                let offset = offset.index(bytes.len());
                bytes[offset] = byte;
            }
            highest(&bytes, "GLIBCXX_");
            machine(&bytes);
        }

        #[test]
        fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut bytes = bytes;
            highest(&bytes, "GLIBC_");
            if bytes.len() > 6 {
                bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
                highest(&bytes, "GLIBC_");
            }
        }
    }
}
