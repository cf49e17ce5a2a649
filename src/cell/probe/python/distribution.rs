//! Installed distributions of a search path: `.dist-info`, `.egg-info`, `.egg-link`, and eggs.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use serde::Deserialize;

use super::super::file_tree::{Entry, FileTree, Kind, reason};
use super::super::redact::redact;
use super::super::stanza::fields;
use super::super::variable::is_own;
use super::Distributions;
use super::marker::Markers;
use super::{module, requirement};
use crate::model::known::Known;
use crate::model::python::{Distribution, DistributionFormat, normalize};

/// Maximum number of threads per directory; more threads contend in the kernel.
const MAX_THREADS: usize = 4;
/// Minimum number of entries per thread.
const ENTRIES_PER_THREAD: usize = 50;

/// A search for the distributions of a Python.
pub(super) struct Search<'a> {
    pub(super) root: &'a FileTree,
    /// The active user site directory.
    pub(super) user_site: Option<&'a str>,
    /// Evaluates the markers of requirements.
    pub(super) markers: &'a Markers,
}

impl Search<'_> {
    /// Returns every distribution on a path, sorted by name; the imported copy comes first.
    pub(super) fn all(&self, path: &[String]) -> Distributions {
        let mut found: Vec<Distribution> = Vec::new();
        let mut seen = Vec::new();
        for entry in path.iter().filter(|entry| !is_own(entry)) {
            // Missing entries and zip files are skipped.
            let Some(identity) = self.root.identity(entry).filter(|_| self.root.is_dir(entry)) else { continue };
            if seen.contains(&identity) {
                continue;
            }
            seen.push(identity);
            match self.root.list(entry) {
                Ok(entries) => found.extend(self.directory(entry, &entries)),
                Err(error) => return Known::Unknown(reason(entry, &error)),
            }
        }
        Known::Known(rank(found))
    }

    /// Returns the distributions of one directory.
    fn directory(&self, directory: &str, entries: &[Entry]) -> Vec<Distribution> {
        let mut out = self.each(directory, entries);
        if directory.ends_with(".egg") {
            let egg =
                Path::new(directory).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let location = MetadataLocation { directory, format: DistributionFormat::EggInfo, name: &egg };
            out.extend(self.metadata(&location, &format!("{directory}/EGG-INFO"), "PKG-INFO", entries));
        }
        out
    }

    /// Reads every entry; a large directory is read by several threads.
    fn each(&self, directory: &str, entries: &[Entry]) -> Vec<Distribution> {
        let read = |part: &[Entry]| -> Vec<Distribution> {
            part.iter().filter_map(|entry| self.read(directory, entry, entries)).collect()
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
        let part = entries.len().div_ceil(threads).max(ENTRIES_PER_THREAD);
        if entries.len() <= part {
            return read(entries);
        }
        thread::scope(|scope| {
            let read = &read;
            let parts: Vec<_> = entries.chunks(part).map(|part| scope.spawn(move || read(part))).collect();
            parts.into_iter().flat_map(super::super::join).collect()
        })
    }

    fn read(&self, directory: &str, entry: &Entry, entries: &[Entry]) -> Option<Distribution> {
        let name = entry.name.as_str();
        // pip renames a directory that it cannot remove immediately to `~name`.
        if name.starts_with(['~', '.']) {
            return None;
        }
        let path = format!("{directory}/{name}");
        if name.ends_with(".dist-info") {
            let location = MetadataLocation { directory, format: DistributionFormat::DistInfo, name };
            self.metadata(&location, &path, "METADATA", entries)
        } else if name.ends_with(".egg-info") {
            let location = MetadataLocation { directory, format: DistributionFormat::EggInfo, name };
            if entry.kind == Kind::Directory || self.root.is_dir(&path) {
                self.metadata(&location, &path, "PKG-INFO", entries)
            } else {
                let headers = self.root.headers(&path).ok()?;
                Some(self.distribution(&location, &headers, None, entries))
            }
        } else if name.ends_with(".egg-link") {
            self.egg_link(directory, name)
        } else {
            None
        }
    }

    /// Reads a distribution with a metadata directory. Without readable metadata, name and version are those of the
    /// directory.
    fn metadata(
        &self,
        location: &MetadataLocation<'_>,
        path: &str,
        file: &str,
        entries: &[Entry],
    ) -> Option<Distribution> {
        let headers = self.root.headers(format!("{path}/{file}")).unwrap_or_default();
        if headers.is_empty() && !self.root.is_dir(path) {
            return None;
        }
        Some(self.distribution(location, &headers, Some(path), entries))
    }

    fn distribution(
        &self,
        location: &MetadataLocation<'_>,
        headers: &str,
        path: Option<&str>,
        entries: &[Entry],
    ) -> Distribution {
        let (mut name, mut version, mut requires) = (String::new(), String::new(), Vec::new());
        for field in fields(headers) {
            match field.name {
                "Name" if name.is_empty() => field.value.clone_into(&mut name),
                "Version" if version.is_empty() => field.value.clone_into(&mut version),
                "Requires-Dist" => requires.extend(requirement::name(field.value, self.markers)),
                _ => {}
            }
        }
        let (stem_name, stem_version) = stem(location.name);
        if name.is_empty() {
            stem_name.clone_into(&mut name);
        }
        if version.is_empty() {
            stem_version.clone_into(&mut version);
        }
        let small = |file: &str| path.and_then(|path| self.root.text(format!("{path}/{file}")).ok());
        if location.format == DistributionFormat::EggInfo {
            requires.extend(requirement::egg(&small("requires.txt").unwrap_or_default(), self.markers));
        }
        requires.sort();
        requires.dedup();
        let direct = small("direct_url.json").and_then(|text| direct_url(&text));
        let finder = module::editable(entries, &name, &version);
        let editable = direct.as_ref().is_some_and(|direct| direct.editable) || finder.is_some();
        let modules = module::modules(&module::Sources {
            root: self.root,
            directory: location.directory,
            metadata: path,
            finder,
        });
        let installer = small("INSTALLER").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Distribution {
            normalized: normalize(&name),
            name,
            version,
            location: location.directory.to_owned(),
            format: location.format,
            installer: installer.unwrap_or_else(|| installer_of(location).to_owned()),
            direct_url: direct.map(|direct| direct.url),
            editable,
            user_site: self.user_site.is_some_and(|user| same(user, location.directory)),
            shadowed: false,
            modules,
            requires,
        }
    }

    /// Reads a legacy editable installation: the file contains the path of the project with its `.egg-info`.
    fn egg_link(&self, directory: &str, name: &str) -> Option<Distribution> {
        let text = self.root.text(format!("{directory}/{name}")).ok()?;
        let project = text.lines().next()?.trim().trim_end_matches('/').to_owned();
        if !project.starts_with('/') {
            return None;
        }
        let expected = normalize(name.trim_end_matches(".egg-link"));
        let info = self
            .root
            .names(&project)
            .into_iter()
            .find(|entry| entry.strip_suffix(".egg-info").is_some_and(|entry| normalize(entry) == expected));
        let info = info.unwrap_or_else(|| name.replace(".egg-link", ".egg-info"));
        let location = MetadataLocation { directory: &project, format: DistributionFormat::EggLink, name: &info };
        let path = format!("{project}/{info}");
        let headers = self.root.headers(format!("{path}/PKG-INFO")).unwrap_or_default();
        let mut found = self.distribution(&location, &headers, Some(&path), &[]);
        directory.clone_into(&mut found.location);
        found.user_site = self.user_site.is_some_and(|user| same(user, directory));
        found.editable = true;
        found.direct_url.get_or_insert_with(|| format!("file://{project}"));
        Some(found)
    }
}

