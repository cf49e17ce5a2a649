//! Where the daemon is: `DOCKER_HOST`, the context that the `docker` command uses, or a socket at a usual place.
//!
//! Contexts: <https://docs.docker.com/engine/manage-resources/contexts/>.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::model::digest::Digest;

/// An address and why it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// As `DOCKER_HOST` has it.
    pub url: String,
    /// What chose it: `DOCKER_HOST`, `context desktop-linux`, `default`.
    pub chosen_by: String,
}

/// Why there is no address: a reason and how to mend it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoEndpoint {
    pub reason: String,
    pub mend: String,
}

/// What the search looks at.
pub(super) struct Surroundings<'a> {
    /// A variable of the environment; empty ones count as not set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a socket is there.
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

/// Finds the address.
pub(super) fn find(at: &Surroundings<'_>) -> Result<Endpoint, NoEndpoint> {
    let set = |name: &str| (at.variable)(name).filter(|value| !value.is_empty());
    if let Some(url) = set("DOCKER_HOST") {
        return Ok(Endpoint { url, chosen_by: "DOCKER_HOST".to_owned() });
    }
    let directory = set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(Path::new(&set("HOME")?).join(".docker")));
    let context = set("DOCKER_CONTEXT").or_else(|| current_context(directory.as_deref()?));
    match (context, directory) {
        (Some(name), Some(directory)) if name != "default" => from_context(&directory, &name),
        _ => usual(at),
    }
}

fn current_context(directory: &Path) -> Option<String> {
    let config: Config = serde_json::from_slice(&std::fs::read(directory.join("config.json")).ok()?).ok()?;
    Some(config.current_context).filter(|name| !name.is_empty())
}

/// A context lies in a directory that is named by the digest of its name.
fn from_context(directory: &Path, name: &str) -> Result<Endpoint, NoEndpoint> {
    let path = directory.join("contexts/meta").join(Digest::of(name.as_bytes()).hex()).join("meta.json");
    let trouble = |reason: String| NoEndpoint {
        reason,
        mend: "choose another with `docker context use`, or set DOCKER_HOST".to_owned(),
    };
    let text = std::fs::read(&path)
        .map_err(|error| trouble(format!("the context `{name}` can't be read from {}: {error}", path.display())))?;
    let meta: Meta = serde_json::from_slice(&text)
        .map_err(|error| trouble(format!("the context `{name}` in {} is damaged: {error}", path.display())))?;
    match meta.endpoints.docker.map(|docker| docker.host).filter(|host| !host.is_empty()) {
        Some(url) => Ok(Endpoint { url, chosen_by: format!("context {name}") }),
        None => Err(trouble(format!("the context `{name}` names no address of a daemon"))),
    }
}

fn usual(at: &Surroundings<'_>) -> Result<Endpoint, NoEndpoint> {
    let mut places = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(runtime) = (at.variable)("XDG_RUNTIME_DIR").filter(|value| !value.is_empty()) {
        places.push(Path::new(&runtime).join("docker.sock"));
        places.push(Path::new(&runtime).join("podman/podman.sock"));
    }
    places.push(PathBuf::from("/run/podman/podman.sock"));
    let found = places.iter().find(|place| (at.exists)(place));
    found
        .map(|place| Endpoint { url: format!("unix://{}", place.display()), chosen_by: "default".to_owned() })
        .ok_or_else(|| NoEndpoint {
            reason: format!("no socket of a daemon at {}", join(&places)),
            mend: "start Docker (`systemctl start docker`) or Podman's service (`systemctl --user start \
                   podman.socket`), or set DOCKER_HOST"
                .to_owned(),
        })
}

fn join(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{Endpoint, NoEndpoint, Surroundings, find};
    use crate::model::digest::Digest;

    fn search(variables: &[(&str, &str)], sockets: &[&str]) -> Result<Endpoint, NoEndpoint> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        find(&Surroundings {
            variable: &|name| variables.get(name).map(|value| (*value).to_owned()),
            exists: &|path: &Path| sockets.iter().any(|socket| Path::new(socket) == path),
        })
    }

    #[test]
    fn the_variable_goes_before_everything() {
        let found = search(&[("DOCKER_HOST", "tcp://b:2375"), ("DOCKER_CONTEXT", "x")], &["/var/run/docker.sock"]);
        assert_eq!(found.expect("an address").url, "tcp://b:2375");
    }

    #[test]
    fn usual_places_are_tried_in_order() {
        let runtime = ("XDG_RUNTIME_DIR", "/run/user/7");
        let found = search(&[runtime], &["/run/user/7/podman/podman.sock"]).expect("an address");
        assert_eq!(found.url, "unix:///run/user/7/podman/podman.sock");
        let nothing = search(&[runtime, ("DOCKER_HOST", "")], &[]).expect_err("nothing is there");
        assert!(nothing.reason.contains("/run/user/7/docker.sock"), "{}", nothing.reason);
    }

    #[test]
    fn the_current_context_is_used() {
        let dir = tempfile::tempdir().expect("a directory");
        let meta = dir.path().join("contexts/meta").join(Digest::of(b"colima").hex());
        std::fs::create_dir_all(&meta).expect("directories");
        std::fs::write(dir.path().join("config.json"), r#"{"auths":{},"currentContext":"colima"}"#).expect("a file");
        let config = ("DOCKER_CONFIG", dir.path().to_str().expect("a readable path"));

        let broken = search(&[config], &["/var/run/docker.sock"]).expect_err("the context isn't there");
        assert!(broken.reason.contains("colima"), "{}", broken.reason);

        let text = r#"{"Name":"colima","Endpoints":{"docker":{"Host":"unix:///c.sock","SkipTLSVerify":false}}}"#;
        std::fs::write(meta.join("meta.json"), text).expect("a file");
        assert_eq!(search(&[config], &[]).expect("an address").url, "unix:///c.sock");
        let other = search(&[config, ("DOCKER_CONTEXT", "default")], &["/var/run/docker.sock"]);
        assert_eq!(other.expect("an address").chosen_by, "default");
    }
}
