//! `--fix`: the patch, and the changed files.

use std::fs;

use insta::assert_snapshot;

use crate::support::TestEnv;

/// A repository of files with one safe fix each, with different line ends.
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
fn fix_prints_a_patch_that_git_applies_and_write_changes_the_files() {
    let env = env();
    let before = env.files();
    let output = env.carnet(&["scan", "--fix"]).assert_code(0);
    assert_eq!(env.files(), before, "nothing is written without --write");
    let patch = env.analysis().join("../fix.patch");
    fs::write(&patch, &output.stdout).expect("a file");
    env.git(&["apply", patch.to_str().expect("UTF-8")]).assert_code(0);
    let applied = programs(&env);
    assert!(applied.iter().all(|(_, text)| text.starts_with("#!/usr/bin/env python3")), "{applied:#?}");
    env.git(&["checkout", "-q", "."]).assert_code(0);
    let output = env.carnet(&["scan", "--fix", "--write"]).assert_code(0);
    assert_snapshot!(output.text(), @"
    dir/deep.py: applied 1 fix
    no end.py: applied 1 fix
    run.py: applied 1 fix
    windows.py: applied 1 fix
    ");
    assert_eq!(programs(&env), applied);
    let output = env.carnet(&["scan", "--fix"]).assert_code(0);
    assert_eq!(output.stdout, "");
    assert_snapshot!(output.stderr, @"no safe fixes available");
    env.carnet(&["scan", "--fix", "--write"]).assert_code(0);
    assert_eq!(programs(&env), applied);
}

#[test]
fn fix_of_a_commit_range_patches_the_committed_files() {
    let env = env();
    env.write("run.py", "#!/opt/python/bin/python3\nprint('dirty')\n");
    let output = env.carnet(&["scan", "--changed", "HEAD", "--fix"]).assert_code(0);
    assert_snapshot!(output.stdout.replace('\r', "[CR]"), @r"
    diff --git a/dir/deep.py b/dir/deep.py
    --- a/dir/deep.py
    +++ b/dir/deep.py
    @@ -1 +1 @@
    -#!/opt/python/bin/python3
    +#!/usr/bin/env python3
    diff --git a/no end.py b/no end.py
    --- a/no end.py	
    +++ b/no end.py	
    @@ -1,2 +1,2 @@
    -#!/opt/python/bin/python3
    +#!/usr/bin/env python3
     print(1)
    \ No newline at end of file
    diff --git a/run.py b/run.py
    --- a/run.py
    +++ b/run.py
    @@ -1,2 +1,2 @@
    -#!/opt/python/bin/python3
    +#!/usr/bin/env python3
     print('é')
    diff --git a/windows.py b/windows.py
    --- a/windows.py
    +++ b/windows.py
    @@ -1,2 +1,2 @@
    -#!/opt/python/bin/python3[CR]
    +#!/usr/bin/env python3[CR]
     print(1)[CR]
    ");
    env.carnet(&["scan", "--changed", "HEAD", "--fix", "--write"]).assert_code(2);
    env.carnet(&["scan", "--write"]).assert_code(2);
}

/// Paths and contents of the programs.
fn programs(env: &TestEnv) -> Vec<(String, String)> {
    ["dir/deep.py", "no end.py", "run.py", "windows.py"]
        .map(|path| (path.to_owned(), fs::read_to_string(env.analysis().join(path)).expect("a file")))
        .to_vec()
}

#[test]
fn fix_adds_the_digest_that_another_file_pins() {
    let env = TestEnv::new();
    env.git(&["init", "-q"]).assert_code(0);
    let digest = format!("sha256:{}", "1".repeat(64));
    env.write("Dockerfile", "FROM ghcr.io/a/b:1.0\n");
    env.write(".gitlab-ci.yml", format!("test:\n  image: ghcr.io/a/b:1.0@{digest}\n"));
    env.write("reana.yaml", "workflow:\n  specification:\n    steps:\n    - environment: ghcr.io/a/b:1.0\n");
    env.commit("one");
    let output = env.carnet(&["scan", "--changed", "HEAD", "--fix"]).assert_code(0);
    assert_snapshot!(output.stdout.replace(&digest, "[DIGEST]"), @"
    diff --git a/Dockerfile b/Dockerfile
    --- a/Dockerfile
    +++ b/Dockerfile
    @@ -1 +1 @@
    -FROM ghcr.io/a/b:1.0
    +FROM ghcr.io/a/b:1.0@[DIGEST]
    diff --git a/reana.yaml b/reana.yaml
    --- a/reana.yaml
    +++ b/reana.yaml
    @@ -1,4 +1,4 @@
     workflow:
       specification:
         steps:
    -    - environment: ghcr.io/a/b:1.0
    +    - environment: ghcr.io/a/b@[DIGEST]
    ");
    env.carnet(&["scan", "--fix", "--write"]).assert_code(0);
    let text = |path: &str| fs::read_to_string(env.analysis().join(path)).expect("a file");
    assert_eq!(text("Dockerfile"), format!("FROM ghcr.io/a/b:1.0@{digest}\n"));
    assert!(text("reana.yaml").ends_with(&format!("- environment: ghcr.io/a/b@{digest}\n")), "{}", text("reana.yaml"));
    assert_eq!(env.carnet(&["scan", "--fix"]).assert_code(0).stdout, "");
    // Two digests of the same tag are ambiguous.
    env.write("Dockerfile", "FROM ghcr.io/a/b:1.0\n");
    env.write(
        ".github/workflows/a.yml",
        format!("jobs: {{x: {{container: 'ghcr.io/a/b:1.0@sha256:{}'}}}}\n", "2".repeat(64)),
    );
    assert_eq!(env.carnet(&["scan", "--fix"]).assert_code(0).stdout, "");
}
