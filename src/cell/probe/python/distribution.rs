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
use super::{module, requirement};
use crate::model::known::Known;
use crate::model::python::{Distribution, DistributionFormat, normalize};

/// Threads that read one directory; more wait for each other in the kernel.
const MAX_THREADS: usize = 4;
/// Entries below which a thread costs more than it brings.
const ENTRIES_PER_THREAD: usize = 50;

/// What a search needs to know of its Python.
pub(super) struct Search<'a> {
    pub(super) root: &'a FileTree,
    /// The user site directory that is active.
    pub(super) user_site: Option<&'a str>,
    /// Version of the Python, which markers of requirements ask for.
    pub(super) version: &'a str,
}

impl Search<'_> {
    /// Every distribution on a path, sorted by name; of two copies the one that an import finds first.
    pub(super) fn all(&self, path: &[String]) -> Distributions {
        let mut found: Vec<Distribution> = Vec::new();
        let mut seen = Vec::new();
        for entry in path.iter().filter(|entry| !is_own(entry)) {
            // What isn't there, or is a zip file, has no distributions that a directory would show.
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

    /// The distributions of one directory.
    fn directory(&self, directory: &str, entries: &[Entry]) -> Vec<Distribution> {
        let mut out = self.each(directory, entries);
        if directory.ends_with(".egg") {
            let egg =
                Path::new(directory).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let place = MetadataLocation { directory, format: DistributionFormat::EggInfo, name: &egg };
            out.extend(self.metadata(&place, &format!("{directory}/EGG-INFO"), "PKG-INFO", entries));
        }
        out
    }

    /// The distribution of every entry, those of a large directory by several threads.
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
        // pip renames what it can't remove at once to `~name`.
        if name.starts_with(['~', '.']) {
            return None;
        }
        let path = format!("{directory}/{name}");
        if name.ends_with(".dist-info") {
            let place = MetadataLocation { directory, format: DistributionFormat::DistInfo, name };
            self.metadata(&place, &path, "METADATA", entries)
        } else if name.ends_with(".egg-info") {
            let place = MetadataLocation { directory, format: DistributionFormat::EggInfo, name };
            if entry.kind == Kind::Directory || self.root.is_dir(&path) {
                self.metadata(&place, &path, "PKG-INFO", entries)
            } else {
                let headers = self.root.headers(&path).ok()?;
                Some(self.distribution(&place, &headers, None, entries))
            }
        } else if name.ends_with(".egg-link") {
            self.egg_link(directory, name)
        } else {
            None
        }
    }

    /// A distribution with a directory of metadata. Without a readable one, the directory's name tells name and version.
    fn metadata(
        &self,
        place: &MetadataLocation<'_>,
        path: &str,
        file: &str,
        entries: &[Entry],
    ) -> Option<Distribution> {
        let headers = self.root.headers(format!("{path}/{file}")).unwrap_or_default();
        if headers.is_empty() && !self.root.is_dir(path) {
            return None;
        }
        Some(self.distribution(place, &headers, Some(path), entries))
    }

    fn distribution(
        &self,
        place: &MetadataLocation<'_>,
        headers: &str,
        path: Option<&str>,
        entries: &[Entry],
    ) -> Distribution {
        let (mut name, mut version, mut requires) = (String::new(), String::new(), Vec::new());
        for field in fields(headers) {
            match field.name {
                "Name" if name.is_empty() => field.value.clone_into(&mut name),
                "Version" if version.is_empty() => field.value.clone_into(&mut version),
                "Requires-Dist" => requires.extend(requirement::name(field.value, self.version)),
                _ => {}
            }
        }
        let (stem_name, stem_version) = stem(place.name);
        if name.is_empty() {
            stem_name.clone_into(&mut name);
        }
        if version.is_empty() {
            stem_version.clone_into(&mut version);
        }
        let small = |file: &str| path.and_then(|path| self.root.text(format!("{path}/{file}")).ok());
        if place.format == DistributionFormat::EggInfo {
            requires.extend(requirement::egg(&small("requires.txt").unwrap_or_default(), self.version));
        }
        requires.sort();
        requires.dedup();
        let direct = small("direct_url.json").and_then(|text| direct_url(&text));
        let finder = module::editable(entries, &name, &version);
        let editable = direct.as_ref().is_some_and(|direct| direct.editable) || finder.is_some();
        let modules =
            module::modules(&module::Sources { root: self.root, directory: place.directory, metadata: path, finder });
        let installer = small("INSTALLER").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Distribution {
            normalized: normalize(&name),
            name,
            version,
            location: place.directory.to_owned(),
            format: place.format,
            installer: installer.unwrap_or_else(|| installer_of(place).to_owned()),
            direct_url: direct.map(|direct| direct.url),
            editable,
            user_site: self.user_site.is_some_and(|user| same(user, place.directory)),
            shadowed: false,
            modules,
            requires,
        }
    }

    /// An old editable installation: the file names the project, whose `.egg-info` tells the rest.
    fn egg_link(&self, directory: &str, name: &str) -> Option<Distribution> {
        let text = self.root.text(format!("{directory}/{name}")).ok()?;
        let project = text.lines().next()?.trim().trim_end_matches('/').to_owned();
        if !project.starts_with('/') {
            return None;
        }
        let wanted = normalize(name.trim_end_matches(".egg-link"));
        let info = self
            .root
            .names(&project)
            .into_iter()
            .find(|entry| entry.strip_suffix(".egg-info").is_some_and(|entry| normalize(entry) == wanted));
        let info = info.unwrap_or_else(|| name.replace(".egg-link", ".egg-info"));
        let place = MetadataLocation { directory: &project, format: DistributionFormat::EggLink, name: &info };
        let path = format!("{project}/{info}");
        let headers = self.root.headers(format!("{path}/PKG-INFO")).unwrap_or_default();
        let mut found = self.distribution(&place, &headers, Some(&path), &[]);
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

/// Debian's packages leave no `INSTALLER`, but have a directory of their own.
fn installer_of(place: &MetadataLocation<'_>) -> &'static str {
    if place.directory.starts_with("/usr/lib/python3") && place.directory.ends_with("/dist-packages") {
        "debian"
    } else {
        ""
    }
}

/// Name and version in the name of a metadata directory: `numpy-1.26.4.dist-info`, `pkg-1.0-py3.11.egg-info`.
fn stem(name: &str) -> (&str, &str) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut parts = stem.splitn(3, '-');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// Sorts by name, keeping path order among copies, and marks those that another one hides.
fn rank(found: Vec<Distribution>) -> Vec<Distribution> {
    let linked: Vec<(String, String)> = found
        .iter()
        .filter(|one| one.format == DistributionFormat::EggLink)
        .filter_map(|one| {
            Some((one.normalized.clone(), one.direct_url.as_deref()?.strip_prefix("file://")?.to_owned()))
        })
        .collect();
    let mut by_name: BTreeMap<String, Vec<Distribution>> = BTreeMap::new();
    for mut one in found {
        // The project of an egg link is on the path too, and shows the same distribution again.
        if one.format == DistributionFormat::EggInfo
            && linked.iter().any(|(name, at)| *name == one.normalized && *at == one.location)
        {
            continue;
        }
        let copies = by_name.entry(one.normalized.clone()).or_default();
        one.shadowed = !copies.is_empty();
        copies.push(one);
    }
    by_name.into_values().flatten().collect()
}

struct Direct {
    url: String,
    editable: bool,
}

/// Where a distribution came from (PEP 610), without credentials.
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
            let found = Search { root: &root, user_site, version: "3.11.2" }.all(&path);
            found.get().cloned().expect("known")
        }
    }

    #[test]
    fn the_copy_that_comes_first_on_the_path_wins() {
        let tree = Tree::new();
        tree.file("user/NumPy-2.0.dist-info/METADATA", "Name: NumPy\nVersion: 2.0\n\nVersion: no\n");
        tree.file("site/numpy-1.26.dist-info/METADATA", "Name: numpy\nVersion: 1.26\n");
        let got = tree.all(&["/user", "/site", "/site"], Some("/user"));
        let seen: Vec<_> = got.iter().map(|one| (one.version.as_str(), one.shadowed, one.user_site)).collect();
        assert_eq!(seen, [("2.0", false, true), ("1.26", true, false)]);
    }

    #[test]
    fn eggs_are_found_as_directory_file_and_link() {
        let tree = Tree::new();
        tree.file("site/six-1.16.0.egg-info", "Name: six\nVersion: 1.16.0\n");
        tree.file("site/old-1.0-py3.11.egg-info/PKG-INFO", "Name: old\nVersion: 1.0\n");
        tree.file("site/old-1.0-py3.11.egg-info/requires.txt", "numpy>=1\n[test]\npytest\n");
        tree.file("site/my-tool.egg-link", "/src\n.");
        tree.file("src/my_tool.egg-info/PKG-INFO", "Name: my-tool\nVersion: 0.1\n");
        let got = tree.all(&["/site", "/src"], None);
        let seen: Vec<_> =
            got.iter().map(|one| (one.name.as_str(), one.version.as_str(), one.format, one.editable)).collect();
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
    fn where_it_came_from_is_told_without_credentials() {
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
    fn broken_metadata_leaves_what_the_name_says() {
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
        fn any_metadata_is_survived(metadata in any::<Vec<u8>>(), record in any::<Vec<u8>>(), url in any::<String>()) {
            let tree = Tree::new();
            tree.file("site/a-1.dist-info/direct_url.json", &url);
            fs::write(tree.0.path().join("site/a-1.dist-info/METADATA"), metadata).expect("a file");
            fs::write(tree.0.path().join("site/a-1.dist-info/RECORD"), record).expect("a file");
            prop_assert_eq!(tree.all(&["/site"], None).len(), 1);
        }
    }
}
