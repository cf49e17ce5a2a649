//! Exit codes. A format never changes the code.

/// Everything is good, or below `--fail-on`.
pub const GOOD: u8 = 0;
/// The analysis has failed cells, findings or an incompatible difference.
pub const ANALYSIS: u8 = 1;
/// The command line or `carnet.toml` is wrong.
pub const USAGE: u8 = 2;
/// There is nothing to check.
pub const NOTHING: u8 = 3;
/// The place failed us: no engine, no such image, disk full. Never a test failure.
pub const INFRASTRUCTURE: u8 = 4;
/// A bug of carnet.
pub const BUG: u8 = 70;
/// Interrupted; what was learned is written.
pub const INTERRUPTED: u8 = 130;

/// Every code with its meaning, as the README's table has them.
pub const TABLE: &[(u8, &str)] = &[
    (GOOD, "good, or below `--fail-on`"),
    (ANALYSIS, "the analysis failed somewhere: a failed cell, a finding of `scan` or an incompatible difference"),
    (USAGE, "the command line or `carnet.toml` is wrong"),
    (NOTHING, "nothing to check"),
    (INFRASTRUCTURE, "the place failed us: no engine, image not there, disk full; never a test failure"),
    (BUG, "a bug of carnet"),
    (INTERRUPTED, "interrupted; what was learned is written"),
];
