//! A child pipeline of GitLab CI: one job per cell, in the image of its facility, and one job that merges the documents.
//!
//! No job starts a container: the runner starts the job in the image of the facility, and carnet runs the cell there. Options
//! are on command lines, because variables of the parent pipeline take precedence over those of jobs here.

mod pipeline;

use std::collections::BTreeMap;

use serde_saphyr::{DoubleQuoted, FlowSeq, SpaceAfter};

use crate::error::{Failure, Kind};
use crate::model::matrix::{Matrix, Planned};
use crate::model::shell::quote;
use crate::model::text::one_line;
use pipeline::{Artifacts, Image, Job, Jobs, Need, Pipeline, Quoted, Reports, Retry, Rule, Stage, When, Workflow};

/// Maximum number of jobs for cells. If there are more cells, those of one image share jobs.
pub const MAX_JOBS: usize = 200;
/// Maximum number of jobs that one job can need by name, on gitlab.com and by default elsewhere.
/// Source: "needs" in the CI/CD YAML reference of GitLab's documentation, read 2026-11-22.
const MAX_NEEDS: usize = 50;
/// Maximum size of a child pipeline in bytes. GitLab limits the memory of the parsed file, which is larger than the text.
/// Source: "The parsed YAML is too big" in GitLab's documentation of CI/CD YAML, read 2026-11-23.
const MAX_BYTES: usize = 200_000;
/// Directory with the program, the plan and the child pipeline. Its `.gitignore` ignores the directory.
///
/// A separate job provides the program, because GitLab reads a child pipeline only from artifacts of at most 5 MB in total.
/// Source: `MAX_ARCHIVE_SIZE` in GitLab's lib/gitlab/ci/artifact_file_reader.rb, read 2026-11-23.
pub const KIT: &str = ".carnet";
/// Command of the program in jobs. Logs of GitLab show colors.
const PROGRAM: &str = ".carnet/carnet --color always";
/// Directory with the documents, one directory per cell.
pub const CELLS: &str = "carnet-cells";
/// Directory of the merged reports.
pub const OUT: &str = "carnet-out";
/// Name of the template that jobs of cells extend.
const TEMPLATE: &str = ".cell";
/// Maximum width of a text in the comment of the file in columns.
const MAX_COMMENT: usize = 200;

/// Options of a child pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Directory of the analysis, relative to the top of the repository; `.` for the top.
    pub path: String,
    /// Value of `--fail-on`.
    pub fail_on: String,
    /// Image of jobs without the image of a facility: the merge, cells without an image, cells that need an engine.
    pub image: Option<String>,
    /// Tags of every job.
    pub tags: Vec<String>,
    /// Additional tags for cells that need a file system of the machine, by its mount point: `/cvmfs`.
    pub filesystem_tags: BTreeMap<String, Vec<String>>,
    /// Jobs of the parent pipeline whose artifacts are used.
    pub parent: Option<Parent>,
    /// Variables that the runner reads before a job starts, such as how to fetch the repository.
    pub variables: BTreeMap<String, String>,
}

impl Default for Options {
    /// Returns the options of an analysis at the top of the repository, without an image and tags.
    fn default() -> Self {
        Self {
            path: ".".to_owned(),
            fail_on: "error".to_owned(),
            image: None,
            tags: Vec::new(),
            filesystem_tags: BTreeMap::new(),
            parent: None,
            variables: BTreeMap::new(),
        }
    }
}

/// Jobs of the parent pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// ID of the pipeline.
    pub pipeline: String,
    /// Job that created the plan.
    pub plan: String,
    /// Job that provides the program.
    pub program: String,
}

