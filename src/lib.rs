//! carnet: the portability checker for physics analyses.
//!
//! A module imports only from those below it in this list, and a test reads the `use` lines and says so:
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | one file per command: parses, calls, prints |
//! | `ui` | colours, messages, the live view |
//! | `run` | plan, schedule, events, cancellation |
//! | [`engine`] | ways to run one static program inside an image and bring one file back |
//! | [`rules`] | what breaks elsewhere: one rule a file, pure |
//! | [`report`] | one format a file, rendered from the document alone |
//! | [`cell`] | the half that runs inside: probe and suite |
//! | [`image`] | references, archives, layouts, unpacked trees |
//! | [`repo`] | git, the tree that tests see, what a repository tests and declares, files as their language sees them |
//! | [`config`] | `carnet.toml`: raw with spans, then valid |
//! | [`facility`] | the catalogue: mounts, doors, schedulers, with sources |
//! | [`diff`] | environments side by side |
//! | [`model`] | pure data |
//! | [`error`], [`exit`] | kinds of failure and their exit codes |
//!
//! The library has no stability promise; the formats have one (see [`model`]).

pub mod cell;
pub mod cli;
pub mod config;
pub mod diff;
pub mod engine;
pub mod error;
pub mod exit;
pub mod facility;
pub mod image;
pub mod model;
pub mod repo;
pub mod report;
pub mod rules;
pub mod run;
pub mod ui;
