//! The value of `strategy.matrix` in GitHub Actions.

use serde::Serialize;

use crate::model::matrix::{Matrix, Planned};
use crate::report::ReportError;

/// Maximum number of jobs of a matrix in one workflow run.
/// Source: "Usage limits" of GitHub's documentation of Actions, read 2026-11-22.
pub const MAX_JOBS: usize = 256;

/// The variables of one job of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Job {
    /// IDs of the cells, separated by spaces; one ID unless there are more cells than jobs.
    cells: String,
    /// Name of artifacts, matching `[a-z0-9_-]+`.
    slug: String,
    /// Image reference if the job has one cell with an image; otherwise empty.
    image: String,
    /// Required file systems, separated by spaces: `/cvmfs`.
    needs: String,
}

#[derive(Serialize)]
struct Include {
    include: Vec<Job>,
}

/// Returns one line of JSON: `{"include":[{"cells":…,"slug":…,"image":…,"needs":…}]}`. If there are more cells than the maximum
/// number of jobs, jobs have several cells.
///
/// # Errors
/// If the content cannot be serialized: a bug.
pub fn render(matrix: &Matrix) -> Result<String, ReportError> {
    let include = matrix.cells.chunks(size(matrix)).map(job).collect();
    let line = serde_json::to_string(&Include { include }).map_err(|error| ReportError::Form(error.to_string()))?;
    Ok(line + "\n")
}

/// Returns the number of jobs.
pub fn jobs(matrix: &Matrix) -> usize {
    matrix.cells.len().div_ceil(size(matrix))
}

/// Returns the number of cells per job.
fn size(matrix: &Matrix) -> usize {
    matrix.cells.len().div_ceil(MAX_JOBS).max(1)
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
    fn jobs_have_several_cells_beyond_the_limit() {
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
