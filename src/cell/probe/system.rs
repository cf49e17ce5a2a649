//! Operating system, locale and time zone.

use std::collections::BTreeMap;

use super::file_tree::{FileTree, reason};
use crate::model::known::Known;
use crate::model::system::OsRelease;

/// Returns the content of `os-release` (`os-release(5)`), otherwise of `redhat-release`.
pub(super) fn os(root: &FileTree) -> Known<OsRelease> {
    let mut first = None;
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        match root.text(path) {
            Ok(text) => return Known::Known(os_release(&text)),
            Err(error) => {
                first.get_or_insert_with(|| reason(path, &error));
            }
        }
    }
    Known::Unknown(first.unwrap_or_default())
}

fn os_release(text: &str) -> OsRelease {
    let value = |name: &str| {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        unquote(value.unwrap_or_default())
    };
    let or = |value: String, default: &str| if value.is_empty() { default.to_owned() } else { value };
    OsRelease { id: or(value("ID"), "linux"), version: value("VERSION_ID"), name: or(value("PRETTY_NAME"), "Linux") }
}

/// Removes quotes and escapes from a shell value.
fn unquote(value: &str) -> String {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(single) = inner('\'') {
        return single.to_owned();
    }
    let mut out = String::new();
    let mut chars = inner('"').unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// Returns the locale: `LC_ALL`, otherwise `LC_CTYPE`, otherwise `LANG`, otherwise `C`.
pub(super) fn locale(env: &BTreeMap<String, String>) -> String {
    let set = |name: &&str| env.get(*name).filter(|value| !value.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).cloned().unwrap_or_else(|| "C".to_owned())
}

/// Returns the time zone.
pub(super) fn timezone(root: &FileTree, env: &BTreeMap<String, String>) -> Known<String> {
    const LOCALTIME: &str = "/etc/localtime";
    if let Some(zone) = env.get("TZ").filter(|zone| !zone.is_empty()) {
        return Known::Known(zone.trim_start_matches(':').to_owned());
    }
    let named = root.link(LOCALTIME.as_ref()).ok().and_then(|target| {
        let target = target.to_str()?.to_owned();
        target.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned())
    });
    match named {
        // A link into a missing zone database results in UTC, but the intended zone is reported.
        Some(zone) => Known::Known(zone),
        None if !root.exists(LOCALTIME) => Known::Known("UTC".to_owned()),
        None => match root.text("/etc/timezone") {
            Ok(text) if !text.trim().is_empty() => Known::Known(text.trim().to_owned()),
            _ => Known::unknown("/etc/localtime is a copy without a name"),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_in_os_release_are_removed() {
        let got = os_release("NAME=x\nID=\"almalinux\"\nVERSION_ID='9.4'\nPRETTY_NAME=\"Alma \\\"9\\\"\"\n");
        assert_eq!((got.id.as_str(), got.version.as_str(), got.name.as_str()), ("almalinux", "9.4", "Alma \"9\""));
    }

    #[test]
    fn locale_follows_the_order_of_the_c_library() {
        let env = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(locale(&env(&[("LANG", "de"), ("LC_CTYPE", "fr"), ("LC_ALL", "")])), "fr");
        assert_eq!(locale(&env(&[])), "C");
    }

    #[test]
    fn time_zone_is_the_target_of_localtime() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = FileTree::new(dir.path());
        let none = BTreeMap::new();
        assert_eq!(timezone(&root, &none).get().map(String::as_str), Some("UTC"));
        std::fs::create_dir(dir.path().join("etc")).expect("a directory");
        std::os::unix::fs::symlink("/usr/share/zoneinfo/Europe/Zurich", dir.path().join("etc/localtime"))
            .expect("a link");
        assert_eq!(timezone(&root, &none).get().map(String::as_str), Some("Europe/Zurich"));
    }

    proptest! {
        #[test]
        fn any_text_does_not_panic(text in any::<String>()) {
            os_release(&text);
        }
    }
}
