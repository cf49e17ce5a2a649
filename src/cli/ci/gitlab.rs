//! `carnet ci gitlab`: steps of the templates of GitLab CI.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::super::analysis::load;
use super::super::fail_on::FailOn;
use super::super::{CommandError, Outcome, check, print, report};
use super::merge::{Merged, merged};
use crate::check::Options as CheckOptions;
use crate::check::matrix::matrix;
use crate::error::{Failure, Kind};
use crate::exit;
use crate::model::matrix::Matrix;
use crate::report::Format;
use crate::report::plan as format;
use crate::report::plan::gitlab::{self, CELLS, KIT, OUT, Options, Parent};
use crate::ui::{TerminalStyle, file, note};

/// Variables of a pipeline that decide how its jobs get the repository. A child pipeline doesn't take them over.
const OF_THE_CHECKOUT: [&str; 7] = [
    "GIT_DEPTH",
    "GIT_LFS_SKIP_SMUDGE",
    "GIT_SUBMODULE_DEPTH",
    "GIT_SUBMODULE_FORCE_HTTPS",
    "GIT_SUBMODULE_PATHS",
    "GIT_SUBMODULE_STRATEGY",
    "GIT_SUBMODULE_UPDATE_FLAGS",
];

/// A step of the templates of GitLab CI.
///
/// Runs at the top of the repository. `program` puts this program into .carnet/, for jobs in images that can't get it
/// themselves. `plan` puts the plan there and child.yml, the pipeline of its cells. `merge` makes one report in carnet-out/
/// of what they left in carnet-cells/; a planned cell of which nothing came back is an error.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Arguments {
    /// The step.
    #[arg(value_enum, value_name = "STEP")]
    step: Step,

    /// Directory of the analysis, from the top of the repository.
    #[arg(long, env = "CARNET_PATH", hide_env_values = true, default_value = ".", value_name = "DIR")]
    path: String,

    /// Cells or facilities to plan, separated by spaces or commas; all when empty.
    #[arg(long, env = "CARNET_CELLS", hide_env_values = true, default_value = "", value_name = "NAMES")]
    cells: String,

    /// What makes jobs fail: error, warning or never.
    #[arg(long, env = "CARNET_FAIL_ON", hide_env_values = true, default_value = "error", value_name = "LEVEL")]
    fail_on: String,

    /// Name of the job that runs the step `program`.
    #[arg(long, default_value = "carnet-program", value_name = "JOB")]
    program_job: String,

    #[command(flatten)]
    runner: Runner,
}

/// Where jobs of a child pipeline run.
#[derive(Debug, Clone, Default, clap::Args)]
struct Runner {
    /// Image of jobs that have none of a facility.
    #[arg(long, env = "CARNET_IMAGE", hide_env_values = true, default_value = "", value_name = "IMAGE")]
    image: String,

    /// Tags of the runners for every job, separated by spaces or commas.
    #[arg(long, env = "CARNET_TAGS", hide_env_values = true, default_value = "", value_name = "TAGS")]
    tags: String,

    /// Tags of runners that have /cvmfs, for cells that need it; by default k8s-cvmfs at gitlab.cern.ch.
    #[arg(long, env = "CARNET_CVMFS_TAGS", hide_env_values = true, default_value = "", value_name = "TAGS")]
    cvmfs_tags: String,
}

/// Steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Copies this program.
    Program,
    /// Writes the child pipeline.
    Plan,
    /// Merges what its jobs left.
    Merge,
}

/// What a step can't work with.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error("`{}` is no level to fail on", .0.escape_debug())]
    FailOn(String),
    #[error("`{}` is no path from the top of the repository", .0.escape_debug())]
    Absolute(String),
    #[error("this program can't be copied to {}", path.display())]
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
            Self::FailOn(_) => "set CARNET_FAIL_ON to error, warning or never".to_owned(),
            Self::Absolute(_) => {
                "set CARNET_PATH to a path such as `analysis`: the repository lies elsewhere in every job".to_owned()
            }
            Self::Program { .. } => "make the directory writable for this job".to_owned(),
        })
    }
}

pub(super) fn run(arguments: &Arguments, look: &TerminalStyle) -> Outcome {
    let fail_on = fail_on(&arguments.fail_on)?;
    match arguments.step {
        Step::Program => program(),
        Step::Plan => plan(arguments),
        Step::Merge => merge(arguments, fail_on, look),
    }
}

/// The child pipeline of a matrix, with what the variables of this job say. `path` leads from the top of the repository to
/// the analysis.
pub(in super::super) fn child(matrix: &Matrix, path: &str) -> Result<String, CommandError> {
    let of_env = |name: &str| variable(name).unwrap_or_default();
    let runner =
        Runner { image: of_env("CARNET_IMAGE"), tags: of_env("CARNET_TAGS"), cvmfs_tags: of_env("CARNET_CVMFS_TAGS") };
    let fail_on = variable("CARNET_FAIL_ON").unwrap_or_else(|| "error".to_owned());
    self::fail_on(&fail_on)?;
    Ok(gitlab::render(matrix, &options(path, &fail_on, "carnet-program", &runner))?)
}

fn fail_on(text: &str) -> Result<FailOn, StepError> {
    match text.trim() {
        "" => Ok(FailOn::default()),
        word => FailOn::from_str(word, false).map_err(|_| StepError::FailOn(text.to_owned())),
    }
}

