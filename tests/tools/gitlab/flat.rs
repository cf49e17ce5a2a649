//! The form without a child pipeline: a job for each facility that people write themselves.

use crate::gitlab::documentation::block;
use crate::gitlab::env::{GitlabEnv, statuses};

fn jobs_written_by_hand_run_their_cell_and_the_last_one_merges() {
    let env = GitlabEnv::new(&block("flat"));
    let said = env.pipeline(&[]).assert_code(1);
    said.assert_contains(&["group", "old", "carnet-report"]);
    let document = env.read_json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("group", "passed"), ("old", "failed")], "{}", said.text());
    assert!(env.read("carnet-out/junit.xml").contains("classname=\"old."));
    said.assert_lacks("carnet-plan");
}

fn a_job_before_them_hands_the_program_on() {
    let env = GitlabEnv::new(&(block("flat") + &block("program")));
    // Only the first job has it; in the others, a version that is none would say so.
    let bin = format!("CARNET_BIN={}", crate::support::CARNET);
    env.gitlab(&["--force-shell-executor", "--variable", &bin, "carnet-program"]).assert_code(0);
    let said = env.gitlab(&["--force-shell-executor", "--variable", "CARNET_VERSION=$(id)", "group"]);
    said.assert_code(0).assert_contains(&["1 passed"]);
}

fn a_job_that_names_no_cell_says_so() {
    let text = block("flat").replace("CARNET_CELL: group", "OTHER: group");
    GitlabEnv::new(&text).pipeline(&["group"]).assert_code(1).assert_contains(&["CARNET_CELL: is not set"]);
}

crate::support::harness::register!(
    [Tool("venv/bin/node")]:
    jobs_written_by_hand_run_their_cell_and_the_last_one_merges,
    a_job_before_them_hands_the_program_on,
    a_job_that_names_no_cell_says_so,
);