/// Where metadata was found.
struct MetadataLocation<'a> {
    directory: &'a str,
    format: DistributionFormat,
    name: &'a str,
}

/// Returns the installer of Debian packages, which have a separate directory instead of an `INSTALLER` file.
fn installer_of(location: &MetadataLocation<'_>) -> &'static str {
    if location.directory.starts_with("/usr/lib/python3") && location.directory.ends_with("/dist-packages") {
        "debian"
    } else {
        ""
    }
}

/// Returns name and version in the name of a metadata directory: `numpy-1.26.4.dist-info`, `pkg-1.0-py3.11.egg-info`.
fn stem(name: &str) -> (&str, &str) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut parts = stem.splitn(3, '-');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// Sorts by name, keeps the path order of copies, and marks hidden copies.
fn rank(found: Vec<Distribution>) -> Vec<Distribution> {
    let linked: Vec<(String, String)> = found
        .iter()
        .filter(|distribution| distribution.format == DistributionFormat::EggLink)
        .filter_map(|distribution| {
            Some((
                distribution.normalized.clone(),
                distribution.direct_url.as_deref()?.strip_prefix("file://")?.to_owned(),
            ))
        })
        .collect();
    let mut by_name: BTreeMap<String, Vec<Distribution>> = BTreeMap::new();
    for mut distribution in found {
        // The project of an egg link is on the path too and contains the same distribution.
        if distribution.format == DistributionFormat::EggInfo
            && linked.iter().any(|(name, at)| *name == distribution.normalized && *at == distribution.location)
        {
            continue;
        }
        let copies = by_name.entry(distribution.normalized.clone()).or_default();
        distribution.shadowed = !copies.is_empty();
        copies.push(distribution);
    }
    by_name.into_values().flatten().collect()
}

struct Direct {
    url: String,
    editable: bool,
}

/// Parses the source of a distribution (PEP 610), without credentials.
fn direct_url(text: &str) -> Option<Direct> {
    #[derive(Deserialize)]
    struct Raw {
        url: String,
        #[serde(default)]
        dir_info: Option<DirInfo>,
        #[serde(default)]
        vcs_info: Option<VcsInfo>,
    }
    #[derive(Deserialize)]
    struct DirInfo {
        #[serde(default)]
        editable: bool,
    }
    #[derive(Deserialize)]
    struct VcsInfo {
        vcs: String,
        #[serde(default)]
        commit_id: String,
    }
    let raw: Raw = serde_json::from_str(text).ok()?;
    let url = redact(&raw.url);
    let url = match raw.vcs_info {
        Some(info) if info.commit_id.is_empty() => format!("{}+{url}", info.vcs),
        Some(info) => format!("{}+{url}@{}", info.vcs, info.commit_id),
        None => url,
    };
    Some(Direct { url, editable: raw.dir_info.is_some_and(|info| info.editable) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a directory"))
        }

        fn file(&self, path: &str, text: &str) -> &Self {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
            self
        }

        fn all(&self, path: &[&str], user_site: Option<&str>) -> Vec<Distribution> {
            let root = FileTree::new(self.0.path());
            let path: Vec<String> = path.iter().map(|entry| (*entry).to_owned()).collect();
            let found = Search { root: &root, user_site, markers: &Markers::new("3.11.2") }.all(&path);
            found.get().cloned().expect("known")
        }
    }

    #[test]
    fn first_copy_on_the_path_is_imported() {
        let tree = Tree::new();
        tree.file("user/NumPy-2.0.dist-info/METADATA", "Name: NumPy\nVersion: 2.0\n\nVersion: no\n");
        tree.file("site/numpy-1.26.dist-info/METADATA", "Name: numpy\nVersion: 1.26\n");
        let got = tree.all(&["/user", "/site", "/site"], Some("/user"));
        let seen: Vec<_> = got
            .iter()
            .map(|distribution| (distribution.version.as_str(), distribution.shadowed, distribution.user_site))
            .collect();
        assert_eq!(seen, [("2.0", false, true), ("1.26", true, false)]);
    }

    #[test]
    fn eggs_are_read_as_directory_file_and_link() {
        let tree = Tree::new();
        tree.file("site/six-1.16.0.egg-info", "Name: six\nVersion: 1.16.0\n");
        tree.file("site/old-1.0-py3.11.egg-info/PKG-INFO", "Name: old\nVersion: 1.0\n");
        tree.file("site/old-1.0-py3.11.egg-info/requires.txt", "numpy>=1\n[test]\npytest\n");
        tree.file("site/my-tool.egg-link", "/src\n.");
        tree.file("src/my_tool.egg-info/PKG-INFO", "Name: my-tool\nVersion: 0.1\n");
        let got = tree.all(&["/site", "/src"], None);
        let seen: Vec<_> = got
            .iter()
            .map(|distribution| {
                (distribution.name.as_str(), distribution.version.as_str(), distribution.format, distribution.editable)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("my-tool", "0.1", DistributionFormat::EggLink, true),
                ("old", "1.0", DistributionFormat::EggInfo, false),
                ("six", "1.16.0", DistributionFormat::EggInfo, false),
            ]
        );
        assert_eq!(got[1].requires, ["numpy"]);
        assert_eq!(got[0].location, "/site");
    }

    #[test]
    fn source_has_no_credentials() {
        let tree = Tree::new();
        tree.file("site/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n");
        tree.file(
            "site/a-1.dist-info/direct_url.json",
            r#"{"url":"https://u:s3cr3t@host/a.git","vcs_info":{"vcs":"git","commit_id":"abc"}}"#,
        );
        tree.file("site/b-1.dist-info/METADATA", "Name: b\nVersion: 1\n");
        tree.file("site/b-1.dist-info/direct_url.json", r#"{"url":"file:///src/b","dir_info":{"editable":true}}"#);
        let got = tree.all(&["/site"], None);
        assert_eq!(got[0].direct_url.as_deref(), Some("git+https://host/a.git@abc"));
        assert_eq!((got[1].direct_url.as_deref(), got[1].editable), (Some("file:///src/b"), true));
    }

    #[test]
    fn name_and_version_are_read_from_the_directory_without_metadata() {
        let tree = Tree::new();
        tree.file("site/half-2.1.dist-info/RECORD", "half/__init__.py,,\n");
        tree.file("site/~alf-2.0.dist-info/METADATA", "Name: half\nVersion: 2.0\n");
        let got = tree.all(&["/site"], None);
        assert_eq!(got.len(), 1);
        assert_eq!(
            (got[0].name.as_str(), got[0].version.as_str(), got[0].modules.as_slice()),
            ("half", "2.1", ["half".to_owned()].as_slice())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_metadata_does_not_panic(metadata in any::<Vec<u8>>(), record in any::<Vec<u8>>(), url in any::<String>()) {
            let tree = Tree::new();
            tree.file("site/a-1.dist-info/direct_url.json", &url);
            fs::write(tree.0.path().join("site/a-1.dist-info/METADATA"), metadata).expect("a file");
            fs::write(tree.0.path().join("site/a-1.dist-info/RECORD"), record).expect("a file");
            prop_assert_eq!(tree.all(&["/site"], None).len(), 1);
        }
    }
}
