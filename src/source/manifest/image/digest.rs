//! Digests of images in the files of the repository: `name:tag@sha256:…` pairs a tag with a digest.

use std::collections::BTreeMap;

use memchr::memmem;

use super::may_name_images;
use crate::model::digest::Digest;
use crate::source::FileSet;
use crate::source::manifest;
use crate::source::manifest::node;
use crate::source::manifest::node::Node;

/// Maximum number of bytes read of a file.
const MAX_BYTES: u64 = 1 << 20;

/// Maximum number of files read.
const MAX_FILES: usize = 2000;

/// Words in the names of files that may contain digests of images.
const WORDS: &[&str] = &["lock", "locks", "digest", "digests", "image", "images", "container", "containers"];

/// Digests by reference with a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    digest: String,
    path: String,
    /// Whether another file has another digest.
    is_ambiguous: bool,
}

impl Digests {
    /// Reads all files that name images, `carnet.toml`, and files with locks, digests or images in their name.
    ///
    /// In TOML, YAML and JSON, reads each value that is a reference with a tag and a digest, and each mapping with a name, a tag and
    /// a digest. In other files, reads references outside comments. Skips images for a single platform.
    pub fn read(files: &dyn FileSet) -> Self {
        let mut digests = Self::default();
        for path in files.paths().into_iter().filter(|path| may_contain_digests(path)).take(MAX_FILES) {
            let Some(bytes) = files.read(path, MAX_BYTES) else { continue };
            // Most files contain no digest.
            if memmem::find(&bytes, b"sha256:").is_none() && memmem::find(&bytes, b"digest").is_none() {
                continue;
            }
            digests.add_file(path, &String::from_utf8_lossy(&bytes));
        }
        digests
    }

    /// Returns the digest of a reference with a tag, and the file that contains it. `None` if it is unknown or ambiguous.
    pub fn get(&self, reference: &str) -> Option<(&str, &str)> {
        let entry = self.entries.get(normalized(reference)).filter(|entry| !entry.is_ambiguous)?;
        Some((&entry.digest, &entry.path))
    }

    fn add_file(&mut self, path: &str, text: &str) {
        let tree = match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("toml") => node::toml(text),
            Some("yml" | "yaml") => node::yaml(text),
            Some("json") => node::json(text),
            _ if text.trim_start().starts_with('{') => node::json(text),
            _ => return self.add_lines(path, text),
        };
        if let Ok(tree) = tree {
            self.add_tree(path, &tree);
        }
    }

    fn add_lines(&mut self, path: &str, text: &str) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
        for line in text.lines().map(str::trim_start) {
            let line = line.split(" #").next().unwrap_or_default();
            if line.starts_with('#') || line.starts_with("//") || line.contains("--platform=") {
                continue;
            }
            for word in line.split(|c| !is_part(c)).filter(|word| word.contains("@sha256:")) {
                self.add_pinned(path, word);
            }
        }
    }

    fn add_tree(&mut self, path: &str, root: &Node) {
        let mut queue = vec![root];
        while let Some(node) = queue.pop() {
            queue.extend(node.items());
            for item in node.items().iter().filter_map(Node::text) {
                self.add_pinned(path, item);
            }
            let has_platform = node.get("platform").is_some();
            for (key, value) in node.entries() {
                match value.text() {
                    Some(_) if has_platform => {}
                    Some(text) => {
                        self.add_pinned(path, text);
                        self.add_pair(path, key, text);
                    }
                    None => queue.push(value),
                }
            }
            if !has_platform {
                self.add_mapping(path, node);
            }
        }
    }

    /// Adds `{"name": "a/b", "tag": "1", "digest": "sha256:…"}`, where the name may contain the tag.
    fn add_mapping(&mut self, path: &str, node: &Node) {
        let text = |keys: &[&str]| keys.iter().find_map(|key| node.text_of(key));
        let name = text(&["image", "name", "reference", "repository"]);
        let (Some(name), Some(digest)) = (name, node.text_of("digest")) else { return };
        let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
        match node.text_of("tag") {
            Some(tag) if !tag.is_empty() => self.add(path, &format!("{name}:{tag}"), digest),
            _ => self.add(path, name, digest),
        }
    }

    /// Adds `a/b:1: a/b@sha256:…`. Skips a digest without a name, which may be that of a file or of an image configuration.
    fn add_pair(&mut self, path: &str, key: &str, value: &str) {
        let Some((name, digest)) = value.split_once("@sha256:") else { return };
        if untagged(normalized(key)) == Some(normalized(name)) {
            self.add(path, key, digest);
        }
    }

    fn add_pinned(&mut self, path: &str, text: &str) {
        if let Some((name, digest)) = text.trim().split_once("@sha256:") {
            self.add(path, name, digest);
        }
    }

    fn add(&mut self, path: &str, reference: &str, hex: &str) {
        let digest = format!("sha256:{hex}");
        let name = normalized(reference);
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:".contains(&b));
        if !is_name || untagged(name).is_none() || Digest::try_from(digest.clone()).is_err() {
            return;
        }
        match self.entries.get_mut(name) {
            Some(entry) => entry.is_ambiguous |= entry.digest != digest,
            None => {
                let entry = Entry { digest, path: path.to_owned(), is_ambiguous: false };
                self.entries.insert(name.to_owned(), entry);
            }
        }
    }
}

