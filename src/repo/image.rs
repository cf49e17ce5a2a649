//! Images that a repository names: in its CI files and its Dockerfiles.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::repo::tree::Listing;

/// Largest CI file or Dockerfile that is read.
const CAP: u64 = 1 << 20;

/// Images named in the repository, each with the first file that names it. Variables aren't expanded, so a name with
/// one is left out.
pub fn named(listing: &Listing) -> BTreeMap<String, String> {
    let mut images = BTreeMap::new();
    for path in listing.paths() {
        let Some(find) = reader(path) else { continue };
        let Some(bytes) = listing.head(path, CAP) else { continue };
        for image in find(&String::from_utf8_lossy(&bytes)) {
            if is_name(&image) {
                images.entry(image).or_insert_with(|| path.to_owned());
            }
        }
    }
    images
}

/// Whether a file of this path can name images.
pub fn is_named_in(path: &str) -> bool {
    reader(path).is_some()
}

type Reader = fn(&str) -> Vec<String>;

fn reader(path: &str) -> Option<Reader> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if path.starts_with(".github/workflows/") && yaml || path == ".gitlab-ci.yml" || name == "reana.yaml" {
        Some(in_yaml)
    } else if name == "Dockerfile" || name == "Containerfile" || name.starts_with("Dockerfile.") {
        Some(in_dockerfile)
    } else {
        None
    }
}

/// A name that can be given to an engine as it stands.
fn is_name(image: &str) -> bool {
    !image.is_empty() && image != "scratch" && !image.contains(['$', '{', ' ', '\'', '"'])
}

/// Values of `image:`, `container:` and `environment:` (REANA), as text or as a mapping with `name` or `image`.
fn in_yaml(text: &str) -> Vec<String> {
    let Ok(value) = serde_saphyr::from_str::<Value>(text) else { return Vec::new() };
    let mut images = Vec::new();
    let mut queue = vec![&value];
    while let Some(value) = queue.pop() {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("image" | "container" | "environment", Value::String(image)) => images.push(image.clone()),
                        ("image" | "container", Value::Object(inner)) => {
                            let name = inner.get("name").or_else(|| inner.get("image")).and_then(Value::as_str);
                            images.extend(name.map(str::to_owned));
                        }
                        _ => queue.push(value),
                    }
                }
            }
            Value::Array(items) => queue.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    images.retain(|image| image.contains(['/', ':']));
    images
}

/// Images of `FROM` lines that are no earlier stage of the same file.
fn in_dockerfile(text: &str) -> Vec<String> {
    let mut stages: Vec<String> = Vec::new();
    let mut images = Vec::new();
    let mut defaults: BTreeMap<&str, &str> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, value)) = line.trim().strip_prefix("ARG ").and_then(|rest| rest.trim().split_once('=')) {
            // Only those before the first `FROM` can be used in one.
            if stages.is_empty() && images.is_empty() {
                defaults.insert(name, value.trim_matches(['"', '\'']));
            }
            continue;
        }
        let mut words = line.split_whitespace().filter(|word| !word.starts_with("--"));
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("from")) {
            continue;
        }
        let Some(image) = words.next() else { continue };
        let image = &expanded(image, &defaults);
        if !stages.iter().any(|stage| stage == image) {
            images.push(image.to_owned());
        }
        if let (Some(_), Some(stage)) = (words.next(), words.next()) {
            stages.push(stage.to_owned());
        }
    }
    images
}

/// The name with `$NAME` and `${NAME}` replaced by their defaults; what has none stays as it is.
fn expanded(image: &str, defaults: &BTreeMap<&str, &str>) -> String {
    let mut image = image.to_owned();
    // The longest first: `$TAG` must not be taken out of `$TAGS`.
    let mut names: Vec<(&&str, &&str)> = defaults.iter().collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, value) in names {
        image = image.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
    }
    image
}

#[cfg(test)]
mod tests {
    use super::{in_dockerfile, in_yaml};

    #[test]
    fn ci_files_name_images_in_three_ways() {
        let text = "image: ubuntu:24.04\njobs:\n  a:\n    container: ghcr.io/x/y:1\n  b:\n    container: {image: 'z/w'}\n\
                    c:\n  image:\n    name: cmssw/el9:x86_64\n    entrypoint: ['']\n  environment: production\n";
        let mut images = in_yaml(text);
        images.sort();
        assert_eq!(images, ["cmssw/el9:x86_64", "ghcr.io/x/y:1", "ubuntu:24.04", "z/w"]);
        assert!(in_yaml("a: [b").is_empty());
    }

    #[test]
    fn defaults_of_arguments_are_filled_in() {
        let text = "ARG BASE=python:3.12-slim\nARG TAG=\"1\"\nFROM ${BASE} AS base\nFROM a/b:$TAG\nFROM c:${NONE}\n";
        assert_eq!(in_dockerfile(text), ["python:3.12-slim", "a/b:1", "c:${NONE}"]);
    }

    #[test]
    fn earlier_stages_are_no_images() {
        let text =
            "ARG V=1\nFROM --platform=linux/amd64 coffeateam/coffea-dask:1 AS base\nRUN x\nfrom base\nFROM scratch\n";
        assert_eq!(in_dockerfile(text), ["coffeateam/coffea-dask:1", "scratch"]);
    }
}
