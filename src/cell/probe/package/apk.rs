//! The package database of Alpine, written by apk-tools: each field name is one letter.

use super::super::file_tree::{FileTree, MAX_LARGE_FILE_SIZE, into_text, reason};
use super::super::stanza::{fields, stanzas};
use crate::model::known::Known;
use crate::model::package::Package;

const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// Returns the installed packages. `None` if there is no such database.
pub(crate) fn packages(root: &FileTree) -> Option<Known<Vec<Package>>> {
    let path = DATABASES.into_iter().find(|path| root.exists(path))?;
    Some(match root.read(path, MAX_LARGE_FILE_SIZE) {
        Ok(bytes) => Known::Known(parse(&into_text(bytes))),
        Err(error) => Known::Unknown(reason(path, &error)),
    })
}

/// Parses an `installed` file.
pub(crate) fn parse(text: &str) -> Vec<Package> {
    stanzas(text)
        .filter_map(|stanza| {
            let mut package = Package {
                name: String::new(),
                version: String::new(),
                arch: String::new(),
                origin: String::new(),
                prefix: String::new(),
            };
            for field in fields(stanza) {
                match field.name {
                    "P" => field.value.clone_into(&mut package.name),
                    "V" => field.value.clone_into(&mut package.version),
                    "A" => field.value.clone_into(&mut package.arch),
                    "o" => field.value.clone_into(&mut package.origin),
                    _ => {}
                }
            }
            if package.origin == package.name {
                package.origin.clear();
            }
            (!package.name.is_empty()).then_some(package)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\n\
        P:musl-utils\nV:1.2.5-r0\nA:x86_64\no:musl\n\n";

    #[test]
    fn packages_are_read_with_their_origin() {
        let got: Vec<_> = parse(TEXT).into_iter().map(|p| (p.name, p.version, p.origin)).collect();
        let expected = [("musl", "1.2.5-r0", ""), ("musl-utils", "1.2.5-r0", "musl")];
        assert_eq!(got, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    proptest! {
        #[test]
        fn any_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            parse(&into_text(bytes));
        }
    }
}
