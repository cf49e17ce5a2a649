//! `--fix`: a patch that git takes, and files that need no other.

use std::fs;

use crate::support::TestEnv;

/// Files with a safe fix each, in several ways of writing.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    env.git(&["config", "core.autocrlf", "false"]).assert_code(0);
    env.write_script("run.py", "");
    env.write("run.py", "#!/opt/python/bin/python3\nprint('é')\n");
    env.write("windows.py", "#!/opt/python/bin/python3\r\nprint(1)\r\n");
    env.write("no end.py", "#!/opt/python/bin/python3\nprint(1)");
    env.write("dir/deep.py", "#!/opt/python/bin/python3\n");
    env.commit("one");
    env
}

#[test]
fn the_patch_is_one_that_git_takes_and_nothing_is_left_to_mend() {
    let env = env();
    let before = env.files();
    let said = env.carnet(&["scan", "--fix"]).assert_code(0);
    assert_eq!(env.files(), before, "nothing is written without --write");
    let patch = env.analysis().join("../fix.patch");
    fs::write(&patch, &said.stdout).expect("a file");
    env.git(&["apply", patch.to_str().expect("UTF-8")]).assert_code(0);
    let applied = files(&env);
    assert!(applied.iter().all(|(_, text)| text.starts_with("#!/usr/bin/env python3")), "{applied:#?}");
    env.git(&["checkout", "-q", "."]).assert_code(0);
    let said = env.carnet(&["scan", "--fix", "--write"]).assert_code(0);
    assert!(said.stderr.contains("run.py: 1 fixes"), "{}", said.stderr);
    assert_eq!(files(&env), applied);
    let again = env.carnet(&["scan", "--fix"]).assert_code(0);
    assert!(
        again.stdout.is_empty() && again.stderr.contains("nothing here can be mended"),
        "{}{}",
        again.stdout,
        again.stderr
    );
    let last = files(&env);
    env.carnet(&["scan", "--fix", "--write"]).assert_code(0);
    assert_eq!(files(&env), last);
}

#[test]
fn the_patch_of_commits_is_for_what_they_hold() {
    let env = env();
    env.write("run.py", "#!/opt/python/bin/python3\nprint('dirty')\n");
    let said = env.carnet(&["scan", "--changed", "HEAD", "--fix"]).assert_code(0);
    assert!(said.stdout.contains("+#!/usr/bin/env python3") && !said.stdout.contains("dirty"), "{}", said.stdout);
    env.carnet(&["scan", "--changed", "HEAD", "--fix", "--write"]).assert_code(2);
    env.carnet(&["scan", "--write"]).assert_code(2);
}

/// Programs, by path.
fn files(env: &TestEnv) -> Vec<(String, String)> {
    ["dir/deep.py", "no end.py", "run.py", "windows.py"]
        .map(|path| (path.to_owned(), fs::read_to_string(env.analysis().join(path)).expect("a file")))
        .to_vec()
}

#[test]
fn a_digest_that_one_file_knows_is_put_to_the_image_of_another() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    let digest = format!("sha256:{}", "1".repeat(64));
    env.write("Dockerfile", "FROM ghcr.io/a/b:1.0\n");
    env.write(".gitlab-ci.yml", format!("test:\n  image: ghcr.io/a/b:1.0@{digest}\n"));
    env.write("reana.yaml", "workflow:\n  specification:\n    steps:\n    - environment: ghcr.io/a/b:1.0\n");
    env.commit("one");
    // As commits have it, and as it lies here.
    let said = env.carnet(&["scan", "--changed", "HEAD", "--fix"]).assert_code(0);
    assert!(said.stdout.contains(&format!("+FROM ghcr.io/a/b:1.0@{digest}\n")), "{}", said.stdout);
    env.carnet(&["scan", "--fix", "--write"]).assert_code(0);
    let text = |path: &str| fs::read_to_string(env.analysis().join(path)).expect("a file");
    assert_eq!(text("Dockerfile"), format!("FROM ghcr.io/a/b:1.0@{digest}\n"));
    assert!(text("reana.yaml").ends_with(&format!("- environment: ghcr.io/a/b@{digest}\n")), "{}", text("reana.yaml"));
    let again = env.carnet(&["scan", "--fix"]).assert_code(0);
    assert!(again.stdout.is_empty(), "{}", again.stdout);
    // Two digests of one tag: nobody knows which it is.
    env.write("Dockerfile", "FROM ghcr.io/a/b:1.0\n");
    env.write(
        ".github/workflows/a.yml",
        format!("jobs: {{x: {{container: 'ghcr.io/a/b:1.0@sha256:{}'}}}}\n", "2".repeat(64)),
    );
    let said = env.carnet(&["scan", "--fix"]).assert_code(0);
    assert!(!said.stdout.contains("ghcr.io"), "{}", said.stdout);
}
