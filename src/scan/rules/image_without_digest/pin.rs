//! The edit that adds a known digest to an image.

use crate::scan::rules::Edit;
use crate::scan::rules::context::FileInput;
use crate::source::lang::fact::Word;
use crate::source::lang::language::Language;

/// The form of a reference with a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name:tag@sha256:…`, supported by Docker.
    WithTag,
    /// `name@sha256:…`. The library that parses references in Apptainer, Skopeo and Buildah rejects a tag together with a
    /// digest (github.com/containers/image/issues/1736), and REANA's client treats a second colon as an invalid tag
    /// (reana-client, `validation/environments.py`).
    WithoutTag,
}

/// Returns the edit that adds the digest to an image. `None` if the text does not contain the name and tag literally, or
/// if the program that reads the file is unknown.
pub(super) fn edit(input: &FileInput<'_>, image: &Word, name: &str, digest: &str) -> Option<Edit> {
    let form = form(input, image)?;
    let written = input.view.text.get(image.range.clone())?;
    let offset = written.rfind(name)?;
    let (before, after) = (&written[..offset], &written[offset + name.len()..]);
    let scheme = before.trim_start_matches(['"', '\'']);
    let is_plain = matches!(scheme, "" | "docker://") && after.trim_matches(['"', '\'']).is_empty();
    if !is_plain {
        return None;
    }
    let start = image.range.start + offset;
    let replacement = match form {
        Form::WithTag => format!("{name}@{digest}"),
        Form::WithoutTag => format!("{}@{digest}", name.rsplit_once(':')?.0),
    };
    Some(Edit { range: start..start + name.len(), replacement, title: format!("pin the image to {digest}") })
}

fn form(input: &FileInput<'_>, image: &Word) -> Option<Form> {
    let file = input.path.rsplit('/').next().unwrap_or(input.path);
    let has_scheme = image.text.contains("://");
    match input.language {
        Language::Docker => Some(Form::WithTag),
        Language::Toml => (file == "carnet.toml").then_some(Form::WithTag),
        Language::Apptainer => Some(Form::WithoutTag),
        Language::Python => {
            let is_workflow = file == "Snakefile" || file.ends_with(".smk");
            (is_workflow && has_scheme).then_some(Form::WithoutTag)
        }
        Language::HtCondor => {
            let mut settings = input.view.facts.settings.iter();
            let is_docker = settings.any(|setting| {
                setting.value.range == image.range
                    && setting.key.to_ascii_lowercase().trim_start_matches('+') == "docker_image"
            });
            if has_scheme { Some(Form::WithoutTag) } else { is_docker.then_some(Form::WithTag) }
        }
        Language::Yaml => in_yaml(input.path, file, &key(input, image)?, has_scheme),
        _ => None,
    }
}

/// Returns the path of keys of a value.
fn key(input: &FileInput<'_>, image: &Word) -> Option<String> {
    input.view.span_at(image.range.start)?.name.clone()
}

