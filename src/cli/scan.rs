//! `carnet scan`.

mod baseline;
mod fix;
mod inventory;

use std::path::PathBuf;

use super::analysis::AnalysisDir;
use super::fail_on::FailOn;
use super::format::one_of;
use super::{Outcome, facilities, print, rules};
use crate::config::Config;
use crate::exit;
use crate::report::{self, Format};
use crate::scan as scanner;
use crate::scan::Options;
use crate::scan::acceptance::LoadedBaseline;
use crate::source::git::repository;
use crate::ui::{TerminalStyle, file, note};

/// Find what breaks elsewhere, without running anything.
///
/// Reads the files of the analysis, and neither starts an engine nor uses the network. Comments of the form
/// `carnet: ignore[RULE] REASON`, `[scan]` of carnet.toml and a baseline say what is accepted.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: AnalysisDir,

    /// Tell findings for this facility of the catalogue; may be given several times. By default for all of them.
    #[arg(long = "facility", value_name = "ID")]
    facilities: Vec<String>,

    /// Run only this rule; may be given several times.
    #[arg(long, value_name = "RULE")]
    select: Vec<String>,

    /// Scan what the commits A..B bring, from git's objects and not from the working tree.
    #[arg(long, value_name = "A..B")]
    changed: Option<String>,

    /// Threads; by default the number of processors, at most eight.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// Format of the report.
    #[arg(long, short, value_parser = one_of(&Format::OF_AUDIT), default_value_t, value_name = "FORMAT")]
    format: Format,

    /// File to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Show everything: unfold what is told together, and list what is suppressed in SARIF.
    #[arg(long)]
    all: bool,

    /// What makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,

    /// Print what the repository declares (packages, locks, Pythons, images) in place of the findings; as text, or with
    /// --format json.
    #[arg(long, conflicts_with_all = ["fix", "update_baseline", "prune_baseline"])]
    inventory: bool,

    /// Print the safe fixes as a patch that `git apply` takes, in place of the findings.
    #[arg(long)]
    fix: bool,

    /// With --fix: make the changes.
    #[arg(long, requires = "fix", conflicts_with = "changed")]
    write: bool,

    /// Baseline of findings that are known; by default that of carnet.toml, else carnet-baseline.json when it is there.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Write every finding that nothing else suppresses into the baseline.
    #[arg(long, conflicts_with_all = ["changed", "select", "fix"])]
    update_baseline: bool,

    /// Remove what is no longer found from the baseline.
    #[arg(long, conflicts_with_all = ["changed", "select", "fix", "update_baseline"])]
    prune_baseline: bool,
}

pub(super) fn run(arguments: &Arguments, look: &TerminalStyle) -> Outcome {
    let (top, config) = arguments.place.load()?;
    arguments.facilities.iter().try_for_each(|id| facilities::find(id).map(drop))?;
    arguments.select.iter().try_for_each(|id| rules::find(id).map(drop))?;
    let known = LoadedBaseline::read(arguments.baseline.as_deref(), &top, &config.scan)?;
    let options = options(arguments, top, &config);
    let scan = scanner::run(options.clone(), &config.scan, &known)?.scan;
    if arguments.inventory {
        return inventory::print(&scan.inventory, arguments.format == Format::Json).map(|()| exit::GOOD);
    }
    if arguments.fix {
        return fix::run(&scan, &options, arguments.write);
    }
    if arguments.update_baseline || arguments.prune_baseline {
        let said = baseline::write(&known, &scan, arguments.prune_baseline)?;
        note(&said);
        return Ok(exit::GOOD);
    }
    let is_for_ci = matches!(arguments.format, Format::Sarif | Format::Gitlab | Format::Github);
    let scan = if is_for_ci { scan.below(&repository::below(&options.top)) } else { scan };
    let shown =
        report::Options { color: look.color_out, width: look.width, all: arguments.all, ..report::Options::default() };
    let text = report::scan::render(arguments.format, &scan, &shown)?;
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(arguments.fail_on.scan(&scan))
}

/// What the arguments say goes before the configuration.
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
