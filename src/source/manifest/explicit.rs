//! Explicit lists of conda packages: `conda list --explicit`.

use super::builder::{File, InventoryBuilder};
use super::format::{FileName, Format};
use super::pylock::file_name;
use crate::model::inventory::{Index, Locked};

/// Text files whose name suggests a list of conda packages. Only the content shows whether one is: see [`is_explicit`].
pub(super) static FORMAT: Format =
    Format { matches: may_be_explicit, is_recorded: |_| false, ..Format::lock("conda-explicit", &[], |_| false, read) };

/// Reports whether a text is an explicit list of conda packages.
pub(super) fn is_explicit(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "@EXPLICIT")
}

/// Reports whether a file may be an explicit list of conda packages, by its name.
fn may_be_explicit(file: &FileName<'_>) -> bool {
    let words = ["conda", "explicit", "spec", "linux-64", "osx-64", "osx-arm64", "linux-aarch64"];
    matches!(file.extension, "txt" | "lock")
        && words.iter().any(|word| file.stem.contains(word))
        && !file.stem.contains("requirement")
        && !file.stem.contains("constraint")
}

/// Reads a list: a line `@EXPLICIT`, then one URL per line, with a digest after `#`.
fn read(file: &File<'_>, builder: &mut InventoryBuilder<'_>) {
    for (line, number) in file.text.lines().zip(1_u32..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '@']) {
            continue;
        }
        let url = line.split('#').next().unwrap_or_default();
        let Some((name, version)) = package_from_url(url) else {
            builder.problem(format!("line {number}: not the URL of a conda package"));
            continue;
        };
        builder.inventory.locked.push(Locked {
            name,
            version,
            files: vec![file_name(url)],
            platform: platform_from_url(url),
            ..builder.locked(file.path, number, Index::Conda)
        });
    }
}

/// Returns the name and version of a conda package from its URL: `…/linux-64/numpy-base-1.2-py39_0.conda`.
pub(super) fn package_from_url(url: &str) -> Option<(String, String)> {
    let file = file_name(url);
    let stem = [".conda", ".tar.bz2"].iter().find_map(|end| file.strip_suffix(end))?;
    let mut parts = stem.rsplitn(3, '-');
    let (_build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name.to_lowercase(), version.to_owned()))
}

/// Returns the platform directory of the channel: `linux-64`, `noarch`.
pub(super) fn platform_from_url(url: &str) -> Option<String> {
    url.rsplit('/').nth(1).filter(|part| !part.is_empty()).map(str::to_owned)
}
