//! A child pipeline of GitLab CI: a job for each cell, in the image of its facility, and one that merges what they bring.
//!
//! No job starts a container: GitLab's runner has made the facility's image the job's own, and carnet runs in place.
//! Everything that decides stands on command lines, since variables of the pipeline above win over those of jobs here.

mod yaml;

use std::collections::BTreeMap;

use crate::error::{Failure, Kind};
use crate::model::matrix::{Matrix, Planned};
use crate::model::shell::quote;
use yaml::{list, quoted};

/// Jobs for cells that a child pipeline gets; beyond, cells of one image share a job.
pub const MOST_JOBS: usize = 200;
/// Jobs that one job may wait for by name on gitlab.com and by default elsewhere.
/// Source: "needs" in the CI/CD YAML reference of GitLab's documentation, read 2026-11-22.
const MOST_NEEDS: usize = 50;
/// Bytes of a child pipeline. What GitLab limits is the memory of what it reads, which a text of this size may fill.
/// Source: "The parsed YAML is too big" in GitLab's documentation of CI/CD YAML, read 2026-11-23.
const MOST_BYTES: usize = 200_000;
/// Directory with the program, the plan and the child pipeline. It ignores itself.
///
/// The program comes from a job of its own: GitLab reads a child pipeline only from artifacts of at most 5 MB altogether.
/// Source: `MAX_ARCHIVE_SIZE` in GitLab's lib/gitlab/ci/artifact_file_reader.rb, read 2026-11-23.
pub const KIT: &str = ".carnet";
/// The program there, as jobs call it; logs of GitLab show colours.
const PROGRAM: &str = ".carnet/carnet --color always";
/// Directory with a directory for each job, where its documents lie.
pub const CELLS: &str = "carnet-cells";
/// Directory of the merged reports.
pub const OUT: &str = "carnet-out";

/// What a child pipeline depends on besides the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Directory of the analysis, from the top of the repository; `.` for the top.
    pub path: String,
    /// What makes jobs fail: a word of `--fail-on`.
    pub fail_on: String,
    /// Image of the jobs that have none of a facility: the merge, cells of a machine as it is, cells that need an engine.
    pub image: Option<String>,
    /// Tags of every job.
    pub tags: Vec<String>,
    /// Tags on top for cells that need a file system of the machine, by its top: `/cvmfs`.
    pub shown: BTreeMap<String, Vec<String>>,
    /// The jobs whose artifacts are taken over.
    pub parent: Option<Parent>,
    /// Variables that the runner reads before a job begins: how to get the repository.
    pub variables: BTreeMap<String, String>,
}

impl Default for Options {
    /// The analysis at the top, no image of one's own, no tags.
    fn default() -> Self {
        Self {
            path: ".".to_owned(),
            fail_on: "error".to_owned(),
            image: None,
            tags: Vec::new(),
            shown: BTreeMap::new(),
            parent: None,
            variables: BTreeMap::new(),
        }
    }
}

/// Jobs of the pipeline above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Number of the pipeline.
    pub pipeline: String,
    /// The job that made the plan.
    pub plan: String,
    /// The job that has the program.
    pub program: String,
}

/// Why there can't be a child pipeline.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ChildError {
    /// Too many images for the jobs there may be.
    #[error("the cells have {images} different images, and a child pipeline gets at most {MOST_JOBS} jobs for them")]
    Jobs {
        /// Different images.
        images: usize,
    },
    /// The text is larger than GitLab takes.
    #[error("the child pipeline would be {bytes} bytes, and GitLab takes {MOST_BYTES}")]
    Bytes {
        /// Its size.
        bytes: usize,
    },
}

impl Failure for ChildError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("name some of the cells: CARNET_CELLS, or --cell".to_owned())
    }
}

/// How the cells of a job get into their image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way<'a> {
    /// The runner makes it the job's own.
    Image(&'a str),
    /// The machine as it is, which is whatever the job runs in.
    Machine,
    /// By an engine of carnet, on the machine.
    Engine,
}

/// Cells that share a job.
struct Group<'a> {
    way: Way<'a>,
    cells: Vec<&'a Planned>,
}

/// The YAML of the pipeline.
///
/// # Errors
/// Beyond GitLab's limits.
pub fn render(matrix: &Matrix, options: &Options) -> Result<String, ChildError> {
    let groups = groups(matrix)?;
    let by_name = groups.len() + 2 <= MOST_NEEDS;
    let mut lines = head(matrix, options);
    if groups.is_empty() {
        lines.extend(nothing(options));
    } else {
        lines.extend(cell(options));
        lines.extend(groups.iter().flat_map(|group| cells(group, options)));
        if !by_name && options.parent.is_some() {
            lines.extend(kit(options));
        }
        lines.extend(merge(&groups, options, by_name));
    }
    let text = lines.join("\n") + "\n";
    match text.len() {
        0..=MOST_BYTES => Ok(text),
        bytes => Err(ChildError::Bytes { bytes }),
    }
}

