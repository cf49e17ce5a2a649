//! Engines: ways to run one static program inside an image and return one result.
//!
//! A container has a fixed layout, independent of the image:
//!
//! | path inside | content |
//! |---|---|
//! | [`INPUT`] | a directory of the host, read-only: the static binary, the plan, the analysis |
//! | [`SCRATCH`] | a directory in which the user of the contract may write and run programs; removed with the container |
//!
//! Programs on this machine have other paths; [`Engine::layout`] returns the two directories.
//!
//! Every engine passes the conformance tests in `tests/engines/conformance`.
//!
//! To add an engine, add its module, its [`EngineKind`], an arm in `create` and `candidates`, and its conformance test.

mod disk;
pub mod docker;
pub mod embedded;
mod helper;
pub mod host;
pub mod job;
mod launcher;
pub mod output;
pub mod result_file;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::error::{Failure, Kind};
use crate::model::engine::EngineKind;
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use crate::sys::cache::Cache;
use crate::sys::namespace;
use job::{Completed, Job};

/// The read-only input directory inside a container.
pub const INPUT: &str = "/carnet/in";
/// The writable directory inside a container.
pub const SCRATCH: &str = "/carnet/box";

/// A future returned by an engine.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives the output of the program line by line, for the live view.
pub type Lines = UnboundedSender<String>;

/// The two directories of a run: absolute paths as the program sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The input directory, read-only.
    pub input: String,
    /// The writable directory.
    pub scratch: String,
}

impl Layout {
    /// Returns the layout of a container: [`INPUT`] and [`SCRATCH`].
    pub fn inside() -> Self {
        Self { input: INPUT.to_owned(), scratch: SCRATCH.to_owned() }
    }
}

/// Runs a helper of an engine if this process was started as one, and returns its exit code.
pub fn run_helper_if_requested() -> Option<ExitCode> {
    host::supervisor::run_if_requested()
        .or_else(embedded::sandbox::run_if_requested)
        .or_else(namespace::run_if_requested)
}

/// Creates an engine. Whether it works on this machine is up to [`Engine::detect`].
pub(crate) fn create(kind: EngineKind, cache: &Cache) -> Arc<dyn Engine> {
    match kind {
        EngineKind::Docker => Arc::new(docker::Docker::new(docker::Options::from_env())),
        EngineKind::Embedded => Arc::new(embedded::Embedded::new(cache.clone())),
        EngineKind::Host => Arc::new(host::Host::here(cache)),
    }
}

/// Returns the engines that support images of this transport, in order of preference.
pub(crate) fn candidates(image: &Reference) -> &'static [EngineKind] {
    match image {
        Reference::Host => &[EngineKind::Host],
        Reference::Registry(_) | Reference::DockerDaemon(_) => &[EngineKind::Docker],
        Reference::Tree(_) => &[EngineKind::Embedded],
        Reference::DockerArchive(..) | Reference::OciLayout(..) | Reference::OciArchive(..) => {
            &[EngineKind::Embedded, EngineKind::Docker]
        }
    }
}

/// One way to run a program inside an image.
pub trait Engine: Send + Sync {
    /// Returns which engine it is.
    fn kind(&self) -> EngineKind;

    /// Returns its name in `carnet.toml` and in the document.
    fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// Reports whether it works here. Tries it, in well under a second.
    fn detect(&self) -> Task<'_, Availability>;

    /// Makes the image ready to run, which loads or unpacks it once, and returns its identity.
    ///
    /// # Errors
    /// [`EngineError::Image`] if it is missing or unreadable, [`EngineError::Unsupported`] for a transport that this
    /// engine does not support.
    fn open<'a>(&'a self, reference: &'a Reference, cancel: CancellationToken)
    -> Task<'a, Result<Opened, EngineError>>;

    /// Returns the identity of the image without making it ready, or `None` if that requires [`Engine::open`].
    ///
    /// # Errors
    /// As [`Engine::open`].
    fn identify<'a>(&'a self, _reference: &'a Reference) -> Task<'a, Result<Option<ImageIdentity>, EngineError>> {
        Box::pin(async { Ok(None) })
    }

