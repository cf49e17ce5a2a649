//! Engines: ways to run one static program inside an image and bring one file back.
//!
//! An engine shows the program a fixed layout, whatever the image:
//!
//! | path inside | what it is |
//! |---|---|
//! | [`INPUT`] | a directory of the host, read-only: the static binary, the plan, the analysis |
//! | [`BOX`] | a directory the contract's user can write to and run programs from; goes with the container |
//!
//! On the machine itself there are no such paths; [`Engine::layout`] says where the two directories are instead.
//!
//! Every engine passes the one conformance list in `tests/conformance`.

pub mod docker;
pub mod embedded;
mod follow;
pub mod host;
pub mod job;
pub mod output;
pub mod result_file;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::error::{Failure, Kind};
use crate::model::image::ImageIdentity;
use crate::model::reference::Reference;
use job::{Completed, Job};

/// Where the input directory is seen inside, read-only.
pub const INPUT: &str = "/carnet/in";
/// Where the writable directory is seen inside.
pub const BOX: &str = "/carnet/box";

/// A future an engine gives back.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives the program's output, line by line, as it comes: for the live view, never for results.
pub type Lines = UnboundedSender<String>;

/// Where the program of a run finds its two directories: absolute paths as it sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The input directory, read-only.
    pub input: String,
    /// The writable directory.
    pub boxed: String,
}

impl Layout {
    /// The layout that every container has: [`INPUT`] and [`BOX`].
    pub fn inside() -> Self {
        Self { input: INPUT.to_owned(), boxed: BOX.to_owned() }
    }
}

/// One way to run a program inside an image.
pub trait Engine: Send + Sync {
    /// Its name, as `carnet.toml` and the document have it.
    fn name(&self) -> &'static str;

    /// Whether it works here: found out by trying, in well under a second.
    fn detect(&self) -> Task<'_, Availability>;

    /// Makes the image ready to run (loads or unpacks it, once) and says what it is.
    ///
    /// # Errors
    /// [`EngineError::Image`] when it isn't there or isn't readable, [`EngineError::Unsupported`] for a transport that
    /// this engine can't take.
    fn open<'a>(&'a self, reference: &'a Reference, cancel: CancellationToken)
    -> Task<'a, Result<Opened, EngineError>>;

    /// What the image is, without making it ready; none when only [`Engine::open`] can say.
    ///
    /// # Errors
    /// As [`Engine::open`].
    fn identify<'a>(&'a self, _reference: &'a Reference) -> Task<'a, Result<Option<ImageIdentity>, EngineError>> {
        Box::pin(async { Ok(None) })
    }

    /// The state that an earlier run kept under this key on top of `base`, if it is still there.
    ///
    /// # Errors
    /// When the engine can't say.
    fn kept<'a>(&'a self, base: &'a Opened, key: &'a str) -> Task<'a, Result<Option<Opened>, EngineError>>;

    /// Where the job's program will find its directories in this image. Plans and [`Job::argv`] are written with these
    /// paths, so only the other fields of `job` decide.
    fn layout(&self, _image: &Opened, _job: &Job) -> Layout {
        Layout::inside()
    }

    /// Runs one program to its end.
    ///
    /// Whatever happens, and also when the token is cancelled, nothing of it is left when this returns: no process,
    /// container, mount or file, apart from the state that [`Job::keep`] asks for.
    ///
    /// # Errors
    /// When the program could not be started or its end is not known: a failure of the place. A program that fails,
    /// is killed or runs out of time is no error but a [`Completed`].
    fn run<'a>(
        &'a self,
        image: &'a Opened,
        job: &'a Job,
        lines: Lines,
        cancel: CancellationToken,
    ) -> Task<'a, Result<Completed, EngineError>>;
}

/// Whether an engine works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It does; what it is, for people: `docker 20.10.24 (API 1.41) at unix:///var/run/docker.sock`.
    Ready(String),
    /// It doesn't.
    Missing {
        /// Why: a lowercase fragment.
        reason: String,
        /// How to mend it: a lowercase fragment.
        mend: String,
    },
}

/// An image ready to run in.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it is.
    pub identity: ImageIdentity,
    /// Where the engine has it.
    pub place: ImageLocation,
}

/// Where an engine has an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageLocation {
    /// In a daemon's store, under this id.
    Daemon(String),
    /// Unpacked on this machine: trees that lie over each other, topmost first.
    Trees(Vec<PathBuf>),
    /// This machine as it is.
    Host,
}

/// What an engine fails with.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine doesn't work here.
    #[error("{engine} does not work here: {reason}")]
    Missing {
        /// The engine.
        engine: &'static str,
        /// Why.
        reason: String,
        /// How to mend it.
        mend: String,
    },
    /// The image can't be had.
    #[error("image `{reference}`: {reason}")]
    Image {
        /// The reference as written.
        reference: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The engine can't take images of this transport.
    #[error("{engine} can't take `{reference}`")]
    Unsupported {
        /// The engine.
        engine: &'static str,
        /// The reference as written.
        reference: String,
        /// What to do.
        hint: String,
    },
    /// Starting or watching the program failed.
    #[error("{engine}: {doing} failed")]
    Run {
        /// The engine.
        engine: &'static str,
        /// What was being done: `creating the container`.
        doing: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The token was cancelled before there was a result.
    #[error("interrupted")]
    Cancelled,
}

impl EngineError {
    /// Names the engine and what it was doing when something failed.
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
            Self::Missing { mend, .. } => Some(mend.clone()),
            Self::Image { hint, .. } => hint.clone(),
            Self::Unsupported { hint, .. } => Some(hint.clone()),
            Self::Run { .. } | Self::Cancelled => None,
        }
    }
}
