//! A child pipeline of GitLab CI: a job for each cell, in the image of its facility, and one that merges what they bring.
//!
//! No job starts a container: GitLab's runner has made the facility's image the job's own, and carnet runs in place.
//! Everything that decides stands on command lines, since variables of the pipeline above win over those of jobs here.

mod yaml;

use std::collections::BTreeMap;

use crate::error::{Failure, Kind};
use crate::model::matrix::{Matrix, Planned};
use yaml::{list, quoted};

/// Jobs for cells that a child pipeline gets; beyond, cells of one image share a job.
pub const MOST_JOBS: usize = 200;
/// Jobs that one job may wait for by name on gitlab.com and by default elsewhere.
/// Source: "needs" in the CI/CD YAML reference of GitLab's documentation, read 2026-11-22.
const MOST_NEEDS: usize = 50;
/// Bytes of a child pipeline. Newer servers take twice that in one file of YAML, older ones as much.
/// Source: `max_yaml_size_bytes` in "Instance limits" of GitLab's documentation, read 2026-11-22.
const MOST_BYTES: usize = 1 << 20;
/// Directory that the plan job hands on: this program, the plan, the child pipeline. It ignores itself.
pub const KIT: &str = ".carnet";
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
    /// The job that made the plan, whose artifacts every job takes over.
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

/// A job of the pipeline above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Number of its pipeline.
    pub pipeline: String,
    /// Its name.
    pub job: String,
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
    let by_name = groups.len() + 1 < MOST_NEEDS;
    let mut lines = head(matrix, options);
    lines.extend(groups.iter().flat_map(|group| cells(group, options)));
    if groups.is_empty() {
        lines.extend(nothing(options));
    } else {
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
        "---".to_owned(),
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

/// A word of a shell command.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The start of a job: where it runs.
fn job(name: &str, stage: &str, image: Option<&str>, tags: &[String], options: &Options) -> Vec<String> {
    let mut lines = vec![String::new(), format!("{}:", quoted(name)), format!("  stage: {stage}")];
    lines.push("  interruptible: true".to_owned());
    if let Some(image) = image.or(options.image.as_deref()) {
        lines.push(format!("  image: {{name: {}, entrypoint: [\"\"]}}", quoted(&literal(image))));
    }
    if !tags.is_empty() {
        lines.push(format!("  tags: {}", list(tags.iter().map(|tag| literal(tag)))));
    }
    lines
}

/// What the plan job handed on, as a need.
fn from_parent(options: &Options) -> Option<String> {
    let parent = options.parent.as_ref()?;
    Some(format!("{{pipeline: {}, job: {}}}", quoted(&literal(&parent.pipeline)), quoted(&literal(&parent.job))))
}

fn needs(needs: impl IntoIterator<Item = String>) -> Vec<String> {
    let lines: Vec<String> = needs.into_iter().map(|need| format!("    - {need}")).collect();
    match lines.is_empty() {
        true => lines,
        false => std::iter::once("  needs:".to_owned()).chain(lines).collect(),
    }
}

fn script(commands: &[String]) -> Vec<String> {
    let lines = commands.iter().map(|command| format!("    - {}", quoted(command)));
    std::iter::once("  script:".to_owned()).chain(lines).collect()
}

/// The job of some cells.
fn cells(group: &Group<'_>, options: &Options) -> Vec<String> {
    let image = match group.way {
        Way::Image(image) => Some(image),
        Way::Machine | Way::Engine => None,
    };
    let mut lines = job(&name(group), "cells", image, &tags(group, options), options);
    lines.push("  retry: {max: 1, when: runner_system_failure}".to_owned());
    lines.extend(needs(from_parent(options)));
    lines.extend(script(&commands(group, options)));
    lines.push("  artifacts:".to_owned());
    lines.push("    when: always".to_owned());
    lines.push("    expire_in: 30 days".to_owned());
    lines.push(format!("    paths: {}", list(group.cells.iter().map(|cell| directory(cell) + "/"))));
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
    let mut lines = vec![
        format!("[ -x {KIT}/carnet ] || {{ echo 'carnet: the artifacts of the plan job are not here' >&2; exit 4; }}"),
        // Users of images may have no home, or one that is not theirs.
        "[ -w \"${HOME:-/nowhere}\" ] || export CARNET_CACHE=\"${TMPDIR:-/tmp}/carnet-cache\"".to_owned(),
    ];
    let (path, fail_on) = (word(&options.path), word(&options.fail_on));
    let command = |cell: &Planned| {
        let (id, out) = (word(&cell.id), word(&directory(cell)));
        match group.way {
            Way::Engine => format!("{KIT}/carnet check --cell {id} --out {out} --fail-on {fail_on} -- {path}"),
            Way::Image(_) | Way::Machine => format!("{KIT}/carnet cell --out {out} --fail-on {fail_on} -- {id} {path}"),
        }
    };
    match group.cells.as_slice() {
        [one] => lines.push(command(one)),
        several => {
            lines.push("code=0".to_owned());
            lines.extend(several.iter().map(|cell| format!("{} || code=$?", command(cell))));
            lines.push("exit \"$code\"".to_owned());
        }
    }
    lines
}

/// The job that hands on to the merge what the plan job made, when the merge waits for more jobs than it may name.
fn kit(options: &Options) -> Vec<String> {
    let mut lines = job("kit", "cells", None, &options.tags, options);
    lines.extend(needs(from_parent(options)));
    lines.extend(script(&[format!("ls -l {KIT}")]));
    lines.push("  artifacts:".to_owned());
    lines.push("    expire_in: 1 day".to_owned());
    lines.push(format!("    paths: [\"{KIT}/\"]"));
    lines
}

fn merge(groups: &[Group<'_>], options: &Options, by_name: bool) -> Vec<String> {
    let mut lines = job("merge", "merge", None, &options.tags, options);
    lines.push("  when: always".to_owned());
    if by_name {
        lines.extend(needs(from_parent(options).into_iter().chain(groups.iter().map(|group| quoted(&name(group))))));
    }
    let (path, fail_on) = (word(&options.path), word(&options.fail_on));
    lines.extend(script(&[format!("{KIT}/carnet ci gitlab merge --path {path} --fail-on {fail_on}")]));
    lines.push("  artifacts:".to_owned());
    lines.push("    when: always".to_owned());
    lines.push("    expire_in: 30 days".to_owned());
    lines.push(format!("    paths: [\"{OUT}/\"]"));
    lines.push("    reports:".to_owned());
    lines.push(format!("      junit: {OUT}/junit.xml"));
    lines.push(format!("      codequality: {OUT}/codequality.json"));
    lines
}

/// A pipeline must have a job.
fn nothing(options: &Options) -> Vec<String> {
    let mut lines = job("nothing-to-check", "cells", None, &options.tags, options);
    lines.extend(script(&["echo 'carnet: the plan has no cells'".to_owned()]));
    lines
}

#[cfg(test)]
mod tests;
