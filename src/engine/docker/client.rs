//! The connection, and what failures of it mean.

use std::error::Error as StdError;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bollard::Docker as Api;
use bollard::errors::Error as ApiError;
use bollard::models::SystemVersion;

use super::endpoint::{self, Endpoint, NoEndpoint, Surroundings};
use super::{NAME, Options};
use crate::engine::EngineError;
use crate::error::chain;
use crate::sys::environment;

/// Time it has to begin any later answer.
const ANSWER: Duration = Duration::from_secs(60);
/// The same for what moves whole images, which may answer only when it is done.
const SLOW_ANSWER: Duration = Duration::from_secs(3600);

/// A connected daemon.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Its interface.
    pub api: Api,
    /// Network of containers that may have one.
    pub network: String,
    /// Whether it may see the files of this machine.
    pub local: bool,
    endpoint: Endpoint,
    version: SystemVersion,
}

/// The daemon that this environment names.
fn named() -> Result<Endpoint, NoEndpoint> {
    endpoint::find(&Surroundings { variable: &environment::var, exists: &|path| path.exists() })
}

/// Its address; none when there is none.
pub(super) fn address() -> Option<String> {
    named().ok().map(|endpoint| endpoint.url)
}

impl Client {
    /// Finds and asks the daemon.
    ///
    /// It has `patience` for its first answer: little to find out whether it works, more when it is known to.
    pub(super) async fn connect(options: &Options, patience: Duration) -> Result<Self, EngineError> {
        let endpoint = match &options.host {
            Some(url) => Endpoint { url: url.clone(), chosen_by: "choice".to_owned() },
            None => named().map_err(|none| missing(none.reason, none.mend))?,
        };
        let local = check(&endpoint)?;
        let unreachable = |error: &ApiError| {
            let reason = format!("no answer from {}: {}", endpoint.url, chain(error));
            missing(reason, "see whether the daemon runs, and what it logs".to_owned())
        };
        let api = Api::connect_with_host(&endpoint.url).map_err(|error| unreachable(&error))?;
        let negotiated = tokio::time::timeout(patience, async {
            let api = api.negotiate_version().await?;
            let version = api.version().await?;
            Ok((api, version))
        });
        let (api, version) = match negotiated.await {
            Ok(answer) => answer.map_err(|error| unreachable(&error))?,
            Err(_) => {
                let reason = format!("no answer from {} in {} s", endpoint.url, patience.as_secs());
                return Err(missing(reason, "see whether the daemon is stuck".to_owned()));
            }
        };
        let network = options.network.clone().unwrap_or_else(|| "bridge".to_owned());
        Ok(Self { api: api.with_timeout(ANSWER), network, local, endpoint, version })
    }

    /// The interface, with patience for what moves whole images.
    pub(super) fn slow(&self) -> Api {
        self.api.clone().with_timeout(SLOW_ANSWER)
    }

    /// Whether it is Podman's service.
    pub(super) fn is_podman(&self) -> bool {
        self.version.components.iter().flatten().any(|component| component.name.starts_with("Podman"))
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        let unknown = || "of unknown version".to_owned();
        format!(
            "{} {} (API {}) at {}, by {}",
            if self.is_podman() { "podman" } else { "docker" },
            self.version.version.clone().unwrap_or_else(unknown),
            self.version.api_version.clone().unwrap_or_else(unknown),
            self.endpoint.url,
            self.endpoint.chosen_by
        )
    }
}

fn missing(reason: String, mend: String) -> EngineError {
    EngineError::Missing { engine: NAME, reason, mend }
}

/// Whether the address is one of this machine; an address that can't work is refused with the reason.
fn check(endpoint: &Endpoint) -> Result<bool, EngineError> {
    let url = &endpoint.url;
    let chosen_by = &endpoint.chosen_by;
    if let Some(path) = url.strip_prefix("unix://") {
        return UnixStream::connect(path).map(|_| true).map_err(|error| refused(path, &error));
    }
    if environment::non_empty("DOCKER_TLS_VERIFY").is_some() || url.starts_with("https://") {
        return Err(missing(
            format!("{url} (by {chosen_by}) wants TLS"),
            "forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set \
             DOCKER_HOST=unix:///tmp/docker.sock"
                .to_owned(),
        ));
    }
    if url.starts_with("tcp://") || url.starts_with("http://") {
        return Ok(false);
    }
    Err(missing(
        format!("{url} (by {chosen_by}) is no address that can be connected to directly"),
        "forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set \
         DOCKER_HOST=unix:///tmp/docker.sock"
            .to_owned(),
    ))
}

fn refused(path: &str, error: &io::Error) -> EngineError {
    let mend = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "be in the group `docker` (`sudo usermod -aG docker $USER`, then log in again)"
        }
        io::ErrorKind::NotFound => "start the daemon, or set DOCKER_HOST to where it is",
        _ => "start the daemon (`systemctl start docker`)",
    };
    missing(format!("{path}: {error}"), mend.to_owned())
}

/// Names what was being done when the interface failed: `creating the container`.
pub(super) fn failed<E>(doing: &str) -> impl FnOnce(E) -> EngineError
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let doing = doing.to_owned();
    move |error| {
        let source = error.into();
        if let Some(ApiError::HyperLegacyError { err }) = source.downcast_ref() {
            // The library's own words for it say nothing of a daemon.
            let reason = format!("the daemon went away while {doing}: {}", chain(err));
            return missing(
                reason,
                "see why it ended and start it again; `carnet clean` removes what is left".to_owned(),
            );
        }
        EngineError::Run { engine: NAME, doing, source }
    }
}

/// The status that the daemon answered with, and its message.
pub(super) fn status(error: &ApiError) -> Option<(u16, &str)> {
    match error {
        ApiError::DockerResponseServerError { status_code, message } => Some((*status_code, message)),
        _ => None,
    }
}

/// None for an answer that there is no such thing.
pub(super) fn found<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Err(error) if status(&error).is_some_and(|(code, _)| code == 404) => Ok(None),
        other => other.map(Some),
    }
}