/// Why a child pipeline could not be created.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChildError {
    /// Too many different images.
    #[error(
        "the cells use {images} different images, and each needs its own job; a child pipeline can have at most {MAX_JOBS} cell jobs"
    )]
    Jobs {
        /// Number of different images.
        images: usize,
    },
    /// The text is larger than GitLab accepts.
    #[error("the child pipeline is {bytes} bytes long; the maximum is {MAX_BYTES}")]
    Bytes {
        /// Size in bytes.
        bytes: usize,
    },
    /// The content could not be serialized: a bug.
    #[error("failed to serialize the child pipeline: {0}")]
    Form(String),
}

impl Failure for ChildError {
    fn kind(&self) -> Kind {
        match self {
            Self::Jobs { .. } | Self::Bytes { .. } => Kind::Usage,
            Self::Form(_) => Kind::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Jobs { .. } | Self::Bytes { .. } => {
                Some("select some of the cells with CARNET_CELLS or --cell".to_owned())
            }
            Self::Form(_) => None,
        }
    }
}

/// How the cells of a job run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RunMode<'a> {
    /// In an image that the runner starts.
    Image(&'a str),
    /// Directly in the environment of the job.
    Machine,
    /// In a container that carnet starts.
    Engine,
}

/// Cells that share a job.
struct Group<'a> {
    mode: RunMode<'a>,
    cells: Vec<&'a Planned>,
}

/// Returns the YAML of the pipeline.
///
/// # Errors
/// If the pipeline exceeds the limits of GitLab.
pub fn render(matrix: &Matrix, options: &Options) -> Result<String, ChildError> {
    let groups = groups(matrix)?;
    let by_name = groups.len() + 2 <= MAX_NEEDS;
    let mut jobs = Vec::new();
    if groups.is_empty() {
        jobs.push(nothing(options));
    } else {
        jobs.push(template(options));
        jobs.extend(groups.iter().map(|group| cells(group, options)));
        if !by_name && options.parent.is_some() {
            jobs.push(kit(options));
        }
        jobs.push(merge(&groups, options, by_name));
    }
    let pair = |(name, value): (&String, &String)| (name.clone(), DoubleQuoted(literal(value)));
    let pipeline = Pipeline {
        // Without rules, pipelines of merge requests would leave out the jobs.
        workflow: Workflow { rules: [Rule { when: When::Always }] },
        stages: SpaceAfter(FlowSeq([Stage::Cells, Stage::Merge])),
        variables: options.variables.iter().map(pair).collect(),
        jobs: Jobs(jobs),
    };
    let yaml = pipeline.to_yaml().map_err(|error| ChildError::Form(error.to_string()))?;
    let text = format!("{}{yaml}", comment(matrix));
    match text.len() {
        0..=MAX_BYTES => Ok(text),
        bytes => Err(ChildError::Bytes { bytes }),
    }
}

/// Returns the first line of the file.
fn comment(matrix: &Matrix) -> String {
    let analysis = &matrix.analysis;
    let commit = analysis.commit.as_deref().map(|commit| format!(" at {}", one_line(commit, MAX_COMMENT)));
    let (version, name) = (one_line(&matrix.version, MAX_COMMENT), one_line(&analysis.name, MAX_COMMENT));
    format!("# Generated by carnet {version} for {name}{}: one job per cell.\n", commit.unwrap_or_default())
}

/// Groups the cells: one cell per job, or, if there are too many cells, as few cells of one image per job as the limit allows.
fn groups(matrix: &Matrix) -> Result<Vec<Group<'_>>, ChildError> {
    type Key<'a> = (RunMode<'a>, &'a [String]);
    let mut by_key: Vec<(Key<'_>, Vec<&Planned>)> = Vec::new();
    for cell in &matrix.cells {
        let key = (run_mode(cell), cell.needs.as_slice());
        match by_key.iter_mut().find(|(other, _)| *other == key) {
            Some((_, cells)) => cells.push(cell),
            None => by_key.push((key, vec![cell])),
        }
    }
    if by_key.len() > MAX_JOBS {
        return Err(ChildError::Jobs { images: by_key.len() });
    }
    let jobs = |size: usize| by_key.iter().map(|(_, cells)| cells.len().div_ceil(size)).sum::<usize>();
    let size = (1..).find(|size| jobs(*size) <= MAX_JOBS).unwrap_or(1);
    let mut groups: Vec<Group<'_>> = by_key
        .iter()
        .flat_map(|((mode, _), cells)| cells.chunks(size).map(|cells| Group { mode: *mode, cells: cells.to_vec() }))
        .collect();
    // Keep the order of the configuration.
    let position = |group: &Group<'_>| matrix.cells.iter().position(|cell| std::ptr::eq(cell, group.cells[0]));
    groups.sort_by_key(position);
    Ok(groups)
}

