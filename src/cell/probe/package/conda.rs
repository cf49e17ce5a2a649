//! Conda packages: `conda-meta/*.json` of every prefix.

use serde::Deserialize;

use super::super::file_tree::{FileTree, reason};
use super::super::redact::redact;
use crate::model::known::Known;
use crate::model::package::Package;

/// Maximum size of a package record in bytes; it lists every file of the package.
const MAX_RECORD_SIZE: u64 = 64 << 20;

/// The fields of a package record that are used.
#[derive(Deserialize)]
struct Record {
    name: String,
    version: String,
    #[serde(default)]
    build: String,
    #[serde(default)]
    subdir: String,
    #[serde(default)]
    channel: String,
}

/// Returns the packages of these prefixes. `None` if there is no prefix.
pub(crate) fn packages(root: &FileTree, prefixes: &[String]) -> Option<Known<Vec<Package>>> {
    if prefixes.is_empty() {
        return None;
    }
    let mut packages = Vec::new();
    for prefix in prefixes {
        let directory = format!("{prefix}/conda-meta");
        let entries = match root.list(&directory) {
            Ok(entries) => entries,
            Err(error) => return Some(Known::Unknown(reason(directory, &error))),
        };
        for entry in entries.into_iter().filter(|entry| entry.name.ends_with(".json")) {
            let path = format!("{directory}/{}", entry.name);
            let bytes = match root.read(&path, MAX_RECORD_SIZE) {
                Ok(bytes) => bytes,
                Err(error) => return Some(Known::Unknown(reason(path, &error))),
            };
            match parse(&bytes, prefix) {
                Ok(package) => packages.push(package),
                // The directory may contain other JSON files (`state`, `pixi`) without name and version.
                Err(_) if !entry.name.contains('-') || entry.name.starts_with("pixi") => {}
                Err(_) => return Some(Known::unknown(format!("{path}: not a package record"))),
            }
        }
    }
    Some(Known::Known(packages))
}

/// Parses one record.
pub(crate) fn parse(bytes: &[u8], prefix: &str) -> serde_json::Result<Package> {
    let record: Record = serde_json::from_slice(bytes)?;
    let channel = channel(&record.channel, &record.subdir);
    Ok(Package {
        name: record.name,
        version: record.version,
        arch: record.subdir,
        origin: [channel, record.build].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        prefix: prefix.to_owned(),
    })
}

/// Returns a channel without scheme, credentials and platform.
fn channel(url: &str, subdir: &str) -> String {
    let url = redact(url);
    let url = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let url = url.trim_end_matches('/');
    let url = url.strip_suffix(subdir).map_or(url, |rest| rest.trim_end_matches('/'));
    url.strip_prefix("conda.anaconda.org/").unwrap_or(url).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORD: &[u8] = br#"{"name":"numpy","version":"1.26.4","build":"py311h64a7726_0","subdir":"linux-64",
        "channel":"https://user:pw@conda.anaconda.org/t/ab-01234567-89/conda-forge/linux-64","files":["a","b"]}"#;

    #[test]
    fn origin_is_channel_and_build_without_tokens() {
        let package = parse(RECORD, "/opt/conda").expect("a record");
        assert_eq!(package.version, "1.26.4");
        assert_eq!(package.origin, "conda-forge py311h64a7726_0");
        assert_eq!(package.arch, "linux-64");
    }

    proptest! {
        #[test]
        fn damaged_record_does_not_panic(offset in 0..RECORD.len(), byte in any::<u8>()) {
            let mut bytes = RECORD.to_vec();
            bytes[offset] = byte;
            let _ = parse(&bytes, "/opt/conda");
        }
    }
}
