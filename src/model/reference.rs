//! Image references with the transports of skopeo, podman and apptainer.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};

/// A reference to an image or to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `docker://NAME[:TAG][@DIGEST]`: an image in a registry, possibly already in the store of a daemon.
    Registry(String),
    /// `docker-daemon:NAME[:TAG]`: an image in the store of the Docker daemon.
    DockerDaemon(String),
    /// `docker-archive:FILE[:NAME:TAG]`: an archive written by `docker save`.
    DockerArchive(PathBuf, Option<String>),
    /// `oci:DIR[:TAG]`: an OCI image layout.
    OciLayout(PathBuf, Option<String>),
    /// `oci-archive:FILE[:TAG]`: an OCI image layout in a tar file.
    OciArchive(PathBuf, Option<String>),
    /// `dir:ROOTFS`: an unpacked root file system.
    Tree(PathBuf),
    /// `host`: this machine without an image.
    Host,
}

/// A string is not a valid image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid image reference `{text}`: {reason}")]
pub struct InvalidReference {
    text: String,
    reason: String,
}

impl Failure for InvalidReference {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(TRANSPORTS.to_owned())
    }
}

const TRANSPORTS: &str = "use docker://NAME:TAG, docker-daemon:NAME:TAG, docker-archive:FILE, oci:DIR[:TAG], \
                          oci-archive:FILE[:TAG], dir:ROOTFS or host";

impl Reference {
    /// Parses a reference; relative paths are resolved against `base`.
    ///
    /// # Errors
    /// If the transport is unknown or the rest is invalid for it.
    pub fn parse(text: &str, base: &Path) -> Result<Self, InvalidReference> {
        let invalid = |reason: &str| InvalidReference { text: text.to_owned(), reason: reason.to_owned() };
        if text == "host" {
            return Ok(Self::Host);
        }
        let (transport, rest) = text.split_once(':').ok_or_else(|| invalid("the transport is missing"))?;
        if rest.trim_start_matches('/').is_empty() && transport != "dir" || rest.is_empty() {
            return Err(invalid("the name after the transport is missing"));
        }
        if rest.contains('\0') {
            return Err(invalid("it contains a NUL character"));
        }
        let resolve = |path: &str| base.join(path);
        match transport {
            "docker" => match rest.strip_prefix("//") {
                Some(name) => {
                    check_name(name).map(|()| Self::Registry(name.to_owned())).map_err(|c| invalid(&not_allowed(c)))
                }
                None => Err(invalid("`docker:` must be followed by `//`")),
            },
            "docker-daemon" => {
                check_name(rest).map(|()| Self::DockerDaemon(rest.to_owned())).map_err(|c| invalid(&not_allowed(c)))
            }
            "docker-archive" => {
                let (path, name) = split_tag(rest);
                Ok(Self::DockerArchive(resolve(path), name))
            }
            "oci" => {
                let (path, tag) = split_tag(rest);
                Ok(Self::OciLayout(resolve(path), tag))
            }
            "oci-archive" => {
                let (path, tag) = split_tag(rest);
                Ok(Self::OciArchive(resolve(path), tag))
            }
            "dir" => Ok(Self::Tree(resolve(rest))),
            _ => Err(invalid(&format!("unknown transport `{transport}`"))),
        }
    }
}

/// Fails with the first character that image names cannot contain. Daemons report such characters with unclear errors.
fn check_name(name: &str) -> Result<(), char> {
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
    name.chars().find(|c| !is_allowed(c)).map_or(Ok(()), Err)
}

fn not_allowed(c: char) -> String {
    format!("`{}` is not allowed in an image name", c.escape_default())
}

fn split_tag(rest: &str) -> (&str, Option<String>) {
    match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag.to_owned())),
        None => (rest, None),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = |f: &mut fmt::Formatter<'_>, transport: &str, path: &Path, tag: &Option<String>| {
            write!(f, "{transport}:{}", path.display())?;
            tag.iter().try_for_each(|tag| write!(f, ":{tag}"))
        };
        match self {
            Self::Registry(name) => write!(f, "docker://{name}"),
            Self::DockerDaemon(name) => write!(f, "docker-daemon:{name}"),
            Self::DockerArchive(path, tag) => file(f, "docker-archive", path, tag),
            Self::OciLayout(path, tag) => file(f, "oci", path, tag),
            Self::OciArchive(path, tag) => file(f, "oci-archive", path, tag),
            Self::Tree(path) => file(f, "dir", path, &None),
            Self::Host => f.write_str("host"),
        }
    }
}
