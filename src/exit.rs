//! Exit codes. A format never changes the code.

/// Success, or all findings are below `--fail-on`.
pub const GOOD: u8 = 0;
/// The analysis has failed cells, findings or an incompatible difference.
pub const ANALYSIS: u8 = 1;
/// The command line or `carnet.toml` is invalid.
pub const USAGE: u8 = 2;
/// There is nothing to check.
pub const NOTHING_TO_CHECK: u8 = 3;
/// Infrastructure error: no engine, unavailable image, full disk. Never a test failure.
pub const INFRASTRUCTURE: u8 = 4;
/// A bug in carnet.
pub const BUG: u8 = 70;
/// Interrupted; a partial result was written.
pub const INTERRUPTED: u8 = 130;

/// Every code with its meaning, as listed in the README.
pub const TABLE: &[(u8, &str)] = &[
    (GOOD, "success, or all findings below `--fail-on`"),
    (ANALYSIS, "the analysis has a failed cell, a scan finding or an incompatible difference"),
    (USAGE, "the command line or `carnet.toml` is invalid"),
    (NOTHING_TO_CHECK, "nothing to check"),
    (INFRASTRUCTURE, "infrastructure error: no engine, unavailable image, full disk; never a test failure"),
    (BUG, "a bug in carnet"),
    (INTERRUPTED, "interrupted; a partial result was written"),
];
