//! Links, pipes and devices where carnet reads and writes files.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::support::{CommandOutput, TestEnv};

impl TestEnv {
    /// Creates a link in the analysis.
    fn link(&self, target: impl AsRef<Path>, link: &str) {
        let link = self.analysis().join(link);
        fs::create_dir_all(link.parent().expect("a parent")).expect("directories");
        symlink(target, link).expect("a link");
    }

    /// Runs a command line of bash with `carnet` as the binary under test.
    fn bash(&self, line: &str) -> CommandOutput {
        self.run("bash", &["-c", &format!("carnet() {{ {} \"$@\"; }}; {line}", crate::support::CARNET)])
    }
}

#[test]
fn default_report_directory_that_is_a_link_is_refused() {
    let env = TestEnv::with_test("true");
    let outside = env.path("outside");
    fs::create_dir(&outside).expect("a directory");
    env.link(&outside, "carnet-out");
    let output = env.carnet(&["check"]).assert_code(4);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: refused to write reports to `carnet-out`: `carnet-out` is a symbolic link
     |
     = help: remove the link with `rm carnet-out`, or use another directory
    ");
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
    // The user may type a link.
    env.link(&outside, "reports");
    env.carnet(&["check", "--out", "reports"]).assert_code(0);
    assert!(outside.join("carnet.json").is_file());
    fs::remove_file(env.analysis().join("carnet-out")).expect("removed");
    env.write("carnet-out", "a file");
    assert_snapshot!(env.redact(&env.carnet(&["check"]).assert_code(4).text()), @r"
    error: `carnet-out` is not a directory
     |
     = help: remove the file, or use another directory
    ");
}

#[test]
fn links_and_pipes_in_the_report_directory_are_replaced() {
    let env = TestEnv::with_test("true");
    let outside = env.path("outside");
    fs::write(&outside, "unchanged").expect("a file");
    env.make_pipe("pipe");
    env.link("../pipe", "carnet-out/junit.xml");
    env.link(&outside, "carnet-out/carnet.json");
    env.link(&outside, "carnet-out/.gitignore");
    env.link("/dev/full", "carnet-out/summary.md");
    env.make_pipe("carnet-out/report.html");
    env.carnet(&["check"]).assert_code(0);
    for name in ["carnet.json", "junit.xml", "summary.md", "report.html", ".gitignore"] {
        let data = env.analysis().join("carnet-out").join(name).symlink_metadata().expect("a file");
        assert!(data.is_file(), "{name}");
    }
    assert_eq!(fs::read_to_string(&outside).expect("a file"), "unchanged");
}

#[test]
fn report_directory_that_becomes_a_link_leads_nowhere() {
    let env = TestEnv::new();
    let (outside, started, replaced) = (env.path("outside"), env.path("started"), env.path("replaced"));
    fs::create_dir(&outside).expect("a directory");
    let script = format!("touch {}; until [ -e {} ]; do sleep 0.05; done", started.display(), replaced.display());
    env.write_script("t.sh", &script);
    env.write("carnet.toml", format!("[test]\nrun = \"./t.sh\"\n{}", crate::support::env::HOST));
    let mut command = env.carnet_command(&["check"]);
    let check = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("carnet starts");
    crate::support::env::wait_until("started", || started.exists());
    let out = env.analysis().join("carnet-out");
    fs::remove_dir_all(&out).expect("removed");
    symlink(&outside, &out).expect("a link");
    fs::write(&replaced, "").expect("a file");
    let output = CommandOutput::new(&check.wait_with_output().expect("carnet ends")).assert_code(4);
    output.assert_contains(&["`carnet-out` is a symbolic link", "the analysis works in every cell that ran"]);
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
}

#[test]
fn output_files_of_ci_steps_do_not_follow_links() {
    let env = TestEnv::with_test("true");
    let outside = env.path("outside");
    fs::write(&outside, "unchanged").expect("a file");
    for name in ["plan.json", "child.yml", "carnet", "carnet.new"] {
        env.link(&outside, &format!(".carnet/{name}"));
    }
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(0);
    env.carnet(&["ci", "gitlab", "program"]).assert_code(0);
    assert_eq!(fs::read_to_string(&outside).expect("a file"), "unchanged");
    env.run(env.analysis().join(".carnet/carnet"), &["--version"]).assert_code(0);
    fs::remove_dir_all(env.analysis().join(".carnet")).expect("removed");
    env.link("..", ".carnet");
    env.carnet(&["ci", "gitlab", "plan"]).assert_code(4).assert_contains(&["`.carnet` is a symbolic link"]);
}

#[test]
fn typed_output_may_be_a_device_or_pipe() {
    let env = TestEnv::new();
    env.write("a.sh", "ls /eos/user/a/alice\n");
    let expected = env.carnet(&["scan", "--format=github"]).assert_code(1).stdout;
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert_eq!(env.carnet(&["scan", "--format=github", "-o", path]).assert_code(1).stdout, expected, "{path}");
    }
    env.carnet(&["scan", "-o", "/dev/null"]).assert_code(1);
    assert!(fs::metadata("/dev/null").expect("a device").file_type().is_char_device());
    // A file behind a descriptor is extended and not replaced.
    let output = env.bash("{ echo before; carnet scan --format=github -o /dev/stdout; } > ../both; cat ../both");
    assert_eq!(output.stdout, format!("before\n{expected}"));
    let output = env.bash("{ echo before >&9; carnet scan --format=github -o /dev/fd/9; } 9> ../both; cat ../both");
    assert_eq!(output.stdout, format!("before\n{expected}"));
    // The shell does not wait for the program that reads.
    let output = env.bash("mkfifo ../p; cat ../p & carnet scan --format=github -o ../p; wait");
    assert_eq!(output.stdout, expected);
}

