//! What reading an image fails with.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::model::digest::Digest;
use crate::sys::cache::CacheError;

/// What reading or unpacking an image on disk fails with.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Nothing lies at the path.
    #[error("`{}` does not exist", .0.display())]
    NotThere(PathBuf),
    /// The operating system refused.
    #[error("`{}`", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What lies at the path is something else.
    #[error("`{}` is no {expected}: {reason}", path.display())]
    NotThat {
        /// Where.
        path: PathBuf,
        /// What it should be: `OCI image layout`.
        expected: &'static str,
        /// Why it isn't.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// An archive ends before its content does.
    #[error("`{}` is truncated: {reason}", path.display())]
    Truncated {
        /// The archive.
        path: PathBuf,
        /// How it shows.
        reason: String,
    },
    /// The tag isn't there, or none was given and there are several.
    #[error("`{}` {}", path.display(), tag_problem(tag.as_deref()))]
    Tag {
        /// Where.
        path: PathBuf,
        /// The tag asked for.
        tag: Option<String>,
        /// The tags there are.
        there: Vec<String>,
    },
    /// The image is not for this machine.
    #[error("`{}` has no image for {wanted}", path.display())]
    Platform {
        /// Where.
        path: PathBuf,
        /// The platform of this machine.
        wanted: String,
        /// The platforms there are.
        there: Vec<String>,
    },
    /// A part that the image names isn't there.
    #[error("`{}` lacks `{part}`, which the image names", path.display())]
    Missing {
        /// Where.
        path: PathBuf,
        /// The part: a digest or a file name.
        part: String,
    },
    /// Content doesn't have the digest it is named by.
    #[error("`{}`: {what} is damaged: expected {expected}, found {found}", path.display())]
    Mismatch {
        /// Where.
        path: PathBuf,
        /// What: `manifest`, `layer 2`.
        what: String,
        /// The digest it is named by.
        expected: Digest,
        /// The digest it has.
        found: Digest,
    },
    /// A layer is packed in an unknown way.
    #[error("`{}`: layer {layer} has the unknown media type `{media_type}`", path.display())]
    MediaType {
        /// Where.
        path: PathBuf,
        /// The layer, counted from 1.
        layer: usize,
        /// Its media type.
        media_type: String,
    },
    /// A document of the image can't be read.
    #[error("`{}`: {what} is not readable: {reason}", path.display())]
    Document {
        /// Where.
        path: PathBuf,
        /// Which document: `index.json`.
        what: String,
        /// Why.
        reason: String,
    },
    /// A layer holds something that no honest image holds.
    #[error("`{}`: layer {layer}: entry `{entry}`: {reason}", path.display())]
    Entry {
        /// Where.
        path: PathBuf,
        /// The layer, counted from 1.
        layer: usize,
        /// The entry's path.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A layer can't be unpacked or read as a tar stream.
    #[error("`{}`: layer {layer} can't be read", path.display())]
    Layer {
        /// Where.
        path: PathBuf,
        /// The layer, counted from 1.
        layer: usize,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// This isn't done with such a reference.
    #[error("`{reference}` {reason}")]
    Unsupported {
        /// The reference.
        reference: String,
        /// Why not.
        reason: String,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The caller asked to stop.
    #[error("interrupted")]
    Stopped,
}

impl ImageError {
    /// A failure of the operating system at `path`; a missing file gets its own words.
    pub fn io(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            Self::NotThere(path.to_owned())
        } else {
            Self::Io { path: path.to_owned(), source }
        }
    }
}

fn tag_problem(tag: Option<&str>) -> String {
    match tag {
        Some(tag) => format!("has no image tagged `{tag}`"),
        None => "holds several images, and no tag says which".to_owned(),
    }
}

impl Failure for ImageError {
    fn kind(&self) -> Kind {
        match self {
            Self::Stopped => Kind::Interrupted,
            _ => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotThat { hint, .. } => hint.clone(),
            Self::Tag { there, .. } if there.is_empty() => {
                Some("its images have no tags: leave the tag out".to_owned())
            }
            Self::Tag { there, .. } => Some(format!("there are: {}", there.join(", "))),
            Self::Platform { there, .. } => Some(format!("it is for: {}", there.join(", "))),
            Self::Mismatch { .. } | Self::Truncated { .. } | Self::Missing { .. } => {
                Some("fetch the image again".to_owned())
            }
            Self::Cache(error) => error.hint(),
            _ => None,
        }
    }
}
