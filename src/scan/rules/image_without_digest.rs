//! Images by a tag alone.

mod pin;

use super::context::FileInput;
use super::moving_image::{Tag, moves, name, tag};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};

/// Images with the tag of a release and no digest.
pub(super) static RULE: Rule = Rule {
    id: "image-without-digest",
    severity: Severity::Note,
    confidence: Confidence::High,
    summary: "an image by its tag, without a digest",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds images that are named by a tag and not by a digest.

## Why it breaks elsewhere

A tag can be pushed again. It seldom is for a release, so this is a note: with the digest beside it, two facilities can't run two
images under one name.

## Example

```dockerfile
FROM coffeateam/coffea-dask-almalinux9:2025.7.3-py3.12
```

## How to fix

Add the digest, which `carnet check` reports for every image that it ran: `image:tag@sha256:…`.

`carnet scan --fix` does so where another file of the repository has the digest of the same image and tag: a Dockerfile, a CI file, a
`carnet.toml`, a lock that pairs the two. It mends Dockerfiles, definitions of Apptainer, Snakefiles, jobs of GitHub and GitLab, `reana.yaml`,
`carnet.toml` and descriptions of HTCondor jobs. Where Apptainer or REANA reads the name, which take no tag beside a digest, the
digest replaces the tag.

## Limits

Two places with different digests for one tag mend nothing, nor does the image of one platform. A tag that moves isn't mended, since the
digest of another file may be an old one. An image that is moved on purpose is reported by moving-image instead. Services of CI jobs are not told apart.
";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for image in &input.view.facts.images {
        if let Some(name) = name(image)
            && let Tag::Some(version) = tag(name)
            && !moves(version)
        {
            let message = format!("the image `{name}` is named without its digest");
            let report = Diagnostic::at(&image.range, message);
            let pinned = input.world.digests.get(name).and_then(|(digest, path)| {
                let edit = pin::edit(input, image, name, digest)?;
                Some((edit, path))
            });
            reports.push(match pinned {
                // One of a group would lose its edit.
                Some((edit, path)) => report.help(format!("{path} has its digest")).edit(edit),
                None => report.help("add @sha256:… behind the tag").group(name),
            });
        }
    }
}
