//! Errors of `carnet.toml`, and `carnet init`.

use std::fs;
use std::os::unix::fs::symlink;

use insta::assert_snapshot;
use proptest::prelude::{any, prop};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::support::TestEnv;

#[test]
fn every_error_is_shown_with_its_line() {
    let env = TestEnv::new();
    env.write("carnet.toml", "[test]\nruns = \"x\"\n[[facility]]\nid = \"a\"\nimage = \"oci\"\n");
    let output = env.carnet(&["check"]).assert_code(2);
    assert_snapshot!(env.redact(&output.text()), @r#"
    error: unknown key `runs`
     --> [ANALYSIS]/carnet.toml:2:1
      |
    2 | runs = "x"
      | ^^^^
      |
      = help: did you mean `run`?
    error: invalid image reference `oci`: the transport is missing
     --> [ANALYSIS]/carnet.toml:5:9
      |
    5 | image = "oci"
      |         ^^^^^
      |
      = help: use docker://NAME:TAG, docker-daemon:NAME:TAG, docker-archive:FILE, oci:DIR[:TAG], oci-archive:FILE[:TAG], dir:ROOTFS or host
    "#);
}

#[test]
fn random_bytes_are_rejected_with_a_location() {
    let env = TestEnv::new();
    let mut runner = TestRunner::deterministic();
    for _ in 0..20 {
        let bytes = prop::collection::vec(any::<u8>(), 20..200).new_tree(&mut runner).expect("bytes").current();
        env.write("carnet.toml", &bytes);
        let output = env.carnet(&["check"]).assert_code(2);
        assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
        output.assert_contains(&["carnet.toml:"]);
    }
}

#[test]
fn init_writes_tests_and_images_of_the_repository() {
    let env = TestEnv::new();
    env.write("tests/test_a.py", "def test_a():\n    assert True\n");
    env.write(".gitlab-ci.yml", "test:\n  image: gitlab-registry.example.org/me/analysis:1\n  script: [pytest]\n");
    env.write("requirements.txt", "numpy\n");
    env.carnet(&["init"]).assert_code(0);
    assert_snapshot!(env.read("carnet.toml"), @r#"
    # Configuration of carnet: where this analysis must run and how it is tested.

    [analysis]
    name = "analysis"
    reference = "laptop"          # cell that the other cells are compared with

    [test]
    run = "python3 -m pytest -q tests"
    # Prepares the image and may use the network; the result is cached.
    # setup = "python3 -m pip install -r requirements.txt"
    # Dependencies are declared in: requirements.txt
    # timeout = "10m"              # per command
    # network = false              # whether the tests may use the network

    # Output files of the tests; their content is compared between facilities.
    # [outputs]
    # "out/yields.json" = {}

    # Input files of the tests; their content is recorded.
    # [data]
    # inputs = ["data/dimuon.root"]

    # This machine, without an image.
    [[facility]]
    id = "laptop"
    engine = "host"

    # Job `test` (.gitlab-ci.yml:1).
    [[facility]]
    id = "analysis"
    image = "docker://gitlab-registry.example.org/me/analysis:1"

    # Options of `carnet scan`.
    # [scan]
    # facilities = ["desy-naf"]    # by default all facilities of the catalogue
    # ignore = [{ rule = "site-path", path = "docs/**", reason = "examples" }]
    # exclude = ["data/**"]
    "#);
    let output = env.carnet(&["init"]).assert_code(2);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: [ANALYSIS]/carnet.toml already exists
     |
     = help: use `--force` to overwrite it, or `--print` to print the new configuration
    ");
}

#[test]
fn init_converts_ci_jobs_to_facilities() {
    let env = TestEnv::new();
    let output = env.carnet(&["init", "--from-ci"]).assert_code(3);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: no CI configuration found in [ANALYSIS]
     |
     = help: add .github/workflows/*.yml or .gitlab-ci.yml, or omit `--from-ci`
    ");
    env.write(
        ".gitlab-ci.yml",
        "tests:\n  image: cmssw/el9:x86_64\n  tags: [k8s-cvmfs]\n  before_script: [source /cvmfs/cms.cern.ch/cmsset_default.sh]\n  \
         script: [pytest tests]\nlatest:\n  image: x/y:$CI_COMMIT_SHA\n  script: [pytest tests]\n",
    );
    let printed = env.carnet(&["init", "--from-ci", "--print"]).assert_code(0).stdout;
    assert_snapshot!(printed, @r#"
    # Configuration of carnet: where this analysis must run and how it is tested.

    [analysis]
    name = "analysis"
    reference = "laptop"          # cell that the other cells are compared with

    [test]
    # As in CI.
    run = "pytest tests"
    # timeout = "10m"              # per command
    # network = false              # whether the tests may use the network

    # Output files of the tests; their content is compared between facilities.
    # [outputs]
    # "out/yields.json" = {}

    # Input files of the tests; their content is recorded.
    # [data]
    # inputs = ["data/dimuon.root"]

    # This machine, without an image.
    [[facility]]
    id = "laptop"
    engine = "host"

    # Job `tests` (.gitlab-ci.yml:1).
    # /cvmfs must be mounted on the host.
    [[facility]]
    id = "cmssw-el9"
    image = "docker://cmssw/el9:x86_64"
    setup = "source /cvmfs/cms.cern.ch/cmsset_default.sh"
    mounts = ["/cvmfs:/cvmfs"]

    # Not converted from CI:
    # - job `latest` (.gitlab-ci.yml:6): image `x/y:$CI_COMMIT_SHA`: `$CI_COMMIT_SHA` is known only at run time

    # Options of `carnet scan`.
    # [scan]
    # facilities = ["desy-naf"]    # by default all facilities of the catalogue
    # ignore = [{ rule = "site-path", path = "docs/**", reason = "examples" }]
    # exclude = ["data/**"]
    "#);
    env.carnet(&["init", "--from-ci"]).assert_code(0);
    assert_eq!(env.read("carnet.toml"), printed);
}

#[test]
fn configuration_that_links_outside_of_the_analysis_is_not_shown() {
    let env = TestEnv::with_test("true");
    let secret = env.path("secret");
    fs::write(&secret, "root:x:0:0\n").expect("a file");
    let file = env.analysis().join("carnet.toml");
    fs::remove_file(&file).expect("carnet.toml exists");
    symlink(&secret, &file).expect("a link");
    let [check, scan] = ["check", "scan"].map(|command| env.carnet(&[command]).assert_code(2).text());
    assert_snapshot!(env.redact(&check), @"error: failed to read `[ANALYSIS]/carnet.toml`: symbolic link to a file outside its directory");
    assert_eq!(scan, check);
}

#[test]
fn analysis_that_is_a_file_is_a_usage_error() {
    let env = TestEnv::with_test("true");
    let [check, scan, plan] =
        ["check", "scan", "plan"].map(|command| env.carnet(&[command, "t.sh"]).assert_code(2).text());
    assert_snapshot!(check, @r"
    error: `t.sh` is not a directory
     |
     = help: pass the directory of the analysis
    ");
    assert_eq!((&scan, &plan), (&check, &check));
}