fn run_mode(cell: &Planned) -> RunMode<'_> {
    match (&cell.pull, &cell.image) {
        (Some(name), _) => RunMode::Image(name),
        (None, None) => RunMode::Machine,
        (None, Some(_)) => RunMode::Engine,
    }
}

/// Returns the text for the name of a job, with `-` for characters other than `[A-Za-z0-9_-]`.
fn plain(text: &str) -> String {
    let replace = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    text.chars().map(replace).take(150).collect()
}

/// Returns the name of a job. The prefix avoids the keywords of GitLab.
fn name(group: &Group<'_>) -> String {
    let first = group.cells.first().map(|cell| plain(&cell.slug)).unwrap_or_default();
    match group.cells.len() {
        0 | 1 => format!("cell-{first}"),
        n => format!("cell-{first}-and-{}-more", n - 1),
    }
}

/// Returns the text with `$` escaped, for keys in which GitLab expands variables.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

fn quoted(text: &str) -> Quoted {
    DoubleQuoted(literal(text))
}

fn image(name: Option<&str>) -> Option<Image> {
    name.map(|name| Image { name: quoted(name), entrypoint: FlowSeq([DoubleQuoted(String::new())]) })
}

/// Returns the start of a job that does not run a cell.
fn base_job(stage: Stage, options: &Options) -> Job {
    Job {
        stage: Some(stage),
        interruptible: Some(true),
        image: image(options.image.as_deref()),
        tags: options.tags.iter().map(|tag| quoted(tag)).collect(),
        ..Job::default()
    }
}

/// Returns the needs for artifacts of jobs of the parent pipeline.
fn parent_needs(options: &Options, jobs: impl Fn(&Parent) -> Vec<&str>) -> Vec<Need> {
    let Some(parent) = &options.parent else { return Vec::new() };
    let need = |job: &str| Need::Parent { pipeline: quoted(&parent.pipeline), job: quoted(job) };
    jobs(parent).into_iter().map(need).collect()
}

fn artifacts(expire_in: &'static str) -> Artifacts {
    Artifacts { when: Some(When::Always), expire_in: Some(expire_in), ..Artifacts::default() }
}

/// Returns the template that the jobs of cells extend.
fn template(options: &Options) -> (String, Job) {
    let before = [
        format!(
            "[ -x {KIT}/carnet ] || {{ echo 'carnet: the carnet executable is missing from the job artifacts' >&2; exit 4; }}"
        ),
        // The user of an image may have no home directory, or one that is not writable.
        "[ -w \"${HOME:-/nowhere}\" ] || export CARNET_CACHE=\"${TMPDIR:-/tmp}/carnet-cache\"".to_owned(),
    ];
    let job = Job {
        stage: Some(Stage::Cells),
        interruptible: Some(true),
        retry: Some(Retry { max: 1, when: "runner_system_failure" }),
        needs: parent_needs(options, |parent| vec![&parent.program]),
        before_script: before.map(DoubleQuoted).into(),
        artifacts: Some(artifacts("30 days")),
        ..Job::default()
    };
    (TEMPLATE.to_owned(), job)
}

