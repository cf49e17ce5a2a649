//! `carnet ci gitlab`: the steps of the GitLab CI template.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::super::analysis::load;
use super::super::document_file::read_matrix;
use super::super::error::{CommandError, Outcome};
use super::super::fail_on::FailOn;
use super::super::output::{create_report_dir, print, render, write_reports};
use super::merge::{MergedDocument, merge_documents};
use crate::check::Options as CheckOptions;
use crate::check::matrix::matrix;
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::matrix::Matrix;
use crate::report::Format;
use crate::report::plan as plan_report;
use crate::report::plan::gitlab::{self, CELLS, KIT, OUT, Options, Parent};
use crate::sys::environment;
use crate::ui::{TerminalStyle, note};

/// Name of the executable in the directory of generated files.
const PROGRAM: &str = "carnet";

/// Pipeline variables that configure the checkout. Child pipelines do not inherit them.
const CHECKOUT_VARIABLES: [&str; 7] = [
    "GIT_DEPTH",
    "GIT_LFS_SKIP_SMUDGE",
    "GIT_SUBMODULE_DEPTH",
    "GIT_SUBMODULE_FORCE_HTTPS",
    "GIT_SUBMODULE_PATHS",
    "GIT_SUBMODULE_STRATEGY",
    "GIT_SUBMODULE_UPDATE_FLAGS",
];

/// Run a step of the GitLab CI template
///
/// Steps run in the repository root.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Arguments {
    /// Name of the step
    #[arg(value_enum, value_name = "STEP")]
    step: Step,

    /// Directory of the analysis, relative to the repository root
    #[arg(long, env = "CARNET_PATH", hide_env_values = true, default_value = ".", value_name = "DIR")]
    path: String,

    /// Cells or facilities to plan, separated by spaces or commas [default: all]
    #[arg(
        long,
        env = "CARNET_CELLS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        value_name = "NAMES"
    )]
    cells: String,

    /// Lowest level that makes jobs fail: error, warning or never
    #[arg(long, env = "CARNET_FAIL_ON", hide_env_values = true, default_value = "error", value_name = "LEVEL")]
    fail_on: String,

    /// Name of the job that runs the step `program`
    #[arg(long, default_value = "carnet-program", value_name = "JOB")]
    program_job: String,

    #[command(flatten)]
    runner: Runner,
}

/// Images and runners of the jobs of a child pipeline.
#[derive(Debug, Clone, Default, clap::Args)]
struct Runner {
    /// Image for jobs whose facility does not set one
    #[arg(
        long,
        env = "CARNET_IMAGE",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        value_name = "IMAGE"
    )]
    image: String,

    /// Runner tags of all jobs, separated by spaces or commas
    #[arg(
        long,
        env = "CARNET_TAGS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        value_name = "TAGS"
    )]
    tags: String,

    /// Runner tags of cells that need /cvmfs [default at gitlab.cern.ch: k8s-cvmfs]
    #[arg(
        long,
        env = "CARNET_CVMFS_TAGS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        value_name = "TAGS"
    )]
    cvmfs_tags: String,
}

/// A step of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Copy the carnet executable to .carnet/, for jobs that can't download it
    Program,
    /// Write the plan and the child pipeline to .carnet/plan.json and .carnet/child.yml
    Plan,
    /// Merge the documents in carnet-cells/ into reports in carnet-out/; missing cells are errors
    Merge,
}

/// An error of a step.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("invalid failure level `{}`; expected error, warning or never", .0.escape_debug())]
    FailOn(String),
    #[error("path `{}` is not relative to the repository root", .0.escape_debug())]
    Absolute(String),
    #[error("failed to copy the carnet executable to `{}`", path.display())]
    Program {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl Failure for StepError {
    fn kind(&self) -> Kind {
        match self {
            Self::FailOn(_) | Self::Absolute(_) => Kind::Usage,
            Self::Program { .. } => Kind::Infrastructure,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::FailOn(_) => "set CARNET_FAIL_ON to one of these levels".to_owned(),
            Self::Absolute(_) => {
                "set CARNET_PATH to a relative path such as `analysis`, because jobs use different checkout directories"
                    .to_owned()
            }
            Self::Program { .. } => "make the directory writable for this job".to_owned(),
        })
    }
}

pub(super) fn run(arguments: &Arguments, style: &TerminalStyle) -> Outcome {
    let fail_on = parse_fail_on(&arguments.fail_on)?;
    match arguments.step {
        Step::Program => program(),
        Step::Plan => plan(arguments),
        Step::Merge => merge(arguments, fail_on, style),
    }
}

/// Renders the child pipeline of a plan, with the settings in this job's variables. `path` is the path of the analysis
/// relative to the repository root.
pub(in super::super) fn child_pipeline(matrix: &Matrix, path: &str) -> Result<String, CommandError> {
    let setting = |name: &str| environment::non_empty(name).unwrap_or_default();
    let runner = Runner {
        image: setting("CARNET_IMAGE"),
        tags: setting("CARNET_TAGS"),
        cvmfs_tags: setting("CARNET_CVMFS_TAGS"),
    };
    let fail_on = environment::non_empty("CARNET_FAIL_ON").unwrap_or_else(|| "error".to_owned());
    parse_fail_on(&fail_on)?;
    Ok(gitlab::render(matrix, &options(path, &fail_on, "carnet-program", &runner))?)
}