/// A variable of the environment; none when it is empty, as variables of templates are by default.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn words(text: &str) -> Vec<String> {
    text.split([' ', ',', '\n', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn options(path: &str, fail_on: &str, program_job: &str, runner: &Runner) -> Options {
    let at_cern = variable("CI_SERVER_HOST").is_some_and(|host| host == "gitlab.cern.ch");
    let cvmfs = match words(&runner.cvmfs_tags) {
        none if none.is_empty() && at_cern => vec!["k8s-cvmfs".to_owned()],
        tags => tags,
    };
    let parent = || {
        let program = program_job.to_owned();
        Some(Parent { pipeline: variable("CI_PIPELINE_ID")?, plan: variable("CI_JOB_NAME")?, program })
    };
    let variables = OF_THE_CHECKOUT.iter().filter_map(|name| Some(((*name).to_owned(), variable(name)?)));
    Options {
        path: path.to_owned(),
        fail_on: match fail_on.trim() {
            "" => "error".to_owned(),
            word => word.to_owned(),
        },
        image: Some(runner.image.trim().to_owned()).filter(|image| !image.is_empty()),
        tags: words(&runner.tags),
        filesystem_tags: if cvmfs.is_empty() { BTreeMap::new() } else { [("/cvmfs".to_owned(), cvmfs)].into() },
        parent: parent(),
        variables: variables.collect(),
    }
}

/// What is checked.
fn checked(arguments: &Arguments) -> Result<CheckOptions, CommandError> {
    let path = Path::new(from_top(&arguments.path)?);
    let (top, config) = load(path)?;
    Ok(CheckOptions { only: words(&arguments.cells).into_iter().collect(), ..CheckOptions::new(top, config) })
}

fn from_top(path: &str) -> Result<&str, StepError> {
    match path.trim_start() {
        "" => Ok("."),
        absolute if absolute.starts_with('/') => Err(StepError::Absolute(path.to_owned())),
        _ => Ok(path),
    }
}

fn program() -> Outcome {
    let kit = Path::new(KIT);
    file::out_directory(kit)?;
    copy_program(&kit.join("carnet"))?;
    Ok(exit::GOOD)
}

fn plan(arguments: &Arguments) -> Outcome {
    // First, since it ignores itself: what is made in it must not look like a part of the analysis.
    let kit = Path::new(KIT);
    file::out_directory(kit)?;
    let matrix = matrix(&checked(arguments)?)?;
    let options = options(from_top(&arguments.path)?, &arguments.fail_on, &arguments.program_job, &arguments.runner);
    let child = gitlab::render(&matrix, &options)?;
    print(&format::human(&matrix))?;
    lacking(&matrix, &options);
    file::write(&kit.join("plan.json"), format::json(&matrix)?.as_bytes())?;
    file::write(&kit.join("child.yml"), child.as_bytes())?;
    Ok(exit::GOOD)
}

/// Says which cells need what no tag asks of a runner.
fn lacking(matrix: &Matrix, options: &Options) {
    for cell in &matrix.cells {
        for need in cell.needs.iter().filter(|need| !options.filesystem_tags.contains_key(*need)) {
            let mend = if need == "/cvmfs" { "set CARNET_CVMFS_TAGS" } else { "set CARNET_TAGS" };
            note(&format!("{} needs {need}: {mend} to tags of runners that have it, unless all of yours do", cell.id));
        }
    }
}

/// Copies the running program, so that jobs in images without network or any tool to download with have it.
fn copy_program(target: &Path) -> Result<(), StepError> {
    let attempt = || {
        let own = fs::canonicalize("/proc/self/exe")?;
        if target.canonicalize().is_ok_and(|there| there == own) {
            return Ok(());
        }
        let temporary = target.with_extension("new");
        fs::copy("/proc/self/exe", &temporary)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o755))?;
        fs::rename(&temporary, target)
    };
    attempt().map_err(|source| StepError::Program { path: target.to_owned(), source })
}

fn merge(arguments: &Arguments, fail_on: FailOn, look: &TerminalStyle) -> Outcome {
    let out = Path::new(OUT);
    file::out_directory(out)?;
    let checked = checked(arguments)?;
    let plan = Path::new(KIT).join("plan.json");
    let matrix = if plan.exists() { report::read_matrix(&plan)? } else { matrix(&checked)? };
    let Merged { document, left_out, .. } = merged(Path::new(CELLS), &matrix, &checked)?;
    for one in left_out {
        note(&format!("left out: {one}"));
    }
    check::write(&document, out, look)?;
    let audit = match document.scan {
        Some(_) => report::render(&document, Format::Gitlab, look)?,
        None => "[]\n".to_owned(),
    };
    file::write(&out.join(Format::Gitlab.file_name()), audit.as_bytes())?;
    print(&report::render(&document, Format::Human, look)?)?;
    for line in pointers(out) {
        note(&line);
    }
    Ok(fail_on.check(&document))
}

/// Where the reports are: in the browser when GitLab says where this job is.
fn pointers(out: &Path) -> Vec<String> {
    let mut lines = vec![format!("reports in {}", out.display())];
    let page = out.join("report.html");
    if let Some(job) = variable("CI_JOB_URL").filter(|_| page.exists()) {
        lines.push(format!("page: {job}/artifacts/file/{}", page.display()));
    }
    lines
}
