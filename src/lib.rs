//! carnet: the portability checker for physics analyses.
//!
//! A module imports only from modules below it in this list; a test checks the `use` lines:
//!
//! | module | contents |
//! |---|---|
//! | `cli` | one file per command: parses arguments, calls the library, prints the result |
//! | `ui` | terminal, progress and messages |
//! | [`hook`] | the pre-push hook |
//! | [`check`] | plan, schedule, cells, document, result cache and cancellation |
//! | [`scan`] | static scan: driver, rules, suppression and fixes |
//! | [`engine`] | engines: run one static program inside an image and return one file |
//! | [`report`] | report formats, one per file, rendered only from the document |
//! | [`cell`] | the part that runs inside the image: probe and suite |
//! | [`image`] | image archives, layouts and unpacked trees |
//! | [`source`] | git, languages, manifests and workflows of a repository |
//! | [`config`] | `carnet.toml`: parsed with source positions, then validated |
//! | [`facility`] | the facility catalogue: mounts, doors and schedulers, with sources |
//! | [`diff`] | comparison of environments and documents |
//! | [`sys`] | the operating system: environment, clock, files, namespaces, mounts, helper processes, cache directory |
//! | [`model`] | pure data: the versioned formats |
//! | [`error`], [`exit`] | kinds of errors and their exit codes |
//!
//! The library API is not stable; the formats are (see [`model`]).

pub mod cell;
pub mod check;
pub mod cli;
pub mod config;
pub mod diff;
pub mod engine;
pub mod error;
pub mod exit;
pub mod facility;
pub mod hook;
pub mod image;
pub mod model;
pub mod report;
pub mod scan;
pub mod source;
pub mod sys;
pub mod ui;
