//! Images with mutable tags.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::Word;

/// The rule `moving-image`: images with a mutable tag or without a tag.
pub(super) static RULE: Rule = Rule {
    id: "moving-image",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "image with a mutable tag or without a tag",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds images without a tag, and images with a tag that is updated on purpose: `latest`, `master`, `main`, `dev`, `nightly`, and tags
that contain such a word.

## Why it breaks elsewhere

Facilities cache images. The same line selects last year's image at one facility and today's image at another, and a job that
succeeded on Monday fails on Friday although the repository did not change.

## Example

```yaml
container: coffeateam/coffea-dask-almalinux9:latest
```

## How to fix

Use a release tag, ideally with the digest: `image:2025.7.3-py3.12@sha256:…`.

## Limits

The rule cannot determine whether a tag that looks like a version is ever updated.
";

/// Words that mark a mutable tag.
const MUTABLE_WORDS: &[&str] = &[
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

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for image in &input.view.facts.images {
        let Some(name) = name(image) else { continue };
        let message = match tag(name) {
            Tag::None => format!("image `{name}` has no tag, so `latest` is used"),
            Tag::Some(tag) if is_mutable_tag(tag) => format!("image `{name}` uses mutable tag `{tag}`"),
            Tag::Some(_) | Tag::Digest => continue,
        };
        let help = "use a release tag and a digest; `carnet check` reports the digest of each image that it ran";
        diagnostics.push(Diagnostic::at(&image.range, message).help(help).group(name));
    }
}

/// Returns the name of an image in a registry or on `/cvmfs`; `None` for files, placeholders and build stages.
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

/// The version in a reference.
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

pub(super) fn is_mutable_tag(tag: &str) -> bool {
    tag.split(['-', '_', '.', '+']).any(|part| MUTABLE_WORDS.contains(&part.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::{Tag, is_mutable_tag, name, tag};
    use crate::source::lang::fact::Word;

    fn named(text: &str) -> Option<String> {
        name(&Word { text: text.to_owned(), range: 0..text.len() }).map(str::to_owned)
    }

    #[test]
    fn names_are_parsed_like_engines_do() {
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
        assert!(
            is_mutable_tag("lxplus-el9-latest")
                && is_mutable_tag("dev")
                && !is_mutable_tag("2025.7.3-py3.12")
                && !is_mutable_tag("maintenance1")
        );
    }
}