/// Reports whether a file with this path may contain digests of images.
pub fn may_contain_digests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if may_name_images(path) || name == "carnet.toml" {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let is_read = matches!(extension, "json" | "yaml" | "yml" | "toml" | "lock" | "txt");
    let is_named = extension == "lock" || stem.split(['-', '_', '.']).any(|word| WORDS.contains(&word));
    is_read && is_named && !manifest::declares(path)
}

/// Returns a reference without its transport and without the default registry and namespace of Docker.
fn normalized(reference: &str) -> &str {
    let name = reference.trim();
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    let hubs = ["docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/"];
    match hubs.iter().find_map(|hub| name.strip_prefix(hub)) {
        Some(name) => name.strip_prefix("library/").unwrap_or(name),
        None => name.strip_prefix("library/").unwrap_or(name),
    }
}

/// Returns the name before a tag. `None` if there is no tag.
fn untagged(name: &str) -> Option<&str> {
    let (name, tag) = name.rsplit_once(':')?;
    (!name.is_empty() && !tag.is_empty() && !tag.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{any, proptest};

    use super::{Digests, may_contain_digests};

    const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

    fn read(files: &[(&str, &str)]) -> Digests {
        let fill = |text: &str| text.replace("ONE", ONE).replace("TWO", TWO).into_bytes();
        let files: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(path, text)| ((*path).to_owned(), fill(text))).collect();
        Digests::read(&files)
    }

    #[test]
    fn references_with_digests_are_found() {
        for (path, text) in [
            ("Dockerfile", "FROM a/b:1@ONE AS base\n"),
            ("Dockerfile", "COPY --from=docker.io/a/b:1@ONE /x /y\n"),
            (".github/workflows/ci.yml", "jobs:\n  a:\n    container: a/b:1@ONE\n"),
            (".gitlab-ci.yml", "a:\n  image: {name: 'a/b:1@ONE'}\n"),
            ("reana.yaml", "x: [a/b:1@ONE]\n"),
            ("carnet.toml", "[[facility]]\nid = 'x'\nimage = 'docker://a/b:1@ONE'\n"),
            ("job.sub", "docker_image = a/b:1@ONE\n"),
            (
                "docker-lock.json",
                r#"{"dockerfiles": {"Dockerfile": [{"name": "a/b", "tag": "1", "digest": "1111111111111111111111111111111111111111111111111111111111111111"}]}}"#,
            ),
            ("images.yaml", "- image: a/b:1\n  digest: ONE\n"),
            ("images.lock", r#"{"a/b:1": "a/b@ONE"}"#),
            ("images.lock", "a/b:1@ONE\n"),
            ("image-digests.toml", "'a/b:1' = 'docker.io/a/b@ONE'\n"),
        ] {
            assert_eq!(read(&[(path, text)]).get("a/b:1"), Some((ONE, path)), "{path}: {text}");
        }
    }

    #[test]
    fn ambiguous_references_have_no_digest() {
        for files in [
            &[("Dockerfile", "FROM a/b:1@ONE\nFROM a/b:1@TWO\n")][..],
            &[("Dockerfile", "FROM a/b:1@ONE\n"), (".gitlab-ci.yml", "image: a/b:1@TWO\n")],
            &[("Dockerfile", "# FROM a/b:1@ONE\nFROM --platform=linux/arm64 a/b:1@ONE\n")],
            &[("Dockerfile", "FROM a/b@ONE\nFROM a/b:2@ONE\nFROM a/b:1@sha256:12\n")],
            &[("compose.yaml", "a: {image: 'a/b:1@ONE', platform: linux/arm64}\n# a/b:1@ONE\n")],
            &[("images.lock", r#"{"a/b:1": "c/d@ONE", "a/b:1": "ONE"}"#)],
            &[("other.py", "image = 'a/b:1@ONE'\n")],
        ] {
            assert_eq!(read(files).get("a/b:1"), None, "{files:?}");
        }
        let same = read(&[("Dockerfile", "FROM a/b:1@ONE\n"), (".gitlab-ci.yml", "image: docker.io/a/b:1@ONE\n")]);
        assert_eq!(same.get("docker://a/b:1"), Some((ONE, ".gitlab-ci.yml")));
        assert_eq!(read(&[("Dockerfile", "FROM docker.io/library/x:1@ONE\n")]).get("x:1"), Some((ONE, "Dockerfile")));
    }

    #[test]
    fn package_locks_contain_no_images() {
        assert!(
            !may_contain_digests("uv.lock")
                && !may_contain_digests("pixi.lock")
                && !may_contain_digests("conda-lock.yml")
                && !may_contain_digests("notes.txt")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), odd in "[-a:@/#{}\"\\[\\],= \n1sha256]{0,120}") {
            for text in [text, odd, format!("a:1@{ONE}")] {
                read(&[("Dockerfile", &text), ("images.yaml", &text), ("images.json", &text), ("images.lock", &text), ("carnet.toml", &text)]);
            }
        }
    }
}
