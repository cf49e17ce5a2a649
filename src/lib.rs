//! carnet: the portability checker for physics analyses.
//!
//! A module imports only from those below it in this list, and a test reads the `use` lines and says so:
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | one file per command: parses, calls, prints |
//! | `ui` | terminal, progress, messages |
//! | [`hook`] | the pre-push hook |
//! | [`check`] | plan, schedule, cells, document; the result cache; cancellation |
//! | [`scan`] | the static checks: driver, rules, suppression, fixes |
//! | [`engine`] | ways to run one static program inside an image and bring one file back |
//! | [`report`] | one format a file, rendered from the document alone |
//! | [`cell`] | the half that runs inside: probe and suite |
//! | [`image`] | references, archives, layouts, unpacked trees |
//! | [`source`] | git, languages, manifests and workflows of a repository |
//! | [`config`] | `carnet.toml`: raw with spans, then valid |
//! | [`facility`] | the catalogue: mounts, doors, schedulers, with sources |
//! | [`diff`] | environments and documents compared |
//! | [`sys`] | the operating system: files, locks, the cache directory |
//! | [`model`] | pure data |
//! | [`error`], [`exit`] | kinds of failure and their exit codes |
//!
//! The library has no stability promise; the formats have one (see [`model`]).

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
