//! Images without a digest.

mod pin;

use super::context::FileInput;
use super::moving_image::{Tag, is_mutable_tag, name, tag};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `image-without-digest`: images with a release tag and no digest.
pub(super) static RULE: Rule = Rule {
    id: "image-without-digest",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "image with a tag but without a digest",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds images that are referenced by a tag without a digest.

## Why it breaks elsewhere

A tag can be pushed again. Release tags rarely are, so the finding is a note. With a digest, two facilities cannot run different
images under the same name.

## Example

```dockerfile
FROM coffeateam/coffea-dask-almalinux9:2025.7.3-py3.12
```

## How to fix

Add the digest: `image:tag@sha256:…`. `carnet check` reports the digest of every image that it ran.

`carnet scan --fix` adds it if another file of the repository contains the digest of the same image and tag: a Dockerfile, a CI
file, a `carnet.toml`, or a lock file that contains the tag and the digest. It edits Dockerfiles, Apptainer definitions,
Snakefiles, GitHub and GitLab jobs, `reana.yaml`, `carnet.toml` and HTCondor job descriptions. Apptainer and REANA do not accept a
tag together with a digest, so the digest replaces the tag there.

## Limits

There is no fix if two files contain different digests for one tag, or if the digest is that of a single platform. A mutable tag is
not fixed because the digest in another file may be outdated; such images are reported by `moving-image`. Services of CI jobs are
treated like any other image.
";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for image in &input.view.facts.images {
        if let Some(name) = name(image)
            && let Tag::Some(version) = tag(name)
            && !is_mutable_tag(version)
        {
            let message = format!("image `{name}` has no digest");
            let diagnostic = Diagnostic::at(&image.range, message);
            let pinned = input.context.digests.get(name).and_then(|(digest, path)| {
                let edit = pin::edit(input, image, name, digest)?;
                Some((edit, path))
            });
            diagnostics.push(match pinned {
                // A grouped diagnostic would lose its edit.
                Some((edit, path)) => diagnostic.help(format!("add its digest, which is in {path}")).edit(edit),
                None => diagnostic.help("add @sha256:… after the tag").group(name),
            });
        }
    }
}
