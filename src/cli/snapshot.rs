//! `carnet snapshot`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;

use super::error::Outcome;
use super::output::{json, print_exact, print_or_write};
use super::runtime::{SignalHandler, runtime};
use crate::cell::probe;
use crate::check::snapshot;
use crate::error::{Error, Failure, Kind};
use crate::exit;
use crate::model::engine::EngineKind;
use crate::model::environment::Environment;
use crate::model::redact::Redact as _;
use crate::model::reference::Reference;
use crate::sys::{environment, secret};

/// Print the environment of this machine or an image
///
/// The snapshot lists the operating system, libraries, Python installations and their modules, packages, ROOT, software
/// releases, and properties of the runtime.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The machine or image to describe
    ///
    /// One of `host`, `venv:DIR`, `docker://NAME:TAG`, `docker-daemon:NAME:TAG`, `docker-archive:FILE`,
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]` and `dir:ROOTFS`.
    #[arg(default_value = "host")]
    target: String,

    /// Engine for images [default: the first available]
    #[arg(long, value_name = "ENGINE", value_parser = PossibleValuesParser::new(EngineKind::image_engines()))]
    engine: Option<String>,

    /// Write the snapshot to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The target is not a virtual environment.
#[derive(Debug, thiserror::Error)]
#[error("`{target}` is not a virtual environment: pyvenv.cfg not found")]
struct NotVenvError {
    target: String,
}

impl Failure for NotVenvError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let environment = take(&arguments.target, arguments.engine.clone())?;
    print_or_write(&json(&environment)?, arguments.output.as_deref(), print_exact)?;
    Ok(exit::GOOD)
}

/// Takes the snapshot of a target, given as on the command line. It contains no credentials.
pub(super) fn take(target: &str, engine: Option<String>) -> Result<Environment, Error> {
    let mut environment = read(target, engine)?;
    environment.redact(secret::redactor());
    Ok(environment)
}

fn read(target: &str, engine: Option<String>) -> Result<Environment, Error> {
    if let Some(dir) = target.strip_prefix("venv:") {
        let dir = Path::new(dir);
        if !dir.join("pyvenv.cfg").is_file() {
            return Err(NotVenvError { target: target.to_owned() }.into());
        }
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        return Ok(probe::environment(&probe::Options { python: Some(dir), ..host_options() }));
    }
    match Reference::parse(target, Path::new(""))? {
        Reference::Host => Ok(probe::environment(&host_options())),
        image => {
            let runtime = runtime()?;
            let handler = SignalHandler::start("interrupted: stopping")?;
            let environment = runtime.block_on(snapshot::of_image(&image, target, engine, &handler.interruption));
            runtime.shutdown_background();
            handler.finish();
            environment
        }
    }
}

fn host_options() -> probe::Options {
    probe::Options::live(environment::vars().collect())
}
