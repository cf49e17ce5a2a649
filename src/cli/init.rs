//! `carnet init`.

use std::path::PathBuf;

use super::{Outcome, print};
use crate::config::FILE;
use crate::config::template::{Shown, render};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::source::git::tree::Listing;
use crate::source::manifest::image;
use crate::source::workflow::detect;
use crate::source::{SourceError, manifest, workflow};
use crate::ui::{file, note};

/// Write a commented carnet.toml from what the repository shows.
///
/// Tests, lock files, the places that CI runs in, and the images that Dockerfiles and descriptions of jobs name.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory of the analysis.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

    /// Replace a carnet.toml that is there.
    #[arg(long)]
    force: bool,

    /// Make it from the CI files alone, tests included, and name what can't be taken over from them.
    #[arg(long)]
    from_ci: bool,

    /// Print it instead of writing it.
    #[arg(long)]
    print: bool,
}

/// There is a configuration already.
#[derive(Debug, thiserror::Error)]
#[error("{} exists", path.display())]
struct Exists {
    path: PathBuf,
}

impl Failure for Exists {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("see what would be written with --print, or replace it with --force".to_owned())
    }
}

/// There are no CI files.
#[derive(Debug, thiserror::Error)]
#[error("no CI files in {}", path.display())]
struct NoCi {
    path: PathBuf,
}

impl Failure for NoCi {
    fn kind(&self) -> Kind {
        Kind::Nothing
    }

    fn hint(&self) -> Option<String> {
        Some(".github/workflows/*.yml and .gitlab-ci.yml are read; carnet init without --from-ci needs none".to_owned())
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let top = arguments.path.canonicalize().map_err(|_| SourceError::NoDirectory { path: arguments.path.clone() })?;
    let listing = Listing::read(&top, false)?;
    let name = top.file_name().map(|name| name.to_string_lossy().trim().to_owned()).filter(|name| !name.is_empty());
    let ci = workflow::read(&listing);
    if arguments.from_ci && ci.files.is_empty() {
        return Err(NoCi { path: top }.into());
    }
    let mut images = image::named(&listing);
    images.retain(|_, file| !arguments.from_ci && !ci.files.contains(file));
    let shown = Shown {
        name: name.unwrap_or_else(|| "analysis".to_owned()),
        tests: detect::tests(&listing),
        images,
        ci,
        is_from_ci: arguments.from_ci,
        locks: manifest::recorded_files(&listing).into_iter().map(|lock| lock.path).collect(),
    };
    let text = render(&shown);
    if arguments.print {
        print(&text)?;
        return Ok(exit::GOOD);
    }
    let path = top.join(FILE);
    if path.exists() && !arguments.force {
        return Err(Exists { path }.into());
    }
    file::write(&path, text.as_bytes())?;
    let (tests, places) = (shown.tests.len(), shown.images.len() + shown.ci.environments.len());
    note(&format!("wrote {}: {tests} test commands, {places} images found; now run carnet check", path.display()));
    Ok(exit::GOOD)
}
