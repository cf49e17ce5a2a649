//! Explicit lists of conda packages: `conda list --explicit`.

use super::found::{File, Found};
use super::pylock::file_name;
use crate::model::inventory::{Index, Locked};

/// Reads one: a line `@EXPLICIT`, then a URL a line, with a digest after `#`.
pub(super) fn read(file: &File<'_>, found: &mut Found<'_>) {
    for (line, number) in file.text.lines().zip(1_u32..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '@']) {
            continue;
        }
        let url = line.split('#').next().unwrap_or_default();
        let Some((name, version)) = of_url(url) else {
            found.problem(format!("line {number}: no conda package"));
            continue;
        };
        found.inventory.locked.push(Locked {
            name,
            version,
            files: vec![file_name(url)],
            platform: platform(url),
            ..found.locked(file.path, number, Index::Conda)
        });
    }
}

/// Name and version of a conda package from its URL: `…/linux-64/numpy-base-1.2-py39_0.conda`.
pub(super) fn of_url(url: &str) -> Option<(String, String)> {
    let file = file_name(url);
    let stem = [".conda", ".tar.bz2"].iter().find_map(|end| file.strip_suffix(end))?;
    let mut parts = stem.rsplitn(3, '-');
    let (_build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name.to_lowercase(), version.to_owned()))
}

/// The directory of the channel that it lies in: `linux-64`, `noarch`.
pub(super) fn platform(url: &str) -> Option<String> {
    url.rsplit('/').nth(1).filter(|part| !part.is_empty()).map(str::to_owned)
}