/// One cell a job, until there are too many: then the fewest of one image together that keep to the limit.
fn groups(matrix: &Matrix) -> Result<Vec<Group<'_>>, ChildError> {
    type Key<'a> = (Way<'a>, &'a [String]);
    let mut alike: Vec<(Key<'_>, Vec<&Planned>)> = Vec::new();
    for cell in &matrix.cells {
        let key = (way(cell), cell.needs.as_slice());
        match alike.iter_mut().find(|(known, _)| *known == key) {
            Some((_, cells)) => cells.push(cell),
            None => alike.push((key, vec![cell])),
        }
    }
    if alike.len() > MOST_JOBS {
        return Err(ChildError::Jobs { images: alike.len() });
    }
    let jobs = |size: usize| alike.iter().map(|(_, cells)| cells.len().div_ceil(size)).sum::<usize>();
    let size = (1..).find(|size| jobs(*size) <= MOST_JOBS).unwrap_or(1);
    let mut groups: Vec<Group<'_>> = alike
        .iter()
        .flat_map(|((way, _), cells)| cells.chunks(size).map(|cells| Group { way: *way, cells: cells.to_vec() }))
        .collect();
    // As the configuration has them, for whoever looks at the pipeline.
    let place = |group: &Group<'_>| matrix.cells.iter().position(|cell| std::ptr::eq(cell, group.cells[0]));
    groups.sort_by_key(place);
    Ok(groups)
}

fn way(cell: &Planned) -> Way<'_> {
    match (&cell.pull, &cell.image) {
        (Some(name), _) => Way::Image(name),
        (None, None) => Way::Machine,
        (None, Some(_)) => Way::Engine,
    }
}

/// A text as names of jobs can carry it, of `[A-Za-z0-9_-]`.
fn plain(text: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    text.chars().map(fine).take(150).collect()
}

/// Name of a job, never a word that GitLab keeps for itself.
fn name(group: &Group<'_>) -> String {
    let first = group.cells.first().map(|cell| plain(&cell.slug)).unwrap_or_default();
    match group.cells.len() {
        0 | 1 => format!("cell-{first}"),
        n => format!("cell-{first}-and-{}-more", n - 1),
    }
}

fn head(matrix: &Matrix, options: &Options) -> Vec<String> {
    let analysis = &matrix.analysis;
    let what = format!("{} at {}", analysis.name, analysis.commit.as_deref().unwrap_or("no commit"));
    let mut lines = vec![
        format!("# Made by carnet {} of {}: a job for each cell.", quoted(&matrix.version), quoted(&what)),
        // In pipelines of merge requests, jobs without rules would be left out.
        "workflow:".to_owned(),
        "  rules:".to_owned(),
        "    - when: always".to_owned(),
        "stages: [cells, merge]".to_owned(),
    ];
    if !options.variables.is_empty() {
        lines.push("variables:".to_owned());
        let pair = |(name, value): (&String, &String)| format!("  {}: {}", quoted(name), quoted(&literal(value)));
        lines.extend(options.variables.iter().map(pair));
    }
    lines
}

/// A text that GitLab would look for variables in, as itself.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// Where a job runs.
fn place(image: Option<&str>, tags: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(image) = image {
        lines.push(format!("  image: {{name: {}, entrypoint: [\"\"]}}", quoted(&literal(image))));
    }
    if !tags.is_empty() {
        lines.push(format!("  tags: {}", list(tags.iter().map(|tag| literal(tag)))));
    }
    lines
}

/// The start of a job that is of no facility.
fn own(name: &str, stage: &str, options: &Options) -> Vec<String> {
    let mut lines = vec![String::new(), format!("{name}:"), format!("  stage: {stage}")];
    lines.push("  interruptible: true".to_owned());
    lines.extend(place(options.image.as_deref(), &options.tags));
    lines
}

/// What jobs of the pipeline above handed on, as needs.
fn handed_on(options: &Options, jobs: impl Fn(&Parent) -> Vec<&str>) -> Vec<String> {
    let Some(parent) = &options.parent else { return Vec::new() };
    let pipeline = quoted(&literal(&parent.pipeline));
    let need = |job: &str| format!("{{pipeline: {pipeline}, job: {}}}", quoted(&literal(job)));
    jobs(parent).into_iter().map(need).collect()
}

fn needs(needs: Vec<String>) -> Vec<String> {
    match needs.is_empty() {
        true => needs,
        false => item("needs", needs.into_iter()),
    }
}

/// A key with a list.
fn item(key: &str, values: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(format!("  {key}:")).chain(values.map(|value| format!("    - {value}"))).collect()
}