    /// Returns and forgets the notes about images since the last call.
    fn take_notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the state that an earlier run saved with this key on top of `base`, if it still exists.
    ///
    /// # Errors
    /// Fails if the engine does not respond.
    fn saved_state<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>>;

    /// Returns the address of the daemon that runs the programs; `None` if this machine runs them. Another daemon can run
    /// on another machine with another kernel, so results are cached for each address.
    fn address(&self) -> Option<String> {
        None
    }

    /// Removes leftovers of runs that have ended. With `all`, also removes unpacked images and saved states.
    ///
    /// Returns a line for each thing that was removed or could not be removed.
    fn clean(&self, all: bool) -> Task<'_, Vec<String>>;

    /// Returns the directories of the job in this image. Plans and [`Job::argv`] contain these paths, so the result
    /// depends only on the other fields of `job`.
    fn layout(&self, _image: &Opened, _job: &Job) -> Layout {
        Layout::inside()
    }

    /// Runs one program to its end.
    ///
    /// When this returns, even after an error or a cancellation, no process, container, mount or file of the run is left,
    /// except the state that [`Job::save_as`] requests.
    ///
    /// # Errors
    /// Fails with an infrastructure error if the program could not be started or its end is unknown. A program that
    /// fails, is killed or times out is not an error but a [`Completed`].
    fn run<'a>(
        &'a self,
        image: &'a Opened,
        job: &'a Job,
        lines: Lines,
        cancel: CancellationToken,
    ) -> Task<'a, Result<Completed, EngineError>>;
}

/// The availability of an engine on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It works; a description for the user: `docker 20.10.24 (API 1.41) at unix:///var/run/docker.sock`.
    Ready(String),
    /// It does not work.
    Missing {
        /// The reason: a lowercase fragment.
        reason: String,
        /// How to fix it: a lowercase fragment.
        hint: String,
    },
}

/// An image ready to run in.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its identity.
    pub identity: ImageIdentity,
    /// Its location in the engine.
    pub location: ImageLocation,
}

/// The location of an image in an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageLocation {
    /// In the store of a daemon, with this id.
    Daemon(String),
    /// Unpacked on this machine: overlaid trees, topmost first.
    Trees(Vec<PathBuf>),
    /// This machine itself.
    Host,
}

/// An error of an engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine does not work here.
    #[error("engine `{engine}` is not available: {reason}")]
    Missing {
        /// The engine.
        engine: &'static str,
        /// The reason.
        reason: String,
        /// How to fix it.
        hint: String,
    },
    /// The image is not available.
    #[error("image `{reference}`: {reason}")]
    Image {
        /// The reference as written.
        reference: String,
        /// The reason.
        reason: String,
        /// How to fix it.
        hint: Option<String>,
    },
    /// The engine does not support the transport of the image.
    #[error("engine `{engine}` does not support `{reference}`")]
    Unsupported {
        /// The engine.
        engine: &'static str,
        /// The reference as written.
        reference: String,
        /// How to fix it.
        hint: String,
    },
    /// Starting or supervising the program failed.
    #[error("{engine}: {doing} failed")]
    Run {
        /// The engine.
        engine: &'static str,
        /// The step that failed: `creating the container`.
        doing: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token was cancelled before the run ended.
    #[error("interrupted")]
    Cancelled,
}

impl EngineError {
    /// Adds the engine and the step to an error.
    fn run<E>(engine: &'static str, doing: &str) -> impl FnOnce(E) -> Self + use<E>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let doing = doing.to_owned();
        move |source| Self::Run { engine, doing, source: source.into() }
    }
}

impl Failure for EngineError {
    fn kind(&self) -> Kind {
        match self {
            Self::Cancelled => Kind::Interrupted,
            _ => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Image { hint, .. } => hint.clone(),
            Self::Missing { hint, .. } | Self::Unsupported { hint, .. } => Some(hint.clone()),
            Self::Run { .. } | Self::Cancelled => None,
        }
    }
}
