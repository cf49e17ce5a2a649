//! The value of `strategy.matrix` in GitHub Actions.

use serde::Serialize;

use crate::model::matrix::{Matrix, Planned};
use crate::report::ReportError;

/// Jobs that a matrix may make in one run of a workflow.
/// Source: "Usage limits" of GitHub's documentation of Actions, read 2026-11-22.
pub const MOST_JOBS: usize = 256;

/// What one job of the matrix is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Job {
    /// Names of its cells, separated by spaces: one, unless there are more cells than jobs.
    cells: String,
    /// Name for artifacts, of `[a-z0-9_-]`.
    slug: String,
    /// Image as a registry knows it, when the job has one cell and that has one; else empty.
    image: String,
    /// File systems that must be there, separated by spaces: `/cvmfs`.
    needs: String,
}

#[derive(Serialize)]
struct Include {
    include: Vec<Job>,
}

/// One line of JSON: `{"include":[{"cells":…,"slug":…,"image":…,"needs":…}]}`. Beyond the limit of jobs, a job gets
/// several cells.
///
/// # Errors
/// When it has no form in JSON: a bug.
pub fn render(matrix: &Matrix) -> Result<String, ReportError> {
    let include = matrix.cells.chunks(size(matrix)).map(job).collect();
    let line = serde_json::to_string(&Include { include }).map_err(|error| ReportError::Form(error.to_string()))?;
    Ok(line + "\n")
}

/// Number of jobs that it makes.
pub fn jobs(matrix: &Matrix) -> usize {
    matrix.cells.len().div_ceil(size(matrix))
}

/// Cells of one job.
fn size(matrix: &Matrix) -> usize {
    matrix.cells.len().div_ceil(MOST_JOBS).max(1)
}

fn job(cells: &[Planned]) -> Job {
    let joined = |parts: Vec<&str>| parts.join(" ");
    let mut needs: Vec<&str> = cells.iter().flat_map(|cell| &cell.needs).map(String::as_str).collect();
    needs.sort_unstable();
    needs.dedup();
    let image = match cells {
        [one] => one.pull.clone().unwrap_or_default(),
        _ => String::new(),
    };
    Job {
        cells: joined(cells.iter().map(|cell| cell.id.as_str()).collect()),
        slug: cells.first().map(|cell| cell.slug.clone()).unwrap_or_default(),
        image,
        needs: joined(needs),
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::report::plan::testing::matrix;

    #[test]
    fn a_job_has_a_cell_until_there_are_too_many() {
        let text = render(&matrix(2)).unwrap();
        assert_eq!(
            text,
            "{\"include\":[{\"cells\":\"site-0/worker\",\"slug\":\"site-0__worker\",\"image\":\"x/y:0\",\"needs\":\"\"},\
             {\"cells\":\"site-1/worker\",\"slug\":\"site-1__worker\",\"image\":\"x/y:1\",\"needs\":\"\"}]}\n"
        );
        let many: serde_json::Value = serde_json::from_str(&render(&matrix(600)).unwrap()).unwrap();
        let jobs = many["include"].as_array().unwrap();
        assert_eq!(jobs.len(), 200);
        assert_eq!((super::jobs(&matrix(600)), super::jobs(&matrix(0))), (200, 0));
        assert_eq!(jobs[199]["cells"], "site-597/worker site-598/worker site-599/worker");
        assert_eq!(render(&matrix(0)).unwrap(), "{\"include\":[]}\n");
    }
}
