//! The binary in a scrubbed environment, and reports and differences as users see them. Needs no set-up.

#[path = "../support/mod.rs"]
mod support;

mod check;
mod config;
mod diff;
mod files;
mod generated;
mod hook;
mod interrupt;
mod manual;
mod matrix;
mod redaction;
mod reference;
mod report;
mod report_command;
mod rules;
mod scan;
