//! The snapshot of the environment, from files, without needing any program of the image.
