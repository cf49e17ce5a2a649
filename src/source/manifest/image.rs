//! Images named in CI files, Dockerfiles, workflows and job descriptions.

pub mod digest;

use std::collections::BTreeMap;

use crate::model::inventory::NamedImage;
use crate::source::FileSet;
use crate::source::lang;
use crate::source::lang::View;
use crate::source::lang::language::Language;

/// Maximum number of bytes read of a file.
const MAX_BYTES: u64 = 1 << 20;

/// Maximum number of files read.
const MAX_FILES: usize = 5000;

/// Returns the images in registries that the repository names, without `docker://`, each with the first file that names it.
pub fn named(files: &dyn FileSet) -> BTreeMap<String, String> {
    let mut images = BTreeMap::new();
    for named in all(files) {
        let image = named.image.strip_prefix("docker://").unwrap_or(&named.image);
        // Apptainer's other transports, such as `library://` and `oras://`, have no equivalent.
        if image.contains("://") {
            continue;
        }
        images.entry(image.to_owned()).or_insert(named.path);
    }
    images
}

/// Returns all images that the repository names, sorted by file and line: in CI files, Dockerfiles and Apptainer definitions,
/// workflows of REANA, Snakemake and docker compose, configuration of law and luigi, and job descriptions.
pub fn all(files: &dyn FileSet) -> Vec<NamedImage> {
    let mut found = Vec::new();
    let readable = files.paths().into_iter().filter_map(|path| reader(path).map(|reader| (path, reader)));
    for (path, reader) in readable.take(MAX_FILES) {
        let Some(bytes) = files.read(path, MAX_BYTES) else { continue };
        let mut images = reader.images(&bytes);
        images.sort();
        images.dedup();
        found.extend(images.into_iter().map(|(line, image)| NamedImage { path: path.to_owned(), line, image }));
    }
    found
}

/// Reports whether a file with this path can name images.
pub fn may_name_images(path: &str) -> bool {
    reader(path).is_some()
}

/// How the images of a file are found.
#[derive(Clone, Copy)]
enum Reader {
    /// By the reader of the file's language.
    Language(Language),
    /// By the directives of Snakemake.
    Snakefile,
    /// By the keys of a configuration of law or luigi.
    Configuration,
}

fn reader(path: &str) -> Option<Reader> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_ci = path.starts_with(".github/")
        || path.starts_with(".gitlab")
        || path.starts_with(".circleci/")
        || name.contains("gitlab-ci")
        || name.contains("pipelines")
        || matches!(name, "action.yml" | "action.yaml");
    let is_workflow = ["reana", "docker-compose", "compose", "workflow"].iter().any(|start| name.starts_with(start));
    Some(match extension {
        "yml" | "yaml" if is_ci || is_workflow => Reader::Language(Language::Yaml),
        _ if matches!(name, "Dockerfile" | "Containerfile") || name.starts_with("Dockerfile.") => {
            Reader::Language(Language::Docker)
        }
        "Dockerfile" => Reader::Language(Language::Docker),
        "def" | "recipe" => Reader::Language(Language::Apptainer),
        _ if name.starts_with("Singularity") || name.starts_with("Apptainer") => Reader::Language(Language::Apptainer),
        "smk" => Reader::Snakefile,
        _ if name == "Snakefile" => Reader::Snakefile,
        "jdl" | "sub" | "submit" | "condor" => Reader::Language(Language::HtCondor),
        _ if matches!(name, "law.cfg" | "luigi.cfg") => Reader::Configuration,
        _ => return None,
    })
}

impl Reader {
    /// Returns the images of a file with their lines. Images that an engine can't run as they are written are left out.
    fn images(self, bytes: &[u8]) -> Vec<(u32, String)> {
        let mut images = match self {
            Self::Language(language) => {
                let view = lang::read(language, bytes);
                let words = view.facts.images.iter();
                words.map(|word| (line(&view, word.range.start), word.text.clone())).collect()
            }
            Self::Snakefile => in_snakefile(&String::from_utf8_lossy(bytes)),
            Self::Configuration => {
                let view = lang::read(Language::Ini, bytes);
                let settings = view.facts.settings.iter().filter(|setting| is_image_key(&setting.key));
                settings.map(|setting| (line(&view, setting.value.range.start), setting.value.text.clone())).collect()
            }
        };
        // Elsewhere, a single word may be something else.
        let may_be_word = matches!(self, Self::Snakefile | Self::Language(Language::Docker | Language::Apptainer));
        images.retain(|(_, image): &(u32, String)| is_name(image) && (may_be_word || image.contains(['/', ':'])));
        images
    }
}

