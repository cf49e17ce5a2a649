//! The connection to the daemon and its errors.

use std::error::Error as StdError;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bollard::Docker as Api;
use bollard::errors::Error as ApiError;
use bollard::models::{ImageInspect, SystemVersion};

use super::endpoint::{self, Endpoint, Lookup, NoEndpoint};
use super::{NAME, Options};
use crate::engine::EngineError;
use crate::error::chain;
use crate::sys::environment;

/// Maximum time until the daemon starts to respond.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum time for requests that transfer whole images, which may answer only at the end.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(3600);

/// A connected daemon.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Its API client.
    pub api: Api,
    /// Network of containers that have one.
    pub network: String,
    /// Whether it may have access to the files of this machine.
    pub is_local: bool,
    endpoint: Endpoint,
    version: SystemVersion,
}

/// Finds the daemon of this environment.
fn find_endpoint() -> Result<Endpoint, NoEndpoint> {
    endpoint::find(&Lookup { variable: &environment::var, exists: &|path| path.exists() })
}

/// Returns the address of the daemon.
pub(super) fn address() -> Option<String> {
    find_endpoint().ok().map(|endpoint| endpoint.url)
}

impl Client {
    /// Finds the daemon and connects to it.
    ///
    /// `timeout` limits the first answer: a short time to detect a daemon, a longer one to use it.
    pub(super) async fn connect(options: &Options, timeout: Duration) -> Result<Self, EngineError> {
        let endpoint = match &options.host {
            Some(url) => Endpoint { url: url.clone(), source: "option".to_owned() },
            None => find_endpoint().map_err(|error| missing(error.reason, error.hint))?,
        };
        let is_local = check(&endpoint)?;
        let unreachable = |error: &ApiError| {
            let reason = format!("no response from {}: {}", endpoint.url, chain(error));
            missing(reason, "check that the daemon is running, and check its log".to_owned())
        };
        let api = Api::connect_with_host(&endpoint.url).map_err(|error| unreachable(&error))?;
        let negotiated = tokio::time::timeout(timeout, async {
            let api = api.negotiate_version().await?;
            let version = api.version().await?;
            Ok((api, version))
        });
        let (api, version) = match negotiated.await {
            Ok(answer) => answer.map_err(|error| unreachable(&error))?,
            Err(_) => {
                let reason = format!("no response from {} within {} s", endpoint.url, timeout.as_secs());
                return Err(missing(reason, "check whether the daemon is stuck".to_owned()));
            }
        };
        let network = options.network.clone().unwrap_or_else(|| "bridge".to_owned());
        Ok(Self { api: api.with_timeout(ANSWER_TIMEOUT), network, is_local, endpoint, version })
    }

    /// Returns an API client for requests that transfer whole images.
    pub(super) fn slow(&self) -> Api {
        self.api.clone().with_timeout(TRANSFER_TIMEOUT)
    }

    /// Returns the image with this name or id, or `None` if the daemon lacks it.
    pub(super) async fn inspect_image(&self, name: &str) -> Result<Option<ImageInspect>, EngineError> {
        found(self.api.inspect_image(name).await).map_err(failed("inspecting the image"))
    }

    /// Reports whether the daemon is the service of Podman.
    pub(super) fn is_podman(&self) -> bool {
        self.version.components.iter().flatten().any(|component| component.name.starts_with("Podman"))
    }

    /// Describes the daemon for the user.
    pub(super) fn describe(&self) -> String {
        let unknown = || "unknown version".to_owned();
        format!(
            "{} {} (API {}) at {}, from {}",
            if self.is_podman() { "podman" } else { "docker" },
            self.version.version.clone().unwrap_or_else(unknown),
            self.version.api_version.clone().unwrap_or_else(unknown),
            self.endpoint.url,
            self.endpoint.source
        )
    }
}

fn missing(reason: String, hint: String) -> EngineError {
    EngineError::Missing { engine: NAME, reason, hint }
}

/// Reports whether the address is on this machine.
///
/// # Errors
/// Fails if the address is not supported or its socket can't be opened.
fn check(endpoint: &Endpoint) -> Result<bool, EngineError> {
    let url = &endpoint.url;
    let source = &endpoint.source;
    if let Some(path) = url.strip_prefix("unix://") {
        return UnixStream::connect(path).map(|_| true).map_err(|error| refused(path, &error));
    }
    if environment::non_empty("DOCKER_TLS_VERIFY").is_some() || url.starts_with("https://") {
        return Err(missing(
            format!("{url} (from {source}) requires TLS, which is not supported"),
            "forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set \
             DOCKER_HOST=unix:///tmp/docker.sock"
                .to_owned(),
        ));
    }
    if url.starts_with("tcp://") || url.starts_with("http://") {
        return Ok(false);
    }
    Err(missing(
        format!("{url} (from {source}) is not a supported address"),
        "forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set \
         DOCKER_HOST=unix:///tmp/docker.sock"
            .to_owned(),
    ))
}

fn refused(path: &str, error: &io::Error) -> EngineError {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "join the group `docker` (`sudo usermod -aG docker $USER`, then log in again)"
        }
        io::ErrorKind::NotFound => "start the daemon, or set DOCKER_HOST to its address",
        _ => "start the daemon (`systemctl start docker`)",
    };
    missing(format!("{path}: {error}"), hint.to_owned())
}

/// Adds the step that failed to an error: `creating the container`.
pub(super) fn failed<E>(doing: &str) -> impl FnOnce(E) -> EngineError
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let doing = doing.to_owned();
    move |error| {
        let source = error.into();
        if let Some(ApiError::HyperLegacyError { err }) = source.downcast_ref() {
            // The message of the library does not mention the daemon.
            let reason = format!("lost the connection to the daemon while {doing}: {}", chain(err));
            return missing(
                reason,
                "check the log of the daemon and restart it; `carnet clean` removes leftover containers".to_owned(),
            );
        }
        EngineError::Run { engine: NAME, doing, source }
    }
}

/// Returns the status and the message of an answer.
pub(super) fn status(error: &ApiError) -> Option<(u16, &str)> {
    match error {
        ApiError::DockerResponseServerError { status_code, message } => Some((*status_code, message)),
        _ => None,
    }
}

/// Converts the answer "not found" to `None`.
pub(super) fn found<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Err(error) if status(&error).is_some_and(|(code, _)| code == 404) => Ok(None),
        other => other.map(Some),
    }
}
