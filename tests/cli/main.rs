//! The real binary in a scrubbed environment: what the wiring promises.

mod cache;
mod check;
mod config;
mod generated;
mod matrix;
mod manual;
mod reference;
mod report;
mod room;
mod rules;