/// Returns the job of some cells.
fn cells(group: &Group<'_>, options: &Options) -> (String, Job) {
    let name = match group.mode {
        RunMode::Image(name) => Some(name),
        RunMode::Machine | RunMode::Engine => options.image.as_deref(),
    };
    let paths = group.cells.iter().map(|cell| DoubleQuoted(directory(cell) + "/")).collect();
    let job = Job {
        extends: Some(TEMPLATE),
        image: image(name),
        tags: tags(group, options).iter().map(|tag| quoted(tag)).collect(),
        script: commands(group, options).into_iter().map(DoubleQuoted).collect(),
        artifacts: Some(Artifacts { paths, ..Artifacts::default() }),
        ..Job::default()
    };
    (self::name(group), job)
}

fn tags(group: &Group<'_>, options: &Options) -> Vec<String> {
    let mut tags = options.tags.clone();
    let needs = group.cells.iter().flat_map(|cell| &cell.needs);
    for tag in needs.filter_map(|need| options.filesystem_tags.get(need)).flatten() {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

/// Returns the directory of the document of a cell.
fn directory(cell: &Planned) -> String {
    format!("{CELLS}/{}", plain(&cell.slug))
}

fn commands(group: &Group<'_>, options: &Options) -> Vec<String> {
    let (path, fail_on) = (quote(&options.path), quote(&options.fail_on));
    let command = |cell: &Planned| {
        let (id, out) = (quote(&cell.id), quote(&directory(cell)));
        match group.mode {
            RunMode::Engine => format!("{PROGRAM} check --cell {id} --out {out} --fail-on {fail_on} -- {path}"),
            RunMode::Image(_) | RunMode::Machine => {
                format!("{PROGRAM} cell --out {out} --fail-on {fail_on} -- {id} {path}")
            }
        }
    };
    if let [cell] = group.cells.as_slice() {
        return vec![command(cell)];
    }
    let mut lines = vec!["code=0".to_owned()];
    lines.extend(group.cells.iter().map(|cell| format!("{} || code=$?", command(cell))));
    lines.push("exit \"$code\"".to_owned());
    lines
}

/// Returns the job that passes artifacts on to the merge if the merge would need more jobs by name than GitLab allows.
fn kit(options: &Options) -> (String, Job) {
    let job = Job {
        needs: parent_needs(options, |parent| vec![&parent.plan, &parent.program]),
        script: vec![DoubleQuoted(format!("ls -l {KIT}"))],
        artifacts: Some(Artifacts { paths: vec![DoubleQuoted(format!("{KIT}/"))], ..artifacts("1 day") }),
        ..base_job(Stage::Cells, options)
    };
    ("kit".to_owned(), job)
}

fn merge(groups: &[Group<'_>], options: &Options, by_name: bool) -> (String, Job) {
    let mut needs = Vec::new();
    if by_name {
        needs = parent_needs(options, |parent| vec![&parent.plan, &parent.program]);
        needs.extend(groups.iter().map(|group| Need::Job(name(group))));
    }
    let (path, fail_on) = (quote(&options.path), quote(&options.fail_on));
    let command = format!("{PROGRAM} ci gitlab merge --path {path} --fail-on {fail_on}");
    let reports = Reports { junit: format!("{OUT}/junit.xml"), codequality: format!("{OUT}/codequality.json") };
    let paths = vec![DoubleQuoted(format!("{OUT}/"))];
    let job = Job {
        when: Some(When::Always),
        needs,
        script: vec![DoubleQuoted(command)],
        artifacts: Some(Artifacts { paths, reports: Some(reports), ..artifacts("30 days") }),
        ..base_job(Stage::Merge, options)
    };
    ("merge".to_owned(), job)
}

/// Returns a job that does nothing, because a pipeline requires one.
fn nothing(options: &Options) -> (String, Job) {
    let script = vec![DoubleQuoted("echo 'carnet: the plan has no cells'".to_owned())];
    ("nothing-to-check".to_owned(), Job { script, ..base_job(Stage::Cells, options) })
}

#[cfg(test)]
mod tests;
