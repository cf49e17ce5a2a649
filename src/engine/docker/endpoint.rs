//! Finds the daemon: `DOCKER_HOST`, the context of the `docker` command, or a default socket.
//!
//! Contexts: <https://docs.docker.com/engine/manage-resources/contexts/>.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::digest::Digest;

/// The address of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The address in the format of `DOCKER_HOST`.
    pub url: String,
    /// Its source: `DOCKER_HOST`, `context desktop-linux`, `default`.
    pub source: String,
}

/// An environment without an address of a daemon.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoEndpoint {
    pub reason: String,
    pub hint: String,
}

/// The inputs of the search.
pub(super) struct Lookup<'a> {
    /// Returns an environment variable; an empty one counts as not set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Reports whether a socket exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext", default)]
    current_context: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
}

/// Finds the address of the daemon.
pub(super) fn find(lookup: &Lookup<'_>) -> Result<Endpoint, NoEndpoint> {
    let set = |name: &str| (lookup.variable)(name).filter(|value| !value.is_empty());
    if let Some(url) = set("DOCKER_HOST") {
        return Ok(Endpoint { url, source: "DOCKER_HOST".to_owned() });
    }
    let directory = set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(Path::new(&set("HOME")?).join(".docker")));
    let context = set("DOCKER_CONTEXT").or_else(|| current_context(directory.as_deref()?));
    match (context, directory) {
        (Some(name), Some(directory)) if name != "default" => from_context(&directory, &name),
        _ => default_socket(lookup),
    }
}

fn current_context(directory: &Path) -> Option<String> {
    let config: Config = serde_json::from_slice(&std::fs::read(directory.join("config.json")).ok()?).ok()?;
    Some(config.current_context).filter(|name| !name.is_empty())
}

/// Reads the address of a context. Its directory has the digest of its name.
fn from_context(directory: &Path, name: &str) -> Result<Endpoint, NoEndpoint> {
    let path = directory.join("contexts/meta").join(Digest::of(name.as_bytes()).hex()).join("meta.json");
    let no_endpoint = |reason: String| NoEndpoint {
        reason,
        hint: "select another context with `docker context use`, or set DOCKER_HOST".to_owned(),
    };
    let text = std::fs::read(&path)
        .map_err(|error| no_endpoint(format!("failed to read context `{name}` from {}: {error}", path.display())))?;
    let meta: Meta = serde_json::from_slice(&text)
        .map_err(|error| no_endpoint(format!("invalid context `{name}` in {}: {error}", path.display())))?;
    match meta.endpoints.docker.map(|docker| docker.host).filter(|host| !host.is_empty()) {
        Some(url) => Ok(Endpoint { url, source: format!("context {name}") }),
        None => Err(no_endpoint(format!("context `{name}` does not define a daemon address"))),
    }
}

fn default_socket(lookup: &Lookup<'_>) -> Result<Endpoint, NoEndpoint> {
    let mut paths = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(runtime) = (lookup.variable)("XDG_RUNTIME_DIR").filter(|value| !value.is_empty()) {
        paths.push(Path::new(&runtime).join("docker.sock"));
        paths.push(Path::new(&runtime).join("podman/podman.sock"));
    }
    paths.push(PathBuf::from("/run/podman/podman.sock"));
    let found = paths.iter().find(|path| (lookup.exists)(path));
    found.map(|path| Endpoint { url: format!("unix://{}", path.display()), source: "default".to_owned() }).ok_or_else(
        || NoEndpoint {
            reason: format!("no daemon socket at {}", join(&paths)),
            hint: "start Docker (`systemctl start docker`) or Podman's service (`systemctl --user start \
                   podman.socket`), or set DOCKER_HOST"
                .to_owned(),
        },
    )
}

fn join(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{Endpoint, Lookup, NoEndpoint, find};
    use crate::model::digest::Digest;

    fn search(variables: &[(&str, &str)], sockets: &[&str]) -> Result<Endpoint, NoEndpoint> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        find(&Lookup {
            variable: &|name| variables.get(name).map(|value| (*value).to_owned()),
            exists: &|path: &Path| sockets.iter().any(|socket| Path::new(socket) == path),
        })
    }

    #[test]
    fn docker_host_takes_precedence() {
        let found = search(&[("DOCKER_HOST", "tcp://b:2375"), ("DOCKER_CONTEXT", "x")], &["/var/run/docker.sock"]);
        assert_eq!(found.expect("an address").url, "tcp://b:2375");
    }

    #[test]
    fn default_sockets_are_tried_in_order() {
        let runtime = ("XDG_RUNTIME_DIR", "/run/user/7");
        let found = search(&[runtime], &["/run/user/7/podman/podman.sock"]).expect("an address");
        assert_eq!(found.url, "unix:///run/user/7/podman/podman.sock");
        let nothing = search(&[runtime, ("DOCKER_HOST", "")], &[]).expect_err("nothing is there");
        assert!(nothing.reason.contains("/run/user/7/docker.sock"), "{}", nothing.reason);
    }

    #[test]
    fn current_context_is_used() {
        let dir = tempfile::tempdir().expect("a directory");
        let meta = dir.path().join("contexts/meta").join(Digest::of(b"colima").hex());
        std::fs::create_dir_all(&meta).expect("directories");
        std::fs::write(dir.path().join("config.json"), r#"{"auths":{},"currentContext":"colima"}"#).expect("a file");
        let config = ("DOCKER_CONFIG", dir.path().to_str().expect("a readable path"));

        let broken = search(&[config], &["/var/run/docker.sock"]).expect_err("the context does not exist");
        assert!(broken.reason.contains("colima"), "{}", broken.reason);

        let text = r#"{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///c.sock","SkipTLSVerify":false}}}"#;
        std::fs::write(meta.join("meta.json"), text).expect("a file");
        assert_eq!(search(&[config], &[]).expect("an address").url, "unix:///c.sock");
        let other = search(&[config, ("DOCKER_CONTEXT", "default")], &["/var/run/docker.sock"]);
        assert_eq!(other.expect("an address").source, "default");
    }
}