fn artifacts(expire_in: &str) -> [String; 3] {
    ["  artifacts:".to_owned(), "    when: always".to_owned(), format!("    expire_in: {expire_in}")]
}

/// What jobs of cells have in common.
fn cell(options: &Options) -> Vec<String> {
    let mut lines = vec![String::new(), ".cell:".to_owned(), "  stage: cells".to_owned()];
    lines.push("  interruptible: true".to_owned());
    lines.push("  retry: {max: 1, when: runner_system_failure}".to_owned());
    lines.extend(needs(handed_on(options, |parent| vec![&parent.program])));
    let before = [
        format!("[ -x {KIT}/carnet ] || {{ echo 'carnet: the job with the program handed nothing on' >&2; exit 4; }}"),
        // Users of images may have no home, or one that is not theirs.
        "[ -w \"${HOME:-/nowhere}\" ] || export CARNET_CACHE=\"${TMPDIR:-/tmp}/carnet-cache\"".to_owned(),
    ];
    lines.extend(item("before_script", before.iter().map(|line| quoted(line))));
    lines.extend(artifacts("30 days"));
    lines
}

/// The job of some cells.
fn cells(group: &Group<'_>, options: &Options) -> Vec<String> {
    let image = match group.way {
        Way::Image(image) => Some(image),
        Way::Machine | Way::Engine => options.image.as_deref(),
    };
    let mut lines = vec![String::new(), format!("{}:", name(group)), "  extends: .cell".to_owned()];
    lines.extend(place(image, &tags(group, options)));
    lines.extend(item("script", commands(group, options).iter().map(|line| quoted(line))));
    let paths = list(group.cells.iter().map(|cell| directory(cell) + "/"));
    lines.push(format!("  artifacts: {{paths: {paths}}}"));
    lines
}

fn tags(group: &Group<'_>, options: &Options) -> Vec<String> {
    let mut tags = options.tags.clone();
    let needs = group.cells.iter().flat_map(|cell| &cell.needs);
    for tag in needs.filter_map(|need| options.shown.get(need)).flatten() {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

/// Where the document of a cell lies.
fn directory(cell: &Planned) -> String {
    format!("{CELLS}/{}", plain(&cell.slug))
}

fn commands(group: &Group<'_>, options: &Options) -> Vec<String> {
    let (path, fail_on) = (quote(&options.path), quote(&options.fail_on));
    let command = |cell: &Planned| {
        let (id, out) = (quote(&cell.id), quote(&directory(cell)));
        match group.way {
            Way::Engine => format!("{PROGRAM} check --cell {id} --out {out} --fail-on {fail_on} -- {path}"),
            Way::Image(_) | Way::Machine => format!("{PROGRAM} cell --out {out} --fail-on {fail_on} -- {id} {path}"),
        }
    };
    if let [one] = group.cells.as_slice() {
        return vec![command(one)];
    }
    let mut lines = vec!["code=0".to_owned()];
    lines.extend(group.cells.iter().map(|cell| format!("{} || code=$?", command(cell))));
    lines.push("exit \"$code\"".to_owned());
    lines
}

/// The job that hands on to the merge what it needs, when that waits for more jobs than it may name.
fn kit(options: &Options) -> Vec<String> {
    let mut lines = own("kit", "cells", options);
    lines.extend(needs(handed_on(options, |parent| vec![&parent.plan, &parent.program])));
    lines.push(format!("  script: [\"ls -l {KIT}\"]"));
    lines.extend(artifacts("1 day"));
    lines.push(format!("    paths: [\"{KIT}/\"]"));
    lines
}

fn merge(groups: &[Group<'_>], options: &Options, by_name: bool) -> Vec<String> {
    let mut lines = own("merge", "merge", options);
    lines.push("  when: always".to_owned());
    if by_name {
        let mut all = handed_on(options, |parent| vec![&parent.plan, &parent.program]);
        all.extend(groups.iter().map(name));
        lines.extend(needs(all));
    }
    let (path, fail_on) = (quote(&options.path), quote(&options.fail_on));
    let command = format!("{PROGRAM} ci gitlab merge --path {path} --fail-on {fail_on}");
    lines.extend(item("script", std::iter::once(quoted(&command))));
    lines.extend(artifacts("30 days"));
    lines.push(format!("    paths: [\"{OUT}/\"]"));
    lines.push(format!("    reports: {{junit: {OUT}/junit.xml, codequality: {OUT}/codequality.json}}"));
    lines
}

/// A pipeline must have a job.
fn nothing(options: &Options) -> Vec<String> {
    let mut lines = own("nothing-to-check", "cells", options);
    lines.push("  script: [\"echo 'carnet: the plan has no cells'\"]".to_owned());
    lines
}

#[cfg(test)]
mod tests;
