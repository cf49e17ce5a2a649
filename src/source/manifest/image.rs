//! Images that a repository names: in its CI files, its Dockerfiles, its workflows and its descriptions of jobs.

pub mod digest;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::inventory::NamedImage;
use crate::source::FileSet;
use crate::source::manifest::node;

/// Largest CI file or Dockerfile that is read.
const CAP: u64 = 1 << 20;

/// Most files that are looked into.
const MOST_FILES: usize = 5000;

/// Images named in the repository, each with the first file that names it. Variables aren't expanded, so a name with
/// one is left out.
pub fn named(files: &dyn FileSet) -> BTreeMap<String, String> {
    let mut images = BTreeMap::new();
    for place in places(files) {
        images.entry(place.image).or_insert(place.path);
    }
    images
}

/// Images named in the repository with their places, sorted by file and line: in CI files, Dockerfiles and Apptainer
/// definitions, workflows of REANA, Snakemake and docker compose, configuration of law and luigi, descriptions of jobs.
pub fn places(files: &dyn FileSet) -> Vec<NamedImage> {
    let mut found = Vec::new();
    let readable = files.paths().into_iter().filter_map(|path| reader(path).map(|find| (path, find)));
    for (path, find) in readable.take(MOST_FILES) {
        let Some(bytes) = files.read(path, CAP) else { continue };
        let mut images = find(&String::from_utf8_lossy(&bytes));
        images.retain(|(_, image)| is_name(image));
        images.sort();
        images.dedup();
        found.extend(images.into_iter().map(|(line, image)| NamedImage { path: path.to_owned(), line, image }));
    }
    found
}

/// Whether a file of this path can name images.
pub fn is_named_in(path: &str) -> bool {
    reader(path).is_some()
}

/// Images of a text with their lines.
type Reader = fn(&str) -> Vec<(u32, String)>;

fn reader(path: &str) -> Option<Reader> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    let is_ci = path.starts_with(".github/")
        || path.starts_with(".gitlab")
        || path.starts_with(".circleci/")
        || name.contains("gitlab-ci")
        || name.contains("pipelines")
        || matches!(name, "action.yml" | "action.yaml");
    let is_workflow = ["reana", "docker-compose", "compose", "workflow"].iter().any(|start| name.starts_with(start));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if yaml && (is_ci || is_workflow) {
        Some(in_yaml)
    } else if name == "Dockerfile"
        || name == "Containerfile"
        || name.starts_with("Dockerfile.")
        || extension == "Dockerfile"
    {
        Some(in_dockerfile)
    } else if matches!(extension, "def" | "recipe") || name.starts_with("Singularity") || name.starts_with("Apptainer")
    {
        Some(in_definition)
    } else if name == "Snakefile" || extension == "smk" {
        Some(in_snakefile)
    } else if matches!(extension, "jdl" | "sub" | "submit" | "condor") || matches!(name, "law.cfg" | "luigi.cfg") {
        Some(in_assignments)
    } else {
        None
    }
}

/// A name that can be given to an engine as it stands.
fn is_name(image: &str) -> bool {
    !image.is_empty() && image != "scratch" && !image.contains(['$', '{', ' ', '\'', '"', '<'])
}

/// Values of `image:`, `container:` and `environment:` (REANA), as text or as a mapping with `name` or `image`.
fn in_yaml(text: &str) -> Vec<(u32, String)> {
    let Ok(root) = node::yaml(text) else { return Vec::new() };
    let mut images = Vec::new();
    let mut queue = vec![&root];
    while let Some(node) = queue.pop() {
        queue.extend(node.items());
        for (key, inner) in node.entries() {
            let image = match key {
                "image" | "container" | "environment" if inner.text().is_some() => Some(inner),
                "image" | "container" => inner.get("name").or_else(|| inner.get("image")),
                _ => None,
            };
            match image.and_then(|image| image.text().map(|text| (image.line, text.to_owned()))) {
                Some(image) => images.push(image),
                None => queue.push(inner),
            }
        }
    }
    images.retain(|(_, image)| image.contains(['/', ':']));
    images
}

/// `From:` of an Apptainer definition that starts from a registry.
fn in_definition(text: &str) -> Vec<(u32, String)> {
    let header = |key: &'static str| {
        text.lines().zip(1_u32..).filter_map(move |(line, number)| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(key).then(|| (number, value.trim().to_owned()))
        })
    };
    let is_registry =
        header("bootstrap").any(|(_, agent)| matches!(agent.to_lowercase().as_str(), "docker" | "oras" | "library"));
    if is_registry { header("from").collect() } else { Vec::new() }
}