#[test]
fn output_to_pipe_without_reader_is_an_error() {
    let env = TestEnv::new();
    let pipe = env.make_pipe("../pipe");
    let output = env.carnet(&["scan", "--output", pipe.to_str().expect("UTF-8")]).assert_code(4);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: no program reads the pipe `[ANALYSIS]/../pipe`
     |
     = help: start the program that reads it
    ");
}

#[test]
fn typed_output_does_not_follow_a_link_to_a_device() {
    let env = TestEnv::new();
    env.make_pipe("../pipe");
    env.link("../pipe", "out.json");
    env.link("..", "up");
    let outputs = ["out.json", "up/pipe"].map(|path| env.carnet(&["scan", "-o", path]).assert_code(4).text());
    assert_snapshot!(env.redact(&outputs.concat()), @r"
    error: refused to write to `out.json`: it is a symbolic link to a pipe, or is reached through one
     |
     = help: use the path to which the link leads
    error: refused to write to `up/pipe`: it is a symbolic link to a pipe, or is reached through one
     |
     = help: use the path to which the link leads
    ");
    // A link to a file is replaced.
    env.write("target", "unchanged");
    env.link("target", "link");
    env.carnet(&["scan", "--fail-on=never", "-o", "link"]).assert_code(0);
    assert_eq!(env.read("target"), "unchanged");
}

#[test]
fn message_names_the_output_file_and_no_temporary_file() {
    let env = TestEnv::new();
    env.write("file", "");
    let outputs = ["../nope/x", "file/x", "."].map(|path| env.carnet(&["scan", "-o", path]).assert_code(4).text());
    assert_snapshot!(env.redact(&outputs.concat()), @r"
    error: failed to write `../nope/x`: No such file or directory (os error 2)
     |
     = help: check that the directory exists and is writable, and that the disk has free space
    error: failed to write `file/x`: Not a directory (os error 20)
     |
     = help: check that the directory exists and is writable, and that the disk has free space
    error: failed to write `.`: Is a directory (os error 21)
     |
     = help: check that the directory exists and is writable, and that the disk has free space
    ");
}

#[test]
fn baseline_below_a_link_is_refused() {
    let env = TestEnv::new();
    let outside = env.path("outside");
    fs::create_dir(&outside).expect("a directory");
    env.write("carnet.toml", "[scan]\nbaseline = \"config/base.json\"\n");
    env.link(&outside, "config");
    let output = env.carnet(&["scan", "--update-baseline"]).assert_code(2);
    assert_snapshot!(env.redact(&output.text()), @r"
    error: failed to read baseline `[ANALYSIS]/config/base.json`: a symbolic link in the path leads outside the analysis
     |
     = help: replace it by a regular file, or use another one with `--baseline`
    ");
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
    // A dangling link is replaced.
    fs::remove_file(env.analysis().join("config")).expect("removed");
    env.link(outside.join("base.json"), "config/base.json");
    env.carnet(&["scan", "--update-baseline"]).assert_code(0);
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
}

#[test]
fn init_replaces_a_link() {
    let env = TestEnv::new();
    env.make_pipe("../pipe");
    env.link("../pipe", "carnet.toml");
    env.carnet(&["init", "--force"]).assert_code(0);
    assert!(env.read("carnet.toml").contains("[test]"));
}

#[test]
fn hook_is_not_installed_below_a_link() {
    let env = TestEnv::with_repository(&[("a.sh", "true\n")]);
    let outside = env.path("outside");
    fs::create_dir(&outside).expect("a directory");
    env.link(&outside, "hooks");
    for path in ["hooks", "hooks/inner"] {
        env.git(&["config", "core.hooksPath", path]).assert_code(0);
        let output = env.carnet(&["hook", "install"]).assert_code(2);
        output.assert_contains(&["leads outside the repository through a symbolic link"]);
    }
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
    env.git(&["config", "--unset", "core.hooksPath"]).assert_code(0);
    env.make_pipe(".git/hooks/pre-push");
    env.carnet(&["hook", "install"]).assert_code(4).assert_contains(&["a pipe, not a regular file"]);
}

#[test]
fn pipes_and_devices_are_not_read() {
    let mut found = String::new();
    for name in ["carnet.toml", "carnet-baseline.json"] {
        let env = TestEnv::new();
        env.make_pipe(name);
        found += &env.redact(&env.carnet(&["scan"]).assert_code(2).text());
    }
    let env = TestEnv::new();
    env.make_pipe("pipe");
    for arguments in [
        ["report", "pipe"],
        ["diff", "pipe"],
        ["diff", "/dev/zero"],
        ["report", "--plan=pipe"],
        ["scan", "--baseline=pipe"],
        ["snapshot", "oci:pipe"],
        ["snapshot", "oci-archive:pipe"],
        ["snapshot", "docker-archive:pipe"],
        ["snapshot", "docker-archive:/dev/zero"],
    ] {
        let output = env.carnet(&arguments).text();
        found += &env.redact(
            &output.lines().take(1).map(|line| format!("{}: {line}\n", arguments.join(" "))).collect::<String>(),
        );
    }
    assert_snapshot!(found, @r"
    error: failed to read `[ANALYSIS]/carnet.toml`: a pipe, not a regular file
    error: failed to read baseline `[ANALYSIS]/carnet-baseline.json`: a pipe, not a regular file
     |
     = help: replace it by a regular file, or use another one with `--baseline`
    report pipe: error: failed to read `pipe`: a pipe, not a regular file
    diff pipe: error: failed to read `pipe`: a pipe, not a regular file
    diff /dev/zero: error: failed to read `/dev/zero`: a device, not a regular file
    report --plan=pipe: error: failed to read `pipe`: a pipe, not a regular file
    scan --baseline=pipe: error: failed to read baseline `pipe`: a pipe, not a regular file
    snapshot oci:pipe: error: image `oci:pipe`: `pipe` is not an OCI image layout: it is a pipe
    snapshot oci-archive:pipe: error: image `oci-archive:pipe`: `pipe` is not an OCI image layout: it is a pipe
    snapshot docker-archive:pipe: error: image `docker-archive:pipe`: `pipe` is not an archive written by `docker save`: it is a pipe
    snapshot docker-archive:/dev/zero: error: image `docker-archive:/dev/zero`: `/dev/zero` is not an archive written by `docker save`: it is a device
    ");
}

#[test]
fn files_of_the_shell_are_read() {
    let env = TestEnv::with_test("true");
    env.carnet(&["check"]).assert_code(0);
    env.carnet(&["plan", "--format=json", "-o", "plan.json"]).assert_code(0);
    for line in [
        "carnet report <(cat carnet-out/carnet.json)",
        "carnet report /dev/stdin < carnet-out/carnet.json",
        "cat carnet-out/carnet.json | carnet report /dev/stdin --plan <(cat plan.json)",
        "carnet diff <(cat carnet-out/carnet.json) carnet-out/carnet.json",
        "carnet scan --baseline <(echo '{\"schema\":\"carnet/baseline@1\",\"findings\":[]}')",
    ] {
        env.bash(line).assert_code(0);
    }
}

#[test]
fn pipes_in_a_repository_do_not_block() {
    let mut found = String::new();
    for name in
        [".git/HEAD", ".git/index", ".git/config", ".git/objects/info/alternates", ".gitignore", ".gitattributes"]
    {
        let env = TestEnv::with_repository(&[("a.sh", "true\n"), ("test_a.sh", "#!/bin/sh\ntrue\n")]);
        let commit = env.git(&["rev-parse", "HEAD"]).stdout;
        let _ = fs::remove_file(env.analysis().join(name));
        env.make_pipe(name);
        env.make_pipe("requirements.txt");
        env.carnet(&["scan", "--fail-on=never"]).assert_code(0);
        let check = env.carnet(&["check"]).text();
        let hook = format!(
            "echo refs/heads/main {0} refs/heads/main {1} | carnet hook run pre-push",
            commit.trim(),
            "0".repeat(40)
        );
        let hook = env.bash(&hook).assert_code(0).text();
        let lines = [check.lines().next().unwrap_or_default(), hook.lines().next().unwrap_or_default()];
        found += &env.redact(&format!("{name}: {}\n", lines.join("\n    ").trim_end()));
        if name.starts_with(".git/") {
            env.carnet(&["hook", "install"]).assert_code(2);
        }
    }
    assert_snapshot!(found, @r"
    .git/HEAD: error: failed to read `[ANALYSIS]/.git/HEAD`: a pipe, not a regular file
        carnet: push not checked: git failed: `[ANALYSIS]/.git/HEAD` is a pipe or a device
    .git/index: error: failed to read `[ANALYSIS]/.git/index`: a pipe, not a regular file
        carnet: push not checked: git failed: `[ANALYSIS]/.git/index` is a pipe or a device
    .git/config: error: failed to read `[ANALYSIS]/.git/config`: a pipe, not a regular file
        carnet: push not checked: git failed: `[ANALYSIS]/.git/config` is a pipe or a device
    .git/objects/info/alternates: error: failed to read `[ANALYSIS]/.git/objects/info/alternates`: a pipe, not a regular file
        carnet: push not checked: git failed: `[ANALYSIS]/.git/objects/info/alternates` is a pipe or a device
    .gitignore: error: failed to read `[ANALYSIS]/.gitignore`: a pipe, not a regular file
    .gitattributes: error: failed to read `[ANALYSIS]/.gitattributes`: a pipe, not a regular file
    ");
}

#[test]
fn pipes_outside_a_repository_do_not_block() {
    let env = TestEnv::with_test("true");
    env.make_pipe("requirements.txt");
    env.make_pipe(".ignore");
    let output = env.carnet(&["check"]).assert_code(4);
    assert_snapshot!(env.redact(&output.text()), @r"error: failed to read `[ANALYSIS]/.ignore`: a pipe, not a regular file");
}

#[test]
fn file_size_limit_is_an_error_and_not_a_signal() {
    let env = TestEnv::with_test("ulimit -f 1; head -c 9000 /dev/zero > big; test $? = 153");
    // Programs of the analysis are killed as usual.
    env.carnet(&["check"]).assert_code(0);
    let run =
        |arguments: &str| env.redact(&env.bash(&format!("ulimit -f 4; carnet {arguments}")).assert_code(4).stderr);
    assert_snapshot!(run("scan --format=json -o out.json"), @r"
    error: failed to write `out.json`: File too large (os error 27)
     |
     = help: increase the limit on the size of files (`ulimit -f`)
    ");
    let check = run("check --fresh --quiet");
    assert!(check.contains("/carnet`: File too large") && check.contains("`ulimit -f`"), "{check}");
}
