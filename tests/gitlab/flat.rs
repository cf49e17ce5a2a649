//! The form without a child pipeline: a job for each facility that people write themselves.

use crate::documentation::block;
use crate::room::{Room, statuses};

#[test]
fn jobs_written_by_hand_run_their_cell_and_the_last_one_merges() {
    let room = Room::new(&block("flat"));
    let said = room.pipeline(&[]);
    said.has(&["group", "old", "carnet-report"]).ends(1);
    let document = room.json("carnet-out/carnet.json");
    assert_eq!(statuses(&document), [("group", "passed"), ("old", "failed")], "{}", said.text);
    assert!(room.read("carnet-out/junit.xml").contains("classname=\"old."));
    said.lacks("carnet-plan");
}

#[test]
fn a_job_before_them_hands_the_program_on() {
    let room = Room::new(&(block("flat") + &block("program")));
    // Only the first job has it; in the others, a version that is none would say so.
    let bin = format!("CARNET_BIN={}", crate::room::CARNET);
    room.gitlab(&["--force-shell-executor", "--variable", &bin, "carnet-program"]).ends(0);
    let said = room.gitlab(&["--force-shell-executor", "--variable", "CARNET_VERSION=$(id)", "group"]);
    said.ends(0).has(&["1 passed"]);
}

#[test]
fn a_job_that_names_no_cell_says_so() {
    let text = block("flat").replace("CARNET_CELL: group", "OTHER: group");
    Room::new(&text).pipeline(&["group"]).has(&["CARNET_CELL: is not set"]).ends(1);
}
