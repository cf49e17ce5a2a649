//! How a wrong carnet.toml is refused, and how `carnet init` writes a right one.

use proptest::prelude::{any, prop};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::support::TestEnv;

#[test]
fn every_problem_is_shown_with_its_line() {
    let env = TestEnv::new();
    env.write("carnet.toml", "[test]\nruns = \"x\"\n[[facility]]\nid = \"a\"\nimage = \"oci\"\n");
    let said = env.carnet(&["check"]).assert_code(2);
    for part in
        ["unknown key `runs`", "did you mean `run`?", "carnet.toml:2:1", "it names no transport", "carnet.toml:5:9"]
    {
        assert!(said.stderr.contains(part), "{part} is missing in:\n{}", said.stderr);
    }
}

#[test]
fn random_bytes_are_refused_with_a_place() {
    let env = TestEnv::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let bytes = prop::collection::vec(any::<u8>(), 20..200).new_tree(&mut runner).expect("bytes").current();
        env.write("carnet.toml", &bytes);
        let said = env.carnet(&["check"]).assert_code(2);
        assert!(said.stderr.starts_with("error: ") && said.stderr.contains("carnet.toml:"), "{}", said.stderr);
    }
}

#[test]
fn init_writes_what_the_repository_shows() {
    let env = TestEnv::new();
    env.write("tests/test_a.py", "def test_a():\n    assert True\n");
    env.write(".gitlab-ci.yml", "test:\n  image: gitlab-registry.example.org/me/analysis:1\n  script: [pytest]\n");
    env.write("requirements.txt", "numpy\n");
    env.carnet(&["init"]).assert_code(0);
    let text = std::fs::read_to_string(env.analysis().join("carnet.toml")).expect("a file");
    for part in [
        "pytest",
        "docker://gitlab-registry.example.org/me/analysis:1",
        "Job `test` (.gitlab-ci.yml:1)",
        "requirements.txt",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let said = env.carnet(&["init"]).assert_code(2);
    assert!(said.stderr.contains("exists") && said.stderr.contains("--force"), "{}", said.stderr);
}

#[test]
fn a_configuration_that_is_a_link_to_elsewhere_is_not_shown() {
    let env = TestEnv::with_test("true");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let secret = elsewhere.path().join("secret");
    std::fs::write(&secret, "root:x:0:0\n").expect("a file");
    let file = env.analysis().join("carnet.toml");
    std::fs::remove_file(&file).expect("it is there");
    std::os::unix::fs::symlink(&secret, &file).expect("a link");
    for command in ["check", "scan"] {
        let said = env.carnet(&[command]).assert_code(2);
        assert!(
            said.stderr.contains("leads out of its directory") && !said.stderr.contains("root:x"),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn a_file_is_no_analysis() {
    let env = TestEnv::with_test("true");
    for command in ["check", "scan", "plan"] {
        let said = env.carnet(&[command, "t.sh"]).assert_code(2);
        assert!(said.stderr.starts_with("error: t.sh is no directory"), "{}", said.stderr);
    }
}

#[test]
fn init_turns_ci_into_facilities() {
    let env = TestEnv::new();
    let said = env.carnet(&["init", "--from-ci"]).assert_code(3);
    assert!(said.stderr.contains("no CI files"), "{}", said.stderr);
    env.write(
        ".gitlab-ci.yml",
        "tests:\n  image: cmssw/el9:x86_64\n  tags: [k8s-cvmfs]\n  before_script: [source /cvmfs/cms.cern.ch/cmsset_default.sh]\n  \
         script: [pytest tests]\nlatest:\n  image: x/y:$CI_COMMIT_SHA\n  script: [pytest tests]\n",
    );
    let shown = env.carnet(&["init", "--from-ci", "--print"]).assert_code(0).stdout;
    for part in [
        "run = \"pytest tests\"",
        "id = \"cmssw-el9\"",
        "mounts = [\"/cvmfs:/cvmfs\"]",
        "# - job `latest` (.gitlab-ci.yml:6): its image is `x/y:$CI_COMMIT_SHA`",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    env.carnet(&["init", "--from-ci"]).assert_code(0);
    assert_eq!(std::fs::read_to_string(env.analysis().join("carnet.toml")).expect("the file"), shown);
}
