//! `carnet snapshot`.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use tokio_util::sync::CancellationToken;

use super::format::json;
use super::{Outcome, print};
use crate::cell::probe;
use crate::check::snapshot;
use crate::error::{Error, Failure, Kind};
use crate::exit;
use crate::model::engine::EngineKind;
use crate::model::environment::Environment;
use crate::model::reference::Reference;
use crate::ui::file;

/// Print what a place offers to an analysis.
///
/// System, libraries, Pythons and what each can import, packages, ROOT, releases, and how processes run there.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// `host`, `venv:DIR`, or an image: `docker://NAME:TAG`, `docker-daemon:NAME:TAG`, `docker-archive:FILE`,
    /// `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `dir:ROOTFS`.
    #[arg(default_value = "host")]
    target: String,

    /// Engine that starts the image: docker, embedded.
    #[arg(long, value_name = "ENGINE", value_parser = PossibleValuesParser::new(EngineKind::image_engines()))]
    engine: Option<String>,

    /// File to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A target that can't be looked into.
#[derive(Debug, thiserror::Error)]
#[error("`{target}` is no virtual environment: it has no pyvenv.cfg")]
struct NoVenv {
    target: String,
}

impl Failure for NoVenv {
    fn kind(&self) -> Kind {
        Kind::Usage
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let environment = take(&arguments.target, arguments.engine.clone())?;
    let text = json(&environment)?;
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(exit::GOOD)
}

/// The snapshot of a target as the user writes it.
pub(super) fn take(target: &str, engine: Option<String>) -> Result<Environment, Error> {
    if let Some(dir) = target.strip_prefix("venv:") {
        let dir = Path::new(dir);
        if !dir.join("pyvenv.cfg").is_file() {
            return Err(NoVenv { target: target.to_owned() }.into());
        }
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        return Ok(probe::environment(&probe::Options { python: Some(dir), ..host() }));
    }
    match Reference::parse(target, Path::new(""))? {
        Reference::Host => Ok(probe::environment(&host())),
        image => {
            let runtime = super::runtime().map_err(Error::from)?;
            let environment = runtime.block_on(async {
                let cancel = CancellationToken::new();
                super::stop_at_signal(cancel.clone(), "stopping")?;
                snapshot::of_image(&image, target, engine, cancel).await
            });
            runtime.shutdown_background();
            environment
        }
    }
}

fn host() -> probe::Options {
    probe::Options::live(
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect(),
    )
}
