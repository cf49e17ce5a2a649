//! Digests of images that files of the repository know: who wrote `name:tag@sha256:…` said which image the tag means.

use std::collections::BTreeMap;

use memchr::memmem;

use super::is_named_in;
use crate::model::digest::Digest;
use crate::source::FileSet;
use crate::source::manifest;
use crate::source::manifest::node;
use crate::source::manifest::node::Node;

/// Largest file that is read.
const CAP: u64 = 1 << 20;

/// Most files that are looked into.
const MOST_FILES: usize = 2000;

/// What names of files say that they hold digests of images.
const WORDS: &[&str] = &["lock", "locks", "digest", "digests", "image", "images", "container", "containers"];

/// Digests by the reference that has a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests {
    known: BTreeMap<String, Known>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    digest: String,
    path: String,
    /// Whether another place has another digest.
    is_doubtful: bool,
}

impl Digests {
    /// Of all files that name images, of `carnet.toml`, and of those whose name speaks of locks, digests or images.
    ///
    /// In TOML, YAML and JSON each value counts that is a reference with a tag and a digest, and each mapping that has a name,
    /// a tag and a digest; elsewhere what stands in no comment. An image for one platform alone tells nothing.
    pub fn of(files: &dyn FileSet) -> Self {
        let mut digests = Self::default();
        for path in files.paths().into_iter().filter(|path| may_hold(path)).take(MOST_FILES) {
            let Some(bytes) = files.read(path, CAP) else { continue };
            // Most files have none.
            if memmem::find(&bytes, b"sha256:").is_none() && memmem::find(&bytes, b"digest").is_none() {
                continue;
            }
            digests.read(path, &String::from_utf8_lossy(&bytes));
        }
        digests
    }

    /// The digest of a reference with a tag, and the file that has it; none when nobody knows it, or not all say the same.
    pub fn get(&self, reference: &str) -> Option<(&str, &str)> {
        let known = self.known.get(normal(reference)).filter(|known| !known.is_doubtful)?;
        Some((&known.digest, &known.path))
    }

    fn read(&mut self, path: &str, text: &str) {
        let tree = match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("toml") => node::toml(text),
            Some("yml" | "yaml") => node::yaml(text),
            Some("json") => node::json(text),
            _ if text.trim_start().starts_with('{') => node::json(text),
            _ => return self.lines(path, text),
        };
        if let Ok(tree) = tree {
            self.tree(path, &tree);
        }
    }

    fn lines(&mut self, path: &str, text: &str) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
        for line in text.lines().map(str::trim_start) {
            let line = line.split(" #").next().unwrap_or_default();
            if line.starts_with('#') || line.starts_with("//") || line.contains("--platform=") {
                continue;
            }
            for word in line.split(|c| !is_part(c)).filter(|word| word.contains("@sha256:")) {
                self.pinned(path, word);
            }
        }
    }

    fn tree(&mut self, path: &str, root: &Node) {
        let mut queue = vec![root];
        while let Some(node) = queue.pop() {
            queue.extend(node.items());
            for item in node.items().iter().filter_map(Node::text) {
                self.pinned(path, item);
            }
            let of_one_platform = node.get("platform").is_some();
            for (key, value) in node.entries() {
                match value.text() {
                    Some(_) if of_one_platform => {}
                    Some(text) => {
                        self.pinned(path, text);
                        self.pair(path, key, text);
                    }
                    None => queue.push(value),
                }
            }
            if !of_one_platform {
                self.mapping(path, node);
            }
        }
    }

    /// `{"name": "a/b", "tag": "1", "digest": "sha256:…"}`, the tag maybe in the name.
    fn mapping(&mut self, path: &str, node: &Node) {
        let text = |keys: &[&str]| keys.iter().find_map(|key| node.text_of(key));
        let name = text(&["image", "name", "reference", "repository"]);
        let (Some(name), Some(digest)) = (name, node.text_of("digest")) else { return };
        let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
        match node.text_of("tag") {
            Some(tag) if !tag.is_empty() => self.add(path, &format!("{name}:{tag}"), digest),
            _ => self.add(path, name, digest),
        }
    }

    /// `a/b:1: a/b@sha256:…`; a digest alone may be that of a file, or of the image's configuration.
    fn pair(&mut self, path: &str, key: &str, value: &str) {
        let Some((name, digest)) = value.split_once("@sha256:") else { return };
        if untagged(normal(key)) == Some(normal(name)) {
            self.add(path, key, digest);
        }
    }

    fn pinned(&mut self, path: &str, text: &str) {
        if let Some((name, digest)) = text.trim().split_once("@sha256:") {
            self.add(path, name, digest);
        }
    }

    fn add(&mut self, path: &str, reference: &str, hex: &str) {
        let digest = format!("sha256:{hex}");
        let name = normal(reference);
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:".contains(&b));
        if !is_name || untagged(name).is_none() || Digest::try_from(digest.clone()).is_err() {
            return;
        }
        match self.known.get_mut(name) {
            Some(known) => known.is_doubtful |= known.digest != digest,
            None => {
                let known = Known { digest, path: path.to_owned(), is_doubtful: false };
                self.known.insert(name.to_owned(), known);
            }
        }
    }
}

/// Whether a file of this path can have digests of images.
pub fn may_hold(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_named_in(path) || name == "carnet.toml" {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let is_read = matches!(extension, "json" | "yaml" | "yml" | "toml" | "lock" | "txt");
    let speaks = extension == "lock" || stem.split(['-', '_', '.']).any(|word| WORDS.contains(&word));
    is_read && speaks && !manifest::declares(path)
}

/// A reference without its transport and without what Docker adds to a short name.
fn normal(reference: &str) -> &str {
    let name = reference.trim();
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    let hubs = ["docker.io/", "index.docker.io/", "registry-1.docker.io/", "registry.hub.docker.com/"];
    match hubs.iter().find_map(|hub| name.strip_prefix(hub)) {
        Some(name) => name.strip_prefix("library/").unwrap_or(name),
        None => name.strip_prefix("library/").unwrap_or(name),
    }
}

/// The name before a tag; none when there is no tag.
fn untagged(name: &str) -> Option<&str> {
    let (name, tag) = name.rsplit_once(':')?;
    (!name.is_empty() && !tag.is_empty() && !tag.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{any, proptest};

    use super::{Digests, may_hold};

    const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

    fn read(files: &[(&str, &str)]) -> Digests {
        let fill = |text: &str| text.replace("ONE", ONE).replace("TWO", TWO).into_bytes();
        let files: BTreeMap<String, Vec<u8>> =
            files.iter().map(|(path, text)| ((*path).to_owned(), fill(text))).collect();
        Digests::of(&files)
    }

    #[test]
    fn every_file_that_pairs_a_reference_with_a_digest_is_read() {
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
    fn what_is_in_doubt_is_not_known() {
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
    fn locks_of_packages_hold_no_images() {
        assert!(
            !may_hold("uv.lock") && !may_hold("pixi.lock") && !may_hold("conda-lock.yml") && !may_hold("notes.txt")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in any::<String>(), odd in "[-a:@/#{}\"\\[\\],= \n1sha256]{0,120}") {
            for text in [text, odd, format!("a:1@{ONE}")] {
                read(&[("Dockerfile", &text), ("images.yaml", &text), ("images.json", &text), ("images.lock", &text), ("carnet.toml", &text)]);
            }
        }
    }
}
