//! The real binary in a scrubbed environment: what the wiring promises.

mod cache;
mod check;
mod config;
mod generated;
mod manual;
mod matrix;
mod reference;
mod report;
mod room;
mod rules;
