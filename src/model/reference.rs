//! References to images, in the transports of skopeo, podman and apptainer.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};

/// A reference to an image, or to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `docker://NAME[:TAG][@DIGEST]`: an image of a registry, which a daemon may have already.
    Registry(String),
    /// `docker-daemon:NAME[:TAG]`: an image in the Docker daemon's store.
    DockerDaemon(String),
    /// `docker-archive:FILE[:NAME:TAG]`: what `docker save` writes.
    DockerArchive(PathBuf, Option<String>),
    /// `oci:DIR[:TAG]`: an OCI image layout.
    OciLayout(PathBuf, Option<String>),
    /// `oci-archive:FILE[:TAG]`: an OCI image layout in a tar file.
    OciArchive(PathBuf, Option<String>),
    /// `dir:ROOTFS`: an unpacked root tree.
    Tree(PathBuf),
    /// `host`: this machine as it is.
    Host,
}

/// A text that is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no image: {reason}")]
pub struct BadReference {
    text: String,
    reason: String,
}

impl Failure for BadReference {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(TRANSPORTS.to_owned())
    }
}

const TRANSPORTS: &str = "write docker://NAME:TAG, docker-daemon:NAME:TAG, docker-archive:FILE, oci:DIR[:TAG], \
                          oci-archive:FILE[:TAG], dir:ROOTFS or host";

impl Reference {
    /// Reads a reference; relative paths are taken from `base`.
    ///
    /// # Errors
    /// When the transport is unknown or the rest isn't of its form.
    pub fn parse(text: &str, base: &Path) -> Result<Self, BadReference> {
        let bad = |reason: &str| BadReference { text: text.to_owned(), reason: reason.to_owned() };
        if text == "host" {
            return Ok(Self::Host);
        }
        let (transport, rest) = text.split_once(':').ok_or_else(|| bad("it names no transport"))?;
        if rest.trim_start_matches('/').is_empty() && transport != "dir" || rest.is_empty() {
            return Err(bad("nothing stands after the transport"));
        }
        if rest.contains('\0') {
            return Err(bad("it holds a NUL character"));
        }
        let at = |path: &str| base.join(path);
        match transport {
            "docker" => match rest.strip_prefix("//") {
                Some(name) => check_name(name).map(|()| Self::Registry(name.to_owned())).map_err(|r| bad(&r)),
                None => Err(bad("`docker:` is followed by `//`")),
            },
            "docker-daemon" => check_name(rest).map(|()| Self::DockerDaemon(rest.to_owned())).map_err(|r| bad(&r)),
            "docker-archive" => {
                let (path, name) = split_tag(rest);
                Ok(Self::DockerArchive(at(path), name))
            }
            "oci" => {
                let (path, tag) = split_tag(rest);
                Ok(Self::OciLayout(at(path), tag))
            }
            "oci-archive" => {
                let (path, tag) = split_tag(rest);
                Ok(Self::OciArchive(at(path), tag))
            }
            "dir" => Ok(Self::Tree(at(rest))),
            _ => Err(bad(&format!("`{transport}` is no transport"))),
        }
    }
}

/// Characters that an image name can't have make daemons answer with riddles; refused here at once.
fn check_name(name: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
    match name.chars().find(|c| !fine(*c)) {
        Some(c) => Err(format!("`{}` can't stand in an image name", c.escape_default())),
        None => Ok(()),
    }
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