fn parse_fail_on(text: &str) -> Result<FailOn, StepError> {
    match text.trim() {
        "" => Ok(FailOn::default()),
        word => FailOn::from_str(word, false).map_err(|_| StepError::FailOn(text.to_owned())),
    }
}

/// Splits a list at whitespace and commas.
fn split_list(text: &str) -> Vec<String> {
    text.split([' ', ',', '\n', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn options(path: &str, fail_on: &str, program_job: &str, runner: &Runner) -> Options {
    let is_cern = environment::non_empty("CI_SERVER_HOST").is_some_and(|host| host == "gitlab.cern.ch");
    let cvmfs = match split_list(&runner.cvmfs_tags) {
        tags if tags.is_empty() && is_cern => vec!["k8s-cvmfs".to_owned()],
        tags => tags,
    };
    let parent = || {
        let program = program_job.to_owned();
        Some(Parent {
            pipeline: environment::non_empty("CI_PIPELINE_ID")?,
            plan: environment::non_empty("CI_JOB_NAME")?,
            program,
        })
    };
    let variables =
        CHECKOUT_VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), environment::non_empty(name)?)));
    Options {
        path: path.to_owned(),
        fail_on: match fail_on.trim() {
            "" => "error".to_owned(),
            word => word.to_owned(),
        },
        image: Some(runner.image.trim().to_owned()).filter(|image| !image.is_empty()),
        tags: split_list(&runner.tags),
        filesystem_tags: if cvmfs.is_empty() { BTreeMap::new() } else { [("/cvmfs".to_owned(), cvmfs)].into() },
        parent: parent(),
        variables: variables.collect(),
    }
}

/// Returns the options of a check of the selected cells.
fn check_options(arguments: &Arguments) -> Result<CheckOptions, CommandError> {
    let path = Path::new(relative_path(&arguments.path)?);
    let (top, config) = load(path)?;
    Ok(CheckOptions { only: split_list(&arguments.cells).into_iter().collect(), ..CheckOptions::new(top, config) })
}

/// Returns the path of the analysis, which must be relative.
fn relative_path(path: &str) -> Result<&str, StepError> {
    match path.trim_start() {
        "" => Ok("."),
        absolute if absolute.starts_with('/') => Err(StepError::Absolute(path.to_owned())),
        _ => Ok(path),
    }
}

fn program() -> Outcome {
    let kit = create_report_dir(Path::new(KIT))?;
    let path = Path::new(KIT).join(PROGRAM);
    let failed = |source| StepError::Program { path: path.clone(), source };
    // A later step may run the copy itself.
    let program = fs::canonicalize("/proc/self/exe").map_err(failed)?;
    if path.canonicalize().ok() != Some(program) {
        kit.write_program(PROGRAM, &fs::read("/proc/self/exe").map_err(failed)?)?;
    }
    Ok(exit::GOOD)
}

fn plan(arguments: &Arguments) -> Outcome {
    // First, because its .gitignore excludes the generated files from the analysis.
    let kit = create_report_dir(Path::new(KIT))?;
    let matrix = matrix(&check_options(arguments)?)?;
    let options =
        options(relative_path(&arguments.path)?, &arguments.fail_on, &arguments.program_job, &arguments.runner);
    let child = gitlab::render(&matrix, &options)?;
    print(&plan_report::human(&matrix))?;
    warn_about_needs(&matrix, &options);
    kit.write("plan.json", plan_report::json(&matrix)?.as_bytes())?;
    kit.write("child.yml", child.as_bytes())?;
    Ok(exit::GOOD)
}

/// Prints a note for each need of a cell that no runner tag covers.
fn warn_about_needs(matrix: &Matrix, options: &Options) {
    for cell in &matrix.cells {
        for need in cell.needs.iter().filter(|need| !options.filesystem_tags.contains_key(*need)) {
            let variable = if need == "/cvmfs" { "CARNET_CVMFS_TAGS" } else { "CARNET_TAGS" };
            note(&format!(
                "note: {} needs {need}; unless all runners have it, set {variable} to the tags of runners with {need}",
                cell.id
            ));
        }
    }
}

fn merge(arguments: &Arguments, fail_on: FailOn, style: &TerminalStyle) -> Outcome {
    let out = Path::new(OUT);
    create_report_dir(out)?;
    let options = check_options(arguments)?;
    let plan = Path::new(KIT).join("plan.json");
    let matrix = if plan.exists() { read_matrix(&plan)? } else { matrix(&options)? };
    let MergedDocument { document, skipped, .. } = merge_documents(Path::new(CELLS), &matrix, &options)?;
    for reason in skipped {
        note(&format!("skipped a document: {reason}; its cells are reported as missing"));
    }
    let dir = write_reports(&document, out, style)?;
    let code_quality = match document.scan {
        Some(_) => render(&document, Format::Gitlab, style)?,
        None => "[]\n".to_owned(),
    };
    dir.write(Format::Gitlab.file_name(), code_quality.as_bytes())?;
    print(&render(&document, Format::Human, style)?)?;
    for line in report_locations(out) {
        note(&line);
    }
    Ok(fail_on.check(&document))
}

/// Returns the locations of the reports: the directory, and the URL of the page if the job's URL is known.
fn report_locations(out: &Path) -> Vec<String> {
    let mut lines = vec![format!("reports written to {}", out.display())];
    let page = out.join("report.html");
    if let Some(job) = environment::non_empty("CI_JOB_URL").filter(|_| page.exists()) {
        lines.push(format!("page: {job}/artifacts/file/{}", page.display()));
    }
    lines
}
