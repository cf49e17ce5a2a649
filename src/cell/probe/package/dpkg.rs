//! The package database of Debian: `/var/lib/dpkg/status`, and `status.d` in images without dpkg.

use super::super::file_tree::{FileTree, MAX_LARGE_FILE_SIZE, into_text, reason};
use super::super::stanza::{fields, stanzas};
use crate::model::known::Known;
use crate::model::package::Package;

const STATUS: &str = "/var/lib/dpkg/status";
const STATUS_DIR: &str = "/var/lib/dpkg/status.d";

/// Returns the installed packages. `None` if there is no such database.
pub(crate) fn packages(root: &FileTree) -> Option<Known<Vec<Package>>> {
    let mut packages = Vec::new();
    let mut exists = false;
    if root.exists(STATUS) {
        exists = true;
        match root.read(STATUS, MAX_LARGE_FILE_SIZE) {
            Ok(bytes) => packages.extend(parse(&into_text(bytes), Filter::Installed)),
            Err(error) => return Some(Known::Unknown(reason(STATUS, &error))),
        }
    }
    for name in root.names(STATUS_DIR) {
        if name.ends_with(".md5sums") {
            continue;
        }
        exists = true;
        let path = format!("{STATUS_DIR}/{name}");
        match root.text(&path) {
            Ok(text) => packages.extend(parse(&text, Filter::Everything)),
            Err(error) => return Some(Known::Unknown(reason(path, &error))),
        }
    }
    exists.then_some(Known::Known(packages))
}

/// Which packages to return.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Packages that are installed according to `Status`, not removed packages with remaining configuration files.
    Installed,
    /// All packages: `status.d` has no `Status`.
    Everything,
}

/// Parses a status file.
pub(crate) fn parse(text: &str, filter: Filter) -> Vec<Package> {
    stanzas(text).filter_map(|stanza| package(stanza, filter)).collect()
}

fn package(stanza: &str, filter: Filter) -> Option<Package> {
    let (mut name, mut version, mut arch, mut source, mut status) = ("", "", "", "", "");
    for field in fields(stanza) {
        match field.name {
            "Package" => name = field.value,
            "Version" => version = field.value,
            "Architecture" => arch = field.value,
            "Source" => source = field.value,
            "Status" => status = field.value,
            _ => {}
        }
    }
    let installed = filter == Filter::Everything || status.split_whitespace().nth(2) == Some("installed");
    if name.is_empty() || !installed {
        return None;
    }
    let source = source.split_whitespace().next().unwrap_or_default();
    Some(Package {
        name: name.to_owned(),
        version: version.to_owned(),
        arch: arch.to_owned(),
        origin: if source == name { String::new() } else { source.to_owned() },
        prefix: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc (2.36)\n\
        Version: 2.36-9\nDescription: x\n Package: no\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
        Package: held\nStatus: hold ok installed\nVersion: 3\nSource: held\n";

    #[test]
    fn only_installed_packages_are_listed() {
        let got: Vec<_> = parse(TEXT, Filter::Installed).into_iter().map(|p| (p.name, p.version, p.origin)).collect();
        let expected = [("libc6", "2.36-9", "glibc"), ("held", "3", "")];
        assert_eq!(got, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    #[test]
    fn image_without_dpkg_has_packages() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(dir.path().join("var/lib/dpkg/status.d")).expect("directories");
        std::fs::write(dir.path().join("var/lib/dpkg/status.d/base"), "Package: base-files\nVersion: 12\n")
            .expect("a file");
        std::fs::write(dir.path().join("var/lib/dpkg/status.d/base.md5sums"), "00  etc/x\n").expect("a file");
        let packages = packages(&FileTree::new(dir.path())).expect("a database");
        assert_eq!(packages.get().map(|p| p.len()), Some(1));
    }

    #[test]
    fn database_that_is_not_a_file_is_unknown() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(dir.path().join("var/lib/dpkg/status")).expect("directories");
        assert!(packages(&FileTree::new(dir.path())).is_some_and(|p| p.reason().is_some()));
    }

    proptest! {
        #[test]
        fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            parse(&into_text(bytes), Filter::Everything);
        }

        #[test]
        fn damaged_database_does_not_panic(offset in 0..TEXT.len(), byte in any::<u8>()) {
            let mut bytes = TEXT.as_bytes().to_vec();
            bytes[offset] = byte;
            prop_assert!(parse(&into_text(bytes), Filter::Everything).len() <= 5);
        }
    }
}
