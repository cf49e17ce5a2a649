//! The C library and libstdc++ that a program loads.

use std::collections::BTreeMap;

use super::elf;
use super::file_tree::{FileTree, MAX_LARGE_FILE_SIZE};
use super::variable::list;
use crate::model::known::Known;
use crate::model::system::Libc;

/// Search directories of the loaders of all supported distributions and architectures.
const DIRECTORIES: &[&str] = &[
    "/lib64",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib/powerpc64le-linux-gnu",
    "/usr/lib/powerpc64le-linux-gnu",
    "/lib",
    "/usr/lib",
];

/// Returns the C library of the system.
pub(super) fn libc(root: &FileTree) -> Known<Libc> {
    let named = |name: &str, version: String| Libc { name: name.to_owned(), version };
    if let Some(path) = find(root, "libc.so.6") {
        return match root.read(&path, MAX_LARGE_FILE_SIZE) {
            Ok(bytes) => match glibc_version(root, &path, &bytes) {
                Some(version) => Known::Known(named("glibc", version)),
                None => Known::unknown(format!("{path}: no version found")),
            },
            Err(error) => Known::Unknown(super::file_tree::reason(&path, &error)),
        };
    }
    let loaders = ["/lib", "/usr/lib"].into_iter().flat_map(|directory| {
        root.names(directory)
            .into_iter()
            .filter(|name| name.starts_with("ld-musl-"))
            .map(move |name| format!("{directory}/{name}"))
    });
    if let Some(path) = loaders.into_iter().next() {
        return match root.read(&path, MAX_LARGE_FILE_SIZE).ok().as_deref().and_then(musl_version) {
            Some(version) => Known::Known(named("musl", version)),
            None => Known::unknown(format!("{path}: no version found")),
        };
    }
    Known::Known(named("none", String::new()))
}

/// Returns the architecture of the programs in the tree, if one can be read.
pub(super) fn arch(root: &FileTree) -> Option<&'static str> {
    let libraries = ["libc.so.6", "libc.so"].into_iter().filter_map(|name| find(root, name));
    let programs = ["/bin/sh", "/usr/bin/env", "/bin/busybox", "/usr/bin/python3"].map(str::to_owned);
    libraries.chain(programs).find_map(|path| elf::machine(&root.head(path, 64).ok()?))
}

/// Returns the highest `GLIBCXX_` and `CXXABI_` versions of the libstdc++ that a program loads.
///
/// `LD_LIBRARY_PATH` has precedence, then the active conda environment, then the system directories.
pub(super) fn libstdcxx(
    root: &FileTree,
    env: &BTreeMap<String, String>,
    conda: Option<&str>,
) -> (Known<String>, Known<String>) {
    let own = env.get("LD_LIBRARY_PATH").map(|value| list(value)).unwrap_or_default();
    let conda = conda.map(|prefix| format!("{prefix}/lib"));
    let directories = own.into_iter().filter(|entry| !entry.is_empty()).chain(conda);
    let found = directories
        .chain(DIRECTORIES.iter().map(|&d| d.to_owned()))
        .map(|d| format!("{d}/libstdc++.so.6"))
        .find(|p| root.exists(p));
    // A missing libstdc++ is a known value.
    let Some(path) = found else { return (Known::Known(String::new()), Known::Known(String::new())) };
    match root.read(&path, MAX_LARGE_FILE_SIZE) {
        Ok(bytes) => {
            let version = |prefix: &str| match elf::highest(&bytes, prefix) {
                Some(version) => Known::Known(version),
                None => Known::unknown(format!("{path} defines no {prefix} version")),
            };
            (version("GLIBCXX_"), version("CXXABI_"))
        }
        Err(error) => {
            let reason = super::file_tree::reason(&path, &error);
            (Known::Unknown(reason.clone()), Known::Unknown(reason))
        }
    }
}

fn find(root: &FileTree, name: &str) -> Option<String> {
    DIRECTORIES.iter().map(|directory| format!("{directory}/{name}")).find(|path| root.exists(path))
}

/// Returns the version in the banner of `libc.so.6`, otherwise in its file name, otherwise its highest defined version.
fn glibc_version(root: &FileTree, path: &str, bytes: &[u8]) -> Option<String> {
    let banner = || {
        let after = after(bytes, b"GNU C Library ")?;
        version(leading_text(after.get(..after.len().min(200))?).split_once("release version ")?.1)
    };
    let named = || {
        let target = root.resolve(path.as_ref()).ok()?;
        version(target.file_name()?.to_str()?.strip_prefix("libc-")?)
    };
    banner().or_else(named).or_else(|| elf::highest(bytes, "GLIBC_"))
}

/// Returns the version of musl. It is a separate C string, because the loader formats it with `Version %s`.
fn musl_version(bytes: &[u8]) -> Option<String> {
    after(bytes, b"musl libc (")?;
    bytes.split(|&byte| byte == 0).filter(|text| (5..=12).contains(&text.len())).find_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        let numbers = elf::numbers(text)?;
        (numbers.len() == 3 && numbers[0] < 10).then(|| text.to_owned())
    })
}

fn leading_text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

fn after<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|&byte| byte == first) {
        let rest = &bytes[from + at..];
        if rest.starts_with(needle) {
            return Some(&rest[needle.len()..]);
        }
        from += at + 1;
    }
    None
}

fn version(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let version = text[..end].trim_end_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> (tempfile::TempDir, FileTree) {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(dir.path().join("lib64")).expect("directories");
        fs::create_dir_all(dir.path().join("lib")).expect("directories");
        let root = FileTree::new(dir.path());
        (dir, root)
    }

    #[test]
    fn glibc_version_is_read_from_the_banner() {
        let (dir, root) = tree();
        fs::write(
            dir.path().join("lib64/libc.so.6"),
            b"\x7fELF..\0GNU C Library (GNU libc) stable release version 2.34.\n\xff",
        )
        .expect("a file");
        assert_eq!(libc(&root).get().map(|libc| libc.version.as_str()), Some("2.34"));
    }

    #[test]
    fn glibc_version_is_read_from_the_file_name_without_a_banner() {
        let (dir, root) = tree();
        fs::write(dir.path().join("lib64/libc-2.17.so"), b"x").expect("a file");
        symlink("libc-2.17.so", dir.path().join("lib64/libc.so.6")).expect("a link");
        assert_eq!(libc(&root).get().map(|libc| libc.version.as_str()), Some("2.17"));
    }

    #[test]
    fn missing_libstdcxx_is_known() {
        let (_dir, root) = tree();
        let none = || Known::Known(String::new());
        assert_eq!(libstdcxx(&root, &BTreeMap::new(), None), (none(), none()));
    }

    #[test]
    fn musl_and_missing_libc_are_distinguished() {
        let (dir, root) = tree();
        assert_eq!(libc(&root).get().map(|libc| libc.name.clone()), Some("none".to_owned()));
        fs::write(dir.path().join("lib/ld-musl-x86_64.so.1"), b"\0musl libc (x86_64)\nVersion %s\n\x001.2.5\0")
            .expect("a file");
        let expected = Libc { name: "musl".to_owned(), version: "1.2.5".to_owned() };
        assert_eq!(libc(&root).get(), Some(&expected));
    }
}