fn line(view: &View<'_>, offset: usize) -> u32 {
    let before = view.text.get(..offset).unwrap_or(&view.text);
    u32::try_from(memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1).unwrap_or(u32::MAX)
}

/// Reports whether an engine can run a reference as it is written: it has no variables, and its transport is a registry.
fn is_name(image: &str) -> bool {
    let is_of_registry = image
        .split_once("://")
        .is_none_or(|(transport, _)| matches!(transport, "docker" | "oras" | "library" | "shub"));
    is_of_registry && !image.is_empty() && !image.contains(['$', '{', ' ', '\'', '"', '<'])
}

/// Reports whether a key of a configuration names an image.
fn is_image_key(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key).to_ascii_lowercase();
    matches!(name.as_str(), "docker_image" | "container_image" | "image")
}

/// Returns the images of `container: "docker://…"` and `singularity: "…"`.
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

/// Returns the text between the quotes that the line starts with.
fn quoted(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['"', '\''])?;
    rest.split(['"', '\'']).next()
}

#[cfg(test)]
mod tests {
    use super::reader;

    /// The images of a file, sorted by line.
    fn images(path: &str, text: &str) -> Vec<(u32, String)> {
        let mut images = reader(path).expect("a file that names images").images(text.as_bytes());
        images.sort();
        images
    }

    fn names(path: &str, text: &str) -> Vec<String> {
        images(path, text).into_iter().map(|(_, image)| image).collect()
    }

    #[test]
    fn ci_files_name_images_in_several_ways() {
        let text = "image: ubuntu:24.04\njobs:\n  a:\n    container: ghcr.io/x/y:1\n  b:\n    container: {image: 'z/w'}\n\
                    c:\n  image:\n    name: cmssw/el9:x86_64\n    entrypoint: ['']\n  environment: production\n  \
                    script:\n    - docker run --rm a/b:2 ls\n";
        let expected = ["ubuntu:24.04", "ghcr.io/x/y:1", "z/w", "cmssw/el9:x86_64", "a/b:2"];
        assert_eq!(names(".gitlab-ci.yml", text), expected);
        assert!(names(".gitlab-ci.yml", "a: [b").is_empty());
    }

    #[test]
    fn argument_defaults_are_expanded() {
        let text = "ARG BASE=python:3.12-slim\nARG TAG=\"1\"\nFROM ${BASE} AS base\nFROM a/b:$TAG\nFROM c:${NONE}\n";
        assert_eq!(names("Dockerfile", text), ["python:3.12-slim", "a/b:1"]);
    }

    #[test]
    fn earlier_stages_are_not_images() {
        let text = "ARG V=1\nFROM --platform=linux/amd64 coffeateam/coffea-dask:1 AS base\nRUN x\nfrom base\nFROM scratch\n\
                    COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/\n";
        assert_eq!(names("Dockerfile", text), ["coffeateam/coffea-dask:1", "ghcr.io/astral-sh/uv:0.5"]);
    }

    #[test]
    fn images_have_lines() {
        let workflow = "rule fit:\n    container:\n        \"docker://a/b:1\"\nsingularity: 'docker://c/d:2'\n";
        assert_eq!(images("Snakefile", workflow), [(3, "docker://a/b:1".into()), (4, "docker://c/d:2".into())]);
        let job = "universe = container\n+SingularityImage = \"/cvmfs/x.sif\"\ncontainer_image = docker://a:1\n";
        assert_eq!(images("a.sub", job), [(2, "/cvmfs/x.sif".into()), (3, "docker://a:1".into())]);
        assert_eq!(images("a.def", "Bootstrap: docker\nFrom: almalinux:9\n%post\n"), [(2, "almalinux:9".into())]);
        assert!(images("a.def", "Bootstrap: localimage\nFrom: base.sif\n").is_empty());
        assert_eq!(images("law.cfg", "[docker_env]\ndocker_image: a/b:1\nimage = c/d\n").len(), 2);
    }
}