/// `container: "docker://…"` and `singularity: "…"` of Snakemake.
fn in_snakefile(text: &str) -> Vec<(u32, String)> {
    let mut images = Vec::new();
    let mut is_open = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.trim();
        let directive = ["container:", "containerized:", "singularity:"].iter().find_map(|key| line.strip_prefix(key));
        let value = directive.or(is_open.then_some(line)).map(str::trim);
        is_open = directive.is_some_and(|rest| rest.trim().is_empty());
        if let Some(image) = value.and_then(quoted) {
            images.push((number, image.to_owned()));
        }
    }
    images
}

/// The first text in quotes.
fn quoted(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['"', '\''])?;
    rest.split(['"', '\'']).next()
}

/// `key = value` where the key speaks of an image: descriptions of HTCondor jobs, sandboxes of law.
fn in_assignments(text: &str) -> Vec<(u32, String)> {
    let keys = ["docker_image", "container_image", "+singularityimage", "my.singularityimage", "image"];
    let assignments = text.lines().zip(1_u32..).filter_map(|(line, number)| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        let is_image = keys.contains(&key.trim().to_lowercase().as_str()) && value.contains(['/', ':']);
        is_image.then(|| (number, value.to_owned()))
    });
    assignments.collect()
}

/// Images of `FROM` lines that are no earlier stage of the same file.
fn in_dockerfile(text: &str) -> Vec<(u32, String)> {
    let mut stages: BTreeSet<String> = BTreeSet::new();
    let mut images = Vec::new();
    let mut defaults: BTreeMap<&str, &str> = BTreeMap::new();
    for (line, number) in text.lines().zip(1_u32..) {
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
        if !stages.contains(image) {
            images.push((number, image.to_owned()));
        }
        if let (Some(_), Some(stage)) = (words.next(), words.next()) {
            stages.insert(stage.to_owned());
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
    use super::{in_assignments, in_definition, in_dockerfile, in_snakefile, in_yaml};

    fn names(found: Vec<(u32, String)>) -> Vec<String> {
        found.into_iter().map(|(_, image)| image).collect()
    }

    #[test]
    fn ci_files_name_images_in_three_ways() {
        let text = "image: ubuntu:24.04\njobs:\n  a:\n    container: ghcr.io/x/y:1\n  b:\n    container: {image: 'z/w'}\n\
                    c:\n  image:\n    name: cmssw/el9:x86_64\n    entrypoint: ['']\n  environment: production\n";
        let mut images = names(in_yaml(text));
        images.sort();
        assert_eq!(images, ["cmssw/el9:x86_64", "ghcr.io/x/y:1", "ubuntu:24.04", "z/w"]);
        assert!(in_yaml("a: [b").is_empty());
    }

    #[test]
    fn defaults_of_arguments_are_filled_in() {
        let text = "ARG BASE=python:3.12-slim\nARG TAG=\"1\"\nFROM ${BASE} AS base\nFROM a/b:$TAG\nFROM c:${NONE}\n";
        assert_eq!(names(in_dockerfile(text)), ["python:3.12-slim", "a/b:1", "c:${NONE}"]);
    }

    #[test]
    fn earlier_stages_are_no_images() {
        let text =
            "ARG V=1\nFROM --platform=linux/amd64 coffeateam/coffea-dask:1 AS base\nRUN x\nfrom base\nFROM scratch\n";
        assert_eq!(names(in_dockerfile(text)), ["coffeateam/coffea-dask:1", "scratch"]);
    }

    #[test]
    fn workflows_and_job_descriptions_name_images_with_their_lines() {
        let workflow = "rule fit:\n    container:\n        \"docker://a/b:1\"\nsingularity: 'docker://c/d:2'\n";
        assert_eq!(in_snakefile(workflow), [(3, "docker://a/b:1".into()), (4, "docker://c/d:2".into())]);
        let job = "universe = container\n+SingularityImage = \"/cvmfs/x.sif\"\ncontainer_image = docker://a:1\n";
        assert_eq!(in_assignments(job), [(2, "/cvmfs/x.sif".into()), (3, "docker://a:1".into())]);
        assert_eq!(in_definition("Bootstrap: docker\nFrom: almalinux:9\n%post\n"), [(2, "almalinux:9".into())]);
        assert!(in_definition("Bootstrap: localimage\nFrom: base.sif\n").is_empty());
    }
}
