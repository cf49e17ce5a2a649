//! Errors of reading an image.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Kind};
use crate::model::digest::Digest;
use crate::model::reference::Reference;
use crate::sys::bounded;
use crate::sys::cache::CacheError;
use crate::sys::file::SIZE_LIMIT_HINT;

/// Reading or unpacking an image on disk failed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The path does not exist.
    #[error("`{}` does not exist", .0.display())]
    NotFound(PathBuf),
    /// An operation of the operating system failed.
    #[error("failed to access `{}`", path.display())]
    Io {
        /// Path of the image.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The path has a different format.
    #[error("`{}` is not an {expected}: {reason}", path.display())]
    WrongFormat {
        /// Path of the image.
        path: PathBuf,
        /// The expected format: `OCI image layout`.
        expected: &'static str,
        /// Why it does not have the format.
        reason: String,
        /// How to fix it.
        hint: Option<String>,
    },
    /// The file system does not respond.
    #[error("`{reference}`: {reason}")]
    NoResponse {
        /// The reference, which contains the path.
        reference: String,
        /// The time limit.
        reason: String,
    },
    /// An archive is truncated.
    #[error("`{}` is truncated: {reason}", path.display())]
    Truncated {
        /// The archive.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The tag does not exist, or no tag was given and there are several.
    #[error("`{}` {}", path.display(), tag_problem(tag.as_deref()))]
    Tag {
        /// Path of the image.
        path: PathBuf,
        /// The requested tag.
        tag: Option<String>,
        /// The available tags.
        available: Vec<String>,
    },
    /// The image does not support the platform of this machine.
    #[error("`{}` has no image for {platform}", path.display())]
    Platform {
        /// Path of the image.
        path: PathBuf,
        /// The platform of this machine.
        platform: String,
        /// The available platforms.
        available: Vec<String>,
    },
    /// A file of the image is missing.
    #[error("`{}` is incomplete: `{part}` is missing", path.display())]
    Missing {
        /// Path of the image.
        path: PathBuf,
        /// The digest or name of the file.
        part: String,
    },
    /// Content does not match its digest.
    #[error("`{}`: {what} is damaged: expected digest {expected}, found {found}", path.display())]
    Mismatch {
        /// Path of the image.
        path: PathBuf,
        /// The damaged part: `the manifest`, `layer 2`.
        what: String,
        /// The expected digest.
        expected: Digest,
        /// The actual digest.
        found: Digest,
    },
    /// A layer has an unknown media type.
    #[error("`{}`: layer {layer} has unknown media type `{media_type}`", path.display())]
    MediaType {
        /// Path of the image.
        path: PathBuf,
        /// Number of the layer, starting at 1.
        layer: usize,
        /// Its media type.
        media_type: String,
    },
    /// A document of the image is invalid.
    #[error("`{}`: {what} is invalid: {reason}", path.display())]
    Document {
        /// Path of the image.
        path: PathBuf,
        /// The document: `index.json`.
        what: String,
        /// The problem.
        reason: String,
    },
    /// A layer contains an invalid entry.
    #[error("`{}`: layer {layer}: invalid entry `{entry}`: {reason}", path.display())]
    Entry {
        /// Path of the image.
        path: PathBuf,
        /// Number of the layer, starting at 1.
        layer: usize,
        /// Path of the entry.
        entry: String,
        /// The problem.
        reason: String,
    },
    /// A layer cannot be decompressed or read as a tar stream.
    #[error("`{}`: failed to read layer {layer}", path.display())]
    Layer {
        /// Path of the image.
        path: PathBuf,
        /// Number of the layer, starting at 1.
        layer: usize,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The reference is not supported.
    #[error("`{reference}` {reason}")]
    Unsupported {
        /// The reference.
        reference: String,
        /// The reason.
        reason: String,
    },
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The operation was cancelled.
    #[error("interrupted")]
    Stopped,
}

impl ImageError {
    /// Creates an error for an image whose file system does not respond.
    pub(super) fn no_response(reference: &Reference) -> Self {
        let reason = bounded::no_response(bounded::READ).to_string();
        Self::NoResponse { reference: reference.to_string(), reason }
    }

    /// Creates an error for `path`; a missing file is [`Self::NotFound`].
    pub fn io(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            Self::NotFound(path.to_owned())
        } else {
            Self::Io { path: path.to_owned(), source }
        }
    }
}

fn tag_problem(tag: Option<&str>) -> String {
    match tag {
        Some(tag) => format!("has no image tagged `{tag}`"),
        None => "contains several images; a tag is required".to_owned(),
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
            Self::WrongFormat { hint, .. } => hint.clone(),
            Self::Tag { available, .. } if available.is_empty() => {
                Some("its images have no tags; omit the tag".to_owned())
            }
            Self::Tag { available, .. } => Some(format!("available tags: {}", available.join(", "))),
            Self::Platform { available, .. } => Some(format!("available platforms: {}", available.join(", "))),
            Self::Mismatch { .. } | Self::Truncated { .. } | Self::Missing { .. } => {
                Some("download the image again".to_owned())
            }
            Self::Io { source, .. } | Self::Layer { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                Some(SIZE_LIMIT_HINT.to_owned())
            }
            Self::NoResponse { .. } => {
                Some("check that the network file system is mounted and its server responds".to_owned())
            }
            Self::Cache(error) => error.hint(),
            _ => None,
        }
    }
}
