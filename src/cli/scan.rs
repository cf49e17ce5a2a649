//! `carnet scan`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::check::load;
use super::{CommandError, Outcome, print};
use crate::config::Config;
use crate::exit;
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::report::{self, scan as format};
use crate::run::scan::{self as audit, Options};
use crate::ui::{Look, file};

/// Find what breaks elsewhere, without running anything.
///
/// Reads the files of the analysis, and neither starts an engine nor uses the network.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Directory of the analysis; its carnet.toml is looked for there and above, up to the top of the repository.
    #[arg(default_value = ".", hide_default_value = true)]
    path: PathBuf,

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
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// File to write; by default standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// What makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    fail_on: FailOn,
}

/// Formats of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Human,
    /// The audit itself.
    Json,
    /// JUnit XML.
    Junit,
    /// GitHub-flavoured Markdown.
    Markdown,
    /// SARIF 2.1.0.
    Sarif,
    /// GitLab's Code Quality report.
    Gitlab,
    /// Annotations of GitHub Actions.
    Github,
}

/// What makes a scan fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FailOn {
    /// A finding of severity error.
    #[default]
    Error,
    /// A finding of severity error or warning.
    Warning,
    /// Nothing.
    Never,
}

pub(super) fn run(arguments: &Arguments, look: &Look) -> Outcome {
    let (top, config) = load(&arguments.path)?;
    let scanned = audit::scan(&options(arguments, top, &config))?;
    let scan = scanned.scan;
    let text = render(&scan, arguments.format, look)?;
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(code(&scan, arguments.fail_on))
}

fn options(arguments: &Arguments, top: PathBuf, config: &Config) -> Options {
    let processors = || std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    Options {
        top,
        name: config.name.clone(),
        changed: arguments.changed.clone(),
        facilities: arguments.facilities.clone(),
        select: arguments.select.clone(),
        exclude: Vec::new(),
        jobs: arguments.jobs.map_or_else(processors, usize::from),
    }
}

fn render(scan: &Scan, format: Format, look: &Look) -> Result<String, CommandError> {
    let format = match format {
        Format::Human => format::Format::Human,
        Format::Json => format::Format::Json,
        Format::Junit => format::Format::Junit,
        Format::Markdown => format::Format::Markdown,
        Format::Sarif => format::Format::Sarif,
        Format::Gitlab => format::Format::Gitlab,
        Format::Github => format::Format::Github,
    };
    let options = report::Options { color: look.color_out, width: look.width, ..report::Options::default() };
    Ok(format::render(format, scan, &options)?)
}

fn code(scan: &Scan, fail_on: FailOn) -> u8 {
    let worst =
        scan.findings.iter().filter(|finding| finding.suppressed.is_none()).map(|finding| finding.severity).max();
    let fails = match fail_on {
        FailOn::Error => worst >= Some(Severity::Error),
        FailOn::Warning => worst >= Some(Severity::Warning),
        FailOn::Never => false,
    };
    if fails { exit::ANALYSIS } else { exit::GOOD }
}
