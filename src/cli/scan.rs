//! `carnet scan`.

mod baseline;
mod fix;
mod inventory;

use std::path::PathBuf;

use super::analysis::AnalysisDir;
use super::error::Outcome;
use super::fail_on::{FailOn, OF_SCAN, fail_on_parser};
use super::format::format_parser;
use super::output::{print_or_write, print_report, report_options};
use super::{facilities, rules};
use crate::config::Config;
use crate::exit;
use crate::report::{self, Format};
use crate::scan as scanner;
use crate::scan::Options;
use crate::scan::acceptance::LoadedBaseline;
use crate::source::git::repository;
use crate::ui::{TerminalStyle, note};

/// Find portability problems without running anything
///
/// The scan reads the files of the analysis. It does not start an engine or use the network.
///
/// To accept a finding, add a comment `carnet: ignore[RULE] REASON`, an entry under `[scan]` in carnet.toml, or a
/// baseline.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    analysis: AnalysisDir,

    /// Report findings for this facility from the catalogue (repeatable) [default: all]
    #[arg(long = "facility", value_name = "ID")]
    facilities: Vec<String>,

    /// Run only this rule (repeatable)
    #[arg(long, value_name = "RULE")]
    select: Vec<String>,

    /// Scan only files changed in the commit range A..B
    ///
    /// The files are read from git's objects, not from the working tree.
    #[arg(long, value_name = "A..B")]
    changed: Option<String>,

    /// Number of threads [default: one per processor, at most 8]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Format of the report
    #[arg(long, short, value_parser = format_parser(&Format::for_scans()), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Write the report to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show all findings
    ///
    /// Expands grouped findings, and includes suppressed findings in SARIF reports.
    #[arg(long)]
    all: bool,

    /// Lowest level that results in exit code 1
    #[arg(long, value_parser = fail_on_parser(OF_SCAN), default_value = "error", value_name = "LEVEL")]
    fail_on: FailOn,

    /// Print the declared packages, lock files, Python versions and images instead of findings
    ///
    /// The output is text, or JSON with `--format json`.
    #[arg(long, conflicts_with_all = ["fix", "update_baseline", "prune_baseline"])]
    inventory: bool,

    /// Print the safe fixes as a patch for `git apply` instead of findings
    #[arg(long)]
    fix: bool,

    /// With --fix: apply the fixes
    #[arg(long, requires = "fix", conflicts_with = "changed")]
    write: bool,

    /// Baseline file [default: the file set in carnet.toml, or carnet-baseline.json if it exists]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Add all findings that are not otherwise suppressed to the baseline
    #[arg(long, conflicts_with_all = ["changed", "select", "fix"])]
    update_baseline: bool,

    /// Remove fixed findings from the baseline
    #[arg(long, conflicts_with_all = ["changed", "select", "fix", "update_baseline"])]
    prune_baseline: bool,
}

pub(super) fn run(arguments: &Arguments, style: &TerminalStyle) -> Outcome {
    let (top, config) = arguments.analysis.load()?;
    arguments.facilities.iter().try_for_each(|id| facilities::find(id).map(drop))?;
    arguments.select.iter().try_for_each(|id| rules::find(id).map(drop))?;
    let baseline = LoadedBaseline::read(arguments.baseline.as_deref(), &top, &config.scan)?;
    let options = options(arguments, top, &config);
    let scan = scanner::run(options.clone(), &config.scan, &baseline)?.scan;
    if arguments.inventory {
        return inventory::print(&scan.inventory, arguments.format == Format::Json).map(|()| exit::GOOD);
    }
    if arguments.fix {
        return fix::run(&scan, &options, arguments.write);
    }
    if arguments.update_baseline || arguments.prune_baseline {
        note(&baseline::write(&baseline, &scan, arguments.prune_baseline)?);
        return Ok(exit::GOOD);
    }
    // CI systems expect paths relative to the repository root.
    let is_for_ci = matches!(arguments.format, Format::Sarif | Format::Gitlab | Format::Github);
    let scan = if is_for_ci { scan.below(&repository::path_in_repository(&options.top)) } else { scan };
    let report_options = report::Options { all: arguments.all, ..report_options(style) };
    let text = report::render_scan(arguments.format, &scan, &report_options)?;
    print_or_write(&text, arguments.output.as_deref(), |text| print_report(text, arguments.format))?;
    Ok(arguments.fail_on.scan(&scan))
}

/// Returns the options of the scan. Arguments override the configuration.
fn options(arguments: &Arguments, top: PathBuf, config: &Config) -> Options {
    let configured = Options::new(top, config);
    let names = |given: &[String], configured: Vec<String>| if given.is_empty() { configured } else { given.to_vec() };
    Options {
        changed: arguments.changed.clone(),
        facilities: names(&arguments.facilities, configured.facilities),
        select: names(&arguments.select, configured.select),
        jobs: arguments.jobs.map_or(configured.jobs, usize::from),
        ..configured
    }
}