/// Returns the form for a key with which one of these services starts a container. In other files, the same keys may name
/// an image that is built, or an input.
fn in_yaml(path: &str, file: &str, key: &str, has_scheme: bool) -> Option<Form> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let is_input = key.split('.').any(|part| matches!(part, "matrix" | "with" | "variables" | "env" | "inputs"));
    let fits = if file.starts_with("reana") {
        return (last == "environment").then_some(Form::WithoutTag);
    } else if path.starts_with(".github/") || matches!(file, "action.yml" | "action.yaml") {
        let is_of_job = key.ends_with("container.image") || key.contains("services.") && last == "image";
        is_of_job || matches!(last, "container" | "uses") || key == "runs.image"
    } else if path.starts_with(".gitlab") || file.contains("gitlab-ci") {
        matches!(last, "image" | "services") || key.ends_with("image.name") || key.ends_with("services.name")
    } else {
        false
    };
    (fits && !is_input).then_some(if has_scheme { Form::WithoutTag } else { Form::WithTag })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::RULE;
    use crate::facility::Catalogue;
    use crate::model::inventory::Inventory;
    use crate::scan::rules::Check;
    use crate::scan::rules::context::{FileInput, RuleContext};
    use crate::source::lang;
    use crate::source::lang::language::Language;
    use crate::source::manifest::image::digest::Digests;

    const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    /// Returns the text of a file with its fixes, in a repository that contains the digest of `a/b:1`. `@D` is the digest.
    fn fixed(path: &str, text: &str) -> String {
        let catalogue = Catalogue::builtin();
        let lock = format!("a/b:1@{DIGEST}\n");
        let targets = catalogue.facilities.iter().collect();
        let mut context = RuleContext::new(catalogue, targets, BTreeSet::new(), Inventory::default());
        context.digests = Digests::read(&BTreeMap::from([("images.lock".to_owned(), lock.into_bytes())]));
        let language = Language::of(path, text.as_bytes());
        let view = lang::read(language, text.as_bytes());
        let input = FileInput { path, language, view: &view, matches: &[], context: &context };
        let mut diagnostics = Vec::new();
        let Check::File(check) = RULE.check else { panic!("a rule for files") };
        check(&input, &mut diagnostics);
        let mut edits: Vec<_> = diagnostics.into_iter().filter_map(|diagnostic| diagnostic.edit).collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start));
        let mut text = text.to_owned();
        for edit in edits {
            text.replace_range(edit.range, &edit.replacement);
        }
        text.replace(&format!("@{DIGEST}"), "@D")
    }

    #[test]
    fn digest_is_added_to_tag_for_docker() {
        for (path, text, expected) in [
            (
                "Dockerfile",
                "FROM a/b:1 AS x\nCOPY --from=a/b:1 /y /z\n",
                "FROM a/b:1@D AS x\nCOPY --from=a/b:1@D /y /z\n",
            ),
            ("Dockerfile", "FROM docker.io/a/b:1\n", "FROM docker.io/a/b:1@D\n"),
            (".github/workflows/a.yml", "jobs:\n  x:\n    container: a/b:1\n", "jobs:\n  x:\n    container: a/b:1@D\n"),
            (
                ".github/workflows/a.yml",
                "jobs:\n  x:\n    container: {image: 'a/b:1'}\n",
                "jobs:\n  x:\n    container: {image: 'a/b:1@D'}\n",
            ),
            (
                ".gitlab-ci.yml",
                "image: \"a/b:1\"\nx:\n  image:\n    name: a/b:1\n",
                "image: \"a/b:1@D\"\nx:\n  image:\n    name: a/b:1@D\n",
            ),
            ("job.sub", "docker_image = a/b:1\n", "docker_image = a/b:1@D\n"),
            (
                "carnet.toml",
                "[[facility]]\nid = 'x'\nimage = 'docker://a/b:1'\n",
                "[[facility]]\nid = 'x'\nimage = 'docker://a/b:1@D'\n",
            ),
        ] {
            assert_eq!(fixed(path, text), expected, "{path}");
            assert_eq!(fixed(path, expected), expected, "{path}: once");
        }
    }

    #[test]
    fn digest_replaces_tag_if_reader_accepts_only_one() {
        for (path, text, expected) in [
            (
                "reana.yaml",
                "workflow:\n  specification:\n    steps:\n      - environment: 'a/b:1'\n",
                "workflow:\n  specification:\n    steps:\n      - environment: 'a/b@D'\n",
            ),
            ("a.def", "Bootstrap: docker\nFrom: a/b:1\n", "Bootstrap: docker\nFrom: a/b@D\n"),
            ("job.sub", "container_image = docker://a/b:1\n", "container_image = docker://a/b@D\n"),
            ("job.sub", "+SingularityImage = \"docker://a/b:1\"\n", "+SingularityImage = \"docker://a/b@D\"\n"),
            (
                "Snakefile",
                "rule x:\n    container: \"docker://a/b:1\"\n",
                "rule x:\n    container: \"docker://a/b@D\"\n",
            ),
            (
                ".github/workflows/a.yml",
                "jobs:\n  x:\n    steps:\n      - uses: docker://a/b:1\n",
                "jobs:\n  x:\n    steps:\n      - uses: docker://a/b@D\n",
            ),
        ] {
            assert_eq!(fixed(path, text), expected, "{path}");
            assert_eq!(fixed(path, expected), expected, "{path}: once");
        }
    }

    #[test]
    fn other_images_and_unknown_readers_are_unchanged() {
        for (path, text) in [
            ("Dockerfile", "FROM a/b:2\nFROM x/a/b:1\n"),
            ("Dockerfile", "ARG TAG=1\nFROM a/b:${TAG}\n"),
            ("job.sub", "+SingularityImage = \"/cvmfs/unpacked.cern.ch/registry.hub.docker.com/a/b:1\"\n"),
            ("job.sub", "container_image = a/b:1\n"),
            ("run.py", "container = 'docker://a/b:1'\n"),
            ("run.sh", "docker run a/b:1 ls\n"),
            ("docker-compose.yml", "services:\n  x:\n    build: .\n    image: a/b:1\n"),
            (".github/workflows/a.yml", "jobs:\n  x:\n    steps:\n      - with: {image: 'a/b:1'}\n"),
            (".github/workflows/a.yml", "jobs:\n  x:\n    strategy: {matrix: {container: ['a/b:1']}}\n"),
            ("deploy.yaml", "image: a/b:1\n"),
            ("other.toml", "image = 'docker://a/b:1'\n"),
        ] {
            assert_eq!(fixed(path, text), text, "{path}");
        }
    }
}
