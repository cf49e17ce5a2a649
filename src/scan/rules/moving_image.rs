//! Images whose name means another image tomorrow.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Word;

/// Images without a tag, with a tag that moves, or from a file of one person.
pub(super) static RULE: Rule = Rule {
    id: "moving-image",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "an image by a tag that moves, or by none",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds images that are named without a tag, or by one that is moved on purpose: `latest`, `master`, `main`, `dev`, `nightly`, and tags
that hold such a word.

## Why it breaks elsewhere

Facilities cache images. The same line gives last year's image at one of them and today's at another, and a job that ran on Monday
fails on Friday with nothing changed in the repository.

## Example

```yaml
container: coffeateam/coffea-dask-almalinux9:latest
```

## How to fix

Name a release, and best its digest: `image:2025.7.3-py3.12@sha256:…`.

## Limits

Whether a tag that looks like a version is ever moved can't be seen.
";

/// Words of a tag that say that it moves.
const MOVING: &[&str] = &[
    "latest",
    "master",
    "main",
    "dev",
    "devel",
    "develop",
    "development",
    "nightly",
    "edge",
    "testing",
    "stable",
    "head",
];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for image in &input.view.facts.images {
        let Some(name) = name(image) else { continue };
        let message = match tag(name) {
            Tag::None => format!("the image `{name}` has no tag, which means `latest`"),
            Tag::Some(tag) if moves(tag) => format!("the tag `{tag}` of the image `{name}` moves"),
            Tag::Some(_) | Tag::Digest => continue,
        };
        let help = "name a release and its digest: carnet check writes the digest it ran into its report";
        reports.push(Diagnostic::at(&image.range, message).help(help).group(name));
    }
}

/// The name of an image in a registry, or of one unpacked on `/cvmfs`; none for files, placeholders and stages.
pub(super) fn name(image: &Word) -> Option<&str> {
    let name = image.text.trim().trim_matches(['"', '\'']);
    let name = name.split_once("://").map_or(name, |(_, name)| name);
    let unpacked = name
        .strip_prefix("/cvmfs/unpacked.cern.ch/")
        .or_else(|| name.strip_prefix("/cvmfs/singularity.opensciencegrid.org/"));
    let is_file =
        unpacked.is_none() && (name.starts_with(['/', '.', '~']) || name.ends_with(".sif") || name.ends_with(".img"));
    let name = unpacked.unwrap_or(name).trim_end_matches('/');
    let plain = !name.is_empty() && name != "scratch" && !name.contains(['$', '{', ' ', '<', '%', '*', '\\', '=']);
    let sane = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    (plain && sane && !is_file).then_some(name)
}

/// What a reference says of its version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    None,
    Some(&'a str),
    Digest,
}

pub(super) fn tag(name: &str) -> Tag<'_> {
    if name.contains("@sha256:") {
        return Tag::Digest;
    }
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => Tag::Some(tag),
        _ => Tag::None,
    }
}

pub(super) fn moves(tag: &str) -> bool {
    tag.split(['-', '_', '.', '+']).any(|part| MOVING.contains(&part.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Tag, moves, name, tag};
    use crate::source::lang::fact::Word;

    fn named(text: &str) -> Option<String> {
        name(&Word { text: text.to_owned(), range: 0..text.len() }).map(str::to_owned)
    }

    #[test]
    fn names_are_read_as_engines_read_them() {
        assert_eq!(named("docker://a/b:1").as_deref(), Some("a/b:1"));
        assert_eq!(
            named("/cvmfs/unpacked.cern.ch/registry.hub.docker.com/a/b:latest").as_deref(),
            Some("registry.hub.docker.com/a/b:latest")
        );
        for none in ["$IMAGE", "/home/jane/x.sif", "scratch", "a/${B}", "{image}"] {
            assert_eq!(named(none), None, "{none}");
        }
        assert_eq!(tag("host:5000/a"), Tag::None);
        assert_eq!(tag("a:1@sha256:0"), Tag::Digest);
        assert!(moves("lxplus-el9-latest") && moves("dev") && !moves("2025.7.3-py3.12") && !moves("maintenance1"));
    }
}
