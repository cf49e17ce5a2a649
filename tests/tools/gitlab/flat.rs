//! The pipeline without a child pipeline, in which users write one job per facility.

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, job_output, statuses};
use crate::support::CARNET;

fn flat_pipeline_runs_and_merges_cells() {
    let env = GitlabEnv::new(&block("flat"));
    let output = env.pipeline(&[]).assert_code(1);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("group", "passed"), ("old", "failed")], "{}", output.text());
    assert_eq!(job_output(&output, "carnet-plan"), "");
    let junit = env.read("carnet-out/junit.xml");
    assert_eq!(junit.matches("classname=\"old.").count(), 1, "{junit}");
}

fn flat_pipeline_passes_program_to_cells() {
    let env = GitlabEnv::new(&(block("flat") + &block("program")));
    let bin = format!("CARNET_BIN={CARNET}");
    env.gitlab(&["--force-shell-executor", "--variable", &bin, "carnet-program"]).assert_code(0);
    // A job that downloads the program would report this invalid version.
    let output = env.gitlab(&["--force-shell-executor", "--variable", "CARNET_VERSION=$(id)", "group"]).assert_code(0);
    let output = job_output(&output, "group");
    assert_eq!(output.lines().filter(|line| line.starts_with("1 cell: 1 passed, in ")).count(), 1, "{output}");
}

fn flat_pipeline_reports_job_without_cell() {
    let text = block("flat").replace("CARNET_CELL: group", "OTHER: group");
    let output = GitlabEnv::new(&text).pipeline(&["group"]).assert_code(1);
    // The shell prints the path and the line of the script first.
    let error = job_output(&output, "group");
    assert_eq!(error.splitn(3, ": ").last(), Some("CARNET_CELL: is not set\n"));
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    flat_pipeline_passes_program_to_cells,
    flat_pipeline_reports_job_without_cell,
    flat_pipeline_runs_and_merges_cells,
);
