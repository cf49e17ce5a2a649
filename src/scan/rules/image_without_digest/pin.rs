//! The edit that puts a known digest to an image.

use crate::scan::rules::Edit;
use crate::scan::rules::context::FileInput;
use crate::source::lang::fact::Word;
use crate::source::lang::language::Language;

/// How a reference takes a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name:tag@sha256:…`, as Docker reads it.
    Beside,
    /// `name@sha256:…`: the library that Apptainer, Skopeo and Buildah read references with takes no tag beside a digest
    /// (github.com/containers/image/issues/1736), and REANA's client takes a second colon for a wrong tag
    /// (reana-client, `validation/environments.py`).
    Instead,
}

/// The edit of an image whose name, with its tag, stands in the text as it is; none where it is put together, or where
/// nothing is known of who reads it.
pub(super) fn edit(input: &FileInput<'_>, image: &Word, name: &str, digest: &str) -> Option<Edit> {
    let form = form(input, image)?;
    let written = input.view.text.get(image.range.clone())?;
    let at = written.rfind(name)?;
    let (before, after) = (&written[..at], &written[at + name.len()..]);
    let scheme = before.trim_start_matches(['"', '\'']);
    let is_plain = matches!(scheme, "" | "docker://") && after.trim_matches(['"', '\'']).is_empty();
    if !is_plain {
        return None;
    }
    let start = image.range.start + at;
    let replacement = match form {
        Form::Beside => format!("{name}@{digest}"),
        Form::Instead => format!("{}@{digest}", name.rsplit_once(':')?.0),
    };
    Some(Edit { range: start..start + name.len(), replacement, title: format!("pin the image by its digest {digest}") })
}

fn form(input: &FileInput<'_>, image: &Word) -> Option<Form> {
    let file = input.path.rsplit('/').next().unwrap_or(input.path);
    let has_scheme = image.text.contains("://");
    match input.language {
        Language::Docker => Some(Form::Beside),
        Language::Toml => (file == "carnet.toml").then_some(Form::Beside),
        Language::Apptainer => Some(Form::Instead),
        Language::Python => {
            let is_workflow = file == "Snakefile" || file.ends_with(".smk");
            (is_workflow && has_scheme).then_some(Form::Instead)
        }
        Language::HtCondor => {
            let mut settings = input.view.facts.settings.iter();
            let is_docker = settings.any(|one| {
                one.value.range == image.range && one.key.to_ascii_lowercase().trim_start_matches('+') == "docker_image"
            });
            if has_scheme { Some(Form::Instead) } else { is_docker.then_some(Form::Beside) }
        }
        Language::Yaml => in_yaml(input.path, file, &key(input, image)?, has_scheme),
        _ => None,
    }
}

/// The path of keys that a value stands below.
fn key(input: &FileInput<'_>, image: &Word) -> Option<String> {
    input.view.span_at(image.range.start)?.name.clone()
}

/// Keys by which these services start a container; elsewhere the same words may name what is built, or an input.
fn in_yaml(path: &str, file: &str, key: &str, has_scheme: bool) -> Option<Form> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let is_aside = key.split('.').any(|part| matches!(part, "matrix" | "with" | "variables" | "env" | "inputs"));
    let fits = if file.starts_with("reana") {
        return (last == "environment").then_some(Form::Instead);
    } else if path.starts_with(".github/") || matches!(file, "action.yml" | "action.yaml") {
        let is_of_job = key.ends_with("container.image") || key.contains("services.") && last == "image";
        is_of_job || matches!(last, "container" | "uses") || key == "runs.image"
    } else if path.starts_with(".gitlab") || file.contains("gitlab-ci") {
        matches!(last, "image" | "services") || key.ends_with("image.name") || key.ends_with("services.name")
    } else {
        false
    };
    (fits && !is_aside).then_some(if has_scheme { Form::Instead } else { Form::Beside })
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

    /// The text of a file with its fixes, in a repository that knows the digest of `a/b:1`. `@D` stands for the digest.
    fn mended(path: &str, text: &str) -> String {
        let catalogue = Catalogue::builtin();
        let lock = format!("a/b:1@{DIGEST}\n");
        let targets = catalogue.facilities.iter().collect();
        let mut world = RuleContext::new(catalogue, targets, BTreeSet::new(), Inventory::default());
        world.digests = Digests::read(&BTreeMap::from([("images.lock".to_owned(), lock.into_bytes())]));
        let language = Language::of(path, text.as_bytes());
        let view = lang::read(language, text.as_bytes());
        let input = FileInput { path, language, view: &view, matches: &[], world: &world };
        let mut reports = Vec::new();
        let Check::File(check) = RULE.check else { panic!("it looks at files") };
        check(&input, &mut reports);
        let mut edits: Vec<_> = reports.into_iter().filter_map(|report| report.edit).collect();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.range.start));
        let mut text = text.to_owned();
        for edit in edits {
            text.replace_range(edit.range, &edit.replacement);
        }
        text.replace(&format!("@{DIGEST}"), "@D")
    }

    #[test]
    fn a_known_digest_stands_beside_the_tag_where_docker_reads_it() {
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
            assert_eq!(mended(path, text), expected, "{path}");
            assert_eq!(mended(path, expected), expected, "{path}: once");
        }
    }

    #[test]
    fn it_replaces_the_tag_where_only_one_of_them_may_stand() {
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
            assert_eq!(mended(path, text), expected, "{path}");
            assert_eq!(mended(path, expected), expected, "{path}: once");
        }
    }

    #[test]
    fn what_is_not_that_image_or_not_read_by_somebody_known_stays() {
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
            assert_eq!(mended(path, text), text, "{path}");
        }
    }
}
