//! How a wrong carnet.toml is refused, and how `carnet init` writes a right one.

use proptest::prelude::{any, prop};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::room::Room;

#[test]
fn every_problem_is_shown_with_its_line() {
    let room = Room::new();
    room.write("carnet.toml", "[test]\nruns = \"x\"\n[[facility]]\nid = \"a\"\nimage = \"oci\"\n");
    let said = room.run(&["check"]).expect(2);
    for part in
        ["unknown key `runs`", "did you mean `run`?", "carnet.toml:2:1", "it names no transport", "carnet.toml:5:9"]
    {
        assert!(said.err.contains(part), "{part} is missing in:\n{}", said.err);
    }
}

#[test]
fn random_bytes_are_refused_with_a_place() {
    let room = Room::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let bytes = prop::collection::vec(any::<u8>(), 20..200).new_tree(&mut runner).expect("bytes").current();
        room.write("carnet.toml", &bytes);
        let said = room.run(&["check"]).expect(2);
        assert!(said.err.starts_with("error: ") && said.err.contains("carnet.toml:"), "{}", said.err);
    }
}

#[test]
fn init_writes_what_the_repository_shows() {
    let room = Room::new();
    room.write("tests/test_a.py", "def test_a():\n    assert True\n");
    room.write(".gitlab-ci.yml", "test:\n  image: gitlab-registry.example.org/me/analysis:1\n  script: [pytest]\n");
    room.write("requirements.txt", "numpy\n");
    room.run(&["init"]).expect(0);
    let text = std::fs::read_to_string(room.top().join("carnet.toml")).expect("a file");
    for part in [
        "pytest",
        "docker://gitlab-registry.example.org/me/analysis:1",
        "Job `test` (.gitlab-ci.yml:1)",
        "requirements.txt",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let said = room.run(&["init"]).expect(2);
    assert!(said.err.contains("exists") && said.err.contains("--force"), "{}", said.err);
}

#[test]
fn a_configuration_that_is_a_link_to_elsewhere_is_not_shown() {
    let room = Room::testing("true");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let secret = elsewhere.path().join("secret");
    std::fs::write(&secret, "root:x:0:0\n").expect("a file");
    let file = room.top().join("carnet.toml");
    std::fs::remove_file(&file).expect("it is there");
    std::os::unix::fs::symlink(&secret, &file).expect("a link");
    for command in ["check", "scan"] {
        let said = room.run(&[command]).expect(2);
        assert!(said.err.contains("leads out of its directory") && !said.err.contains("root:x"), "{}", said.err);
    }
}

#[test]
fn a_file_is_no_analysis() {
    let room = Room::testing("true");
    for command in ["check", "scan", "plan"] {
        let said = room.run(&[command, "t.sh"]).expect(2);
        assert!(said.err.starts_with("error: t.sh is no directory"), "{}", said.err);
    }
}

#[test]
fn init_turns_ci_into_facilities() {
    let room = Room::new();
    let said = room.run(&["init", "--from-ci"]).expect(3);
    assert!(said.err.contains("no CI files"), "{}", said.err);
    room.write(
        ".gitlab-ci.yml",
        "tests:\n  image: cmssw/el9:x86_64\n  tags: [k8s-cvmfs]\n  before_script: [source /cvmfs/cms.cern.ch/cmsset_default.sh]\n  \
         script: [pytest tests]\nlatest:\n  image: x/y:$CI_COMMIT_SHA\n  script: [pytest tests]\n",
    );
    let shown = room.run(&["init", "--from-ci", "--print"]).expect(0).out;
    for part in [
        "run = \"pytest tests\"",
        "id = \"cmssw-el9\"",
        "mounts = [\"/cvmfs:/cvmfs\"]",
        "# - job `latest` (.gitlab-ci.yml:6): its image is `x/y:$CI_COMMIT_SHA`",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    room.run(&["init", "--from-ci"]).expect(0);
    assert_eq!(std::fs::read_to_string(room.top().join("carnet.toml")).expect("the file"), shown);
}
