//! `carnet init`.

use std::path::PathBuf;

use super::error::Outcome;
use super::output::print_exact;
use crate::config::FILE;
use crate::config::template::{Detected, render};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::text::count;
use crate::source::git::tree::Listing;
use crate::source::manifest::image;
use crate::source::workflow::detect;
use crate::source::{SourceError, manifest, workflow};
use crate::sys::secret;
use crate::ui::{file, note};

/// Create a commented carnet.toml from the files of the repository
///
/// carnet detects tests, lock files, CI environments, and images in Dockerfiles and job descriptions.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory of the analysis [default: the current directory]
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

    /// Overwrite an existing carnet.toml
    #[arg(long)]
    force: bool,

    /// Use only the CI configuration, and list the parts that can't be converted
    #[arg(long)]
    from_ci: bool,

    /// Print the configuration instead of writing it
    #[arg(long)]
    print: bool,
}

/// The configuration exists already.
#[derive(Debug, thiserror::Error)]
#[error("{} already exists", path.display())]
struct ConfigExistsError {
    path: PathBuf,
}

impl Failure for ConfigExistsError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("use `--force` to overwrite it, or `--print` to print the new configuration".to_owned())
    }
}

/// The repository has no CI configuration.
#[derive(Debug, thiserror::Error)]
#[error("no CI configuration found in {}", path.display())]
struct NoCiError {
    path: PathBuf,
}

impl Failure for NoCiError {
    fn kind(&self) -> Kind {
        Kind::Nothing
    }

    fn hint(&self) -> Option<String> {
        Some("add .github/workflows/*.yml or .gitlab-ci.yml, or omit `--from-ci`".to_owned())
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let top = arguments.path.canonicalize().map_err(|_| SourceError::NoDirectory { path: arguments.path.clone() })?;
    let listing = Listing::read(&top, false)?;
    let name = top.file_name().map(|name| name.to_string_lossy().trim().to_owned()).filter(|name| !name.is_empty());
    let ci = workflow::read(&listing);
    if arguments.from_ci && ci.files.is_empty() {
        return Err(NoCiError { path: top }.into());
    }
    let mut images = image::named(&listing);
    images.retain(|_, file| !arguments.from_ci && !ci.files.contains(file));
    let detected = Detected {
        name: name.unwrap_or_else(|| "analysis".to_owned()),
        tests: detect::tests(&listing),
        images,
        ci,
        is_from_ci: arguments.from_ci,
        locks: manifest::recorded_files(&listing).into_iter().map(|lock| lock.path).collect(),
    };
    let text = render(&detected);
    if arguments.print {
        print_exact(&secret::redactor().redact(&text))?;
        return Ok(exit::GOOD);
    }
    let path = top.join(FILE);
    if path.exists() && !arguments.force {
        return Err(ConfigExistsError { path }.into());
    }
    file::write(&path, text.as_bytes())?;
    let tests = count(detected.tests.len(), "test command");
    let images = count(detected.images.len() + detected.ci.environments.len(), "image");
    note(&format!("wrote {} with {tests} and {images}; next, run `carnet check`", path.display()));
    Ok(exit::GOOD)
}
