//! Secrets in lines that are reported.

use insta::assert_snapshot;

use crate::scan::findings::{FORMATS, redacted};
use crate::support::TestEnv;

const PASSWORD: &str = "hunter2secret";

/// An analysis with passwords and a token in lines with findings.
fn env(token: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("a.py", format!("open('/eos/user/j/jdoe/x.root', token='{token}')\n"));
    env.write("b.sh", format!("#!/bin/bash\ncurl https://jdoe:{PASSWORD}@lxplus.cern.ch/x /afs/cern.ch/user/j/jdoe/x\nexport TOKEN={token}\n"));
    env.write("requirements.txt", format!("a @ git+https://jdoe:{PASSWORD}@github.com/x/y.git\n--index-url https://jdoe:{PASSWORD}@example.org/simple\n"));
    env.write(
        ".gitmodules",
        format!("[submodule \"a\"]\n\tpath = a\n\turl = https://jdoe:{PASSWORD}@github.com/x/y.git\n"),
    );
    env
}

#[test]
fn scan_masks_secrets_in_every_format() {
    let token = format!("ghp_{}", "Ab3dEf6h".repeat(5).split_at(36).0);
    let env = env(&token);
    let output = env.carnet(&["scan", "--facility", "cern-lxplus", "--facility", "desy-naf"]).assert_code(1);
    assert_snapshot!(redacted(&env, &output.text()), @"
    error[home-path]: `/eos/user/j/jdoe/x.root` is in jdoe's directory; `/eos/user` exists at cern-lxplus; not at 1 other
     --> a.py:1:7
      |
    1 | open('/eos/user/j/jdoe/x.root', token='ghp_[redacted]')
      |       ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: breaks at desy-naf; works at cern-lxplus
      = help: use `root://eosuser.cern.ch//eos/user/j/jdoe/x.root`, or read it from an argument, a configuration file or an environment variable

    error[committed-credential]: a GitHub token is committed to the repository
     --> a.py:1:40
      |
    1 | open('/eos/user/j/jdoe/x.root', token='ghp_[redacted]')
      |                                        ^^^^
      |
     ::: b.sh:3:14
      |
    3 | export TOKEN=ghp_[redacted]
      |              ^^^^
      |
      = help: revoke it, and remove it from the history

    error[home-path]: `/afs/cern.ch/user/j/jdoe/x` is in jdoe's directory; `/afs/cern.ch/user` exists at cern-lxplus
     --> b.sh:2:50
      |
    2 | curl https://[redacted]@lxplus.cern.ch/x /afs/cern.ch/user/j/jdoe/x
      |                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: works at cern-lxplus
      = help: read it from an argument, a configuration file or an environment variable, and reference data by logical names or URLs

    warning[no-lock]: 1 package declared without a lock file
    --> requirements.txt
     = help: create a lock file with uv lock, pip-compile, conda-lock or pixi lock, and commit it

    warning[unpinned-dependency]: `a` is installed from a branch, which can change
     --> requirements.txt:1:1
      |
    1 | a @ git+https://[redacted]@github.com/x/y.git
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: use the commit or tag that the analysis was run with

    note[missing-tests]: repository has no tests
    --> the repository
     = help: add a test that processes a few events, or set `[test] run` in carnet.toml

    4 errors, 2 warnings, 1 note in 3 files
    4 files scanned in [TIME]
    ");
    let mut commands: Vec<Vec<&str>> = FORMATS.iter().map(|format| vec!["scan", "--all", "--format", format]).collect();
    commands.extend([vec!["scan", "--inventory"], vec!["scan", "--inventory", "--format", "json"]]);
    let mut outputs: Vec<String> = commands.iter().map(|command| env.carnet(command).text()).collect();
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    outputs.push(env.read("carnet-baseline.json"));
    for output in &outputs {
        for secret in [PASSWORD, &token] {
            assert!(!output.contains(secret), "{output}");
        }
    }
}
