//! `carnet scan`.

mod baseline;
mod fix;
mod inventory;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::check::load;
use super::rules::{near, no_rule};
use super::{CommandError, Outcome, print};
use crate::config::{self, Config, ConfigError};
use crate::error::{Failure, Kind};
use crate::exit;
use crate::facility::Catalogue;
use crate::model::finding::Severity;
use crate::model::scan::Scan;
use crate::repo::git;
use crate::report::{self, scan as format};
use crate::rules;
use crate::run::scan::judge::{Known, judge};
use crate::run::scan::{self as audit, Options};
use crate::ui::{Look, file, note};

/// Find what breaks elsewhere, without running anything.
///
/// Reads the files of the analysis, and neither starts an engine nor uses the network. Comments of the form
/// `carnet: ignore[RULE] REASON`, `[scan]` of carnet.toml and a baseline say what is accepted.
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

/// Formats of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Human,
    /// The audit itself.
    Json,
    /// JUnit XML: a suite a rule.
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
pub(super) enum FailOn {
    /// A finding of severity error.
    #[default]
    Error,
    /// A finding of severity error or warning.
    Warning,
    /// Nothing.
    Never,
}

/// A facility that the catalogue doesn't have.
#[derive(Debug, thiserror::Error)]
#[error("no facility `{}` in the catalogue", name.escape_debug())]
struct NoFacility {
    name: String,
    near: Option<&'static str>,
}

impl Failure for NoFacility {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(match self.near {
            Some(near) => format!("did you mean `{near}`? carnet facilities list shows all of them"),
            None => "carnet facilities list shows those there are".to_owned(),
        })
    }
}

pub(super) fn run(arguments: &Arguments, look: &Look) -> Outcome {
    let Audit { scan, known, options } = audit(arguments)?;
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
    let scan = if is_for_ci { scan.below(&git::below(&options.top)) } else { scan };
    let text = render(&scan, arguments, look)?;
    match &arguments.output {
        Some(path) => file::write(path, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(code(&scan, arguments.fail_on))
}

/// An audit, what was known before it, and how it was made.
struct Audit {
    scan: Scan,
    known: Known,
    options: Options,
}

fn audit(arguments: &Arguments) -> Result<Audit, CommandError> {
    let (top, config) = load(&arguments.path)?;
    check_names(arguments, &top, &config)?;
    let known = Known::read(arguments.baseline.as_deref(), &top, &config.scan)?;
    let mut options = options(arguments, top, &config);
    // It quotes the findings that it knows.
    options.exclude.push(globset::escape(&known.path));
    let scan = judge(audit::scan(&options)?, options.changed.is_some(), &config.scan, &known);
    Ok(Audit { scan, known, options })
}

/// The audit of everything, as CI systems want it, and the path of the analysis from the top of its repository.
pub(super) fn whole(path: &Path, jobs: Option<u16>) -> Result<(Scan, String), CommandError> {
    let arguments = Arguments {
        path: path.to_owned(),
        facilities: Vec::new(),
        select: Vec::new(),
        changed: None,
        jobs,
        format: Format::Human,
        output: None,
        all: false,
        fail_on: FailOn::Error,
        inventory: false,
        fix: false,
        write: false,
        baseline: None,
        update_baseline: false,
        prune_baseline: false,
    };
    let Audit { scan, options, .. } = audit(&arguments)?;
    let below = git::below(&options.top);
    Ok((scan, below))
}

/// Names that the catalogue and the table of rules must have.
fn check_names(arguments: &Arguments, top: &Path, config: &Config) -> Result<(), CommandError> {
    let facilities: Vec<&str> = Catalogue::builtin().facilities.iter().map(|one| one.id.as_str()).collect();
    let rules: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    if let Some(id) = arguments.facilities.iter().find(|id| !facilities.contains(&id.as_str())) {
        return Err(NoFacility { name: id.clone(), near: near(id, facilities.iter().copied()) }.into());
    }
    if let Some(id) = arguments.select.iter().find(|id| !rules.contains(&id.as_str())) {
        return Err(no_rule(id).into());
    }
    let problems = audit::unknown_names(&config.scan);
    if problems.is_empty() {
        return Ok(());
    }
    let file = top.join(config::FILE);
    let text = Config::read(&file).map_err(CommandError::Config)?;
    Err(CommandError::Config(ConfigError::with(&file, &text, problems)))
}

fn options(arguments: &Arguments, top: PathBuf, config: &Config) -> Options {
    let processors = || std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    let names = |given: &[String], configured: &[config::scan::Named]| match given {
        [] => configured.iter().map(|named| named.name.clone()).collect(),
        given => given.to_vec(),
    };
    Options {
        top,
        name: config.name.clone(),
        changed: arguments.changed.clone(),
        facilities: names(&arguments.facilities, &config.scan.facilities),
        select: names(&arguments.select, &config.scan.select),
        tested: !config.test.run.is_empty(),
        exclude: config.scan.exclude.clone(),
        jobs: arguments.jobs.map_or_else(processors, usize::from),
    }
}

fn render(scan: &Scan, arguments: &Arguments, look: &Look) -> Result<String, CommandError> {
    let format = match arguments.format {
        Format::Human => format::Format::Human,
        Format::Json => format::Format::Json,
        Format::Junit => format::Format::Junit,
        Format::Markdown => format::Format::Markdown,
        Format::Sarif => format::Format::Sarif,
        Format::Gitlab => format::Format::Gitlab,
        Format::Github => format::Format::Github,
    };
    let options =
        report::Options { color: look.color_out, width: look.width, all: arguments.all, ..report::Options::default() };
    Ok(format::render(format, scan, &options)?)
}

pub(super) fn code(scan: &Scan, fail_on: FailOn) -> u8 {
    let reported = scan.findings.iter().filter(|finding| finding.suppressed.is_none());
    let worst = reported.map(|finding| finding.severity).max();
    if fail_on.fails(worst) { exit::ANALYSIS } else { exit::GOOD }
}

impl FailOn {
    /// Whether it fails with this as the worst finding.
    pub(super) fn fails(self, worst: Option<Severity>) -> bool {
        match self {
            Self::Error => worst >= Some(Severity::Error),
            Self::Warning => worst >= Some(Severity::Warning),
            Self::Never => false,
        }
    }
}
