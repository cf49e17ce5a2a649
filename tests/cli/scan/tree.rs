//! Directory trees with links, pipes, unreadable files and unusual file names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;

use insta::assert_snapshot;

use crate::scan::findings::{FLAGGED, NEIGHBOR, paths, summary};
use crate::support::program::install;
use crate::support::{CARNET, CommandOutput, TestEnv};

#[test]
fn scan_does_not_open_pipes_and_sockets() {
    let env = TestEnv::new();
    env.make_pipe("pipe.py");
    env.make_pipe(".gitignore");
    let _socket = UnixListener::bind(env.analysis().join("socket.sh")).expect("a socket");
    let scan = env.assert_scan_completes();
    assert_eq!(scan["files"]["skipped"], 3);
}

#[test]
fn scan_never_follows_symlinks() {
    let env = TestEnv::new();
    let outside = env.path("outside.sh");
    fs::write(&outside, FLAGGED).expect("a file");
    fs::create_dir(env.analysis().join("dir")).expect("a directory");
    for (target, link) in [
        (outside.to_str().expect("UTF-8"), "a.sh"),
        ("/", "root"),
        ("..", "dir/up"),
        (".", "dir/here"),
        ("loop", "loop"),
        ("/dev/zero", "zero.py"),
        ("/etc/passwd", "requirements.txt"),
        ("../dir", "dir/again"),
        ("gone", "gone.py"),
        ("/etc/passwd", ".gitmodules"),
    ] {
        symlink(target, env.analysis().join(link)).expect("a link");
    }
    let scan = env.assert_scan_completes();
    assert_eq!(scan["files"]["scanned"], 1, "{} {}", scan["findings"], scan["notes"]);
    assert_snapshot!(summary(&scan), @"
    .gitmodules: warning[link-out]
    a.sh: error[link-out]
    neighbor.sh:2: error[home-path]
    requirements.txt: warning[link-out]
    root: error[link-out]
    zero.py: warning[link-out]
    ");
}

#[test]
fn scan_reports_file_names_with_special_characters() {
    let env = TestEnv::new();
    let names: [&[u8]; 7] = [
        b"new\nline.sh",
        b"\n::error file=x::owned.sh",
        b"esc\x1b[31m.sh",
        b"quote\"'<&>]]>.sh",
        b"no\xff.sh",
        "right\u{202e}to.sh".as_bytes(),
        b"| a | b |`x`.sh",
    ];
    for name in names {
        fs::write(env.analysis().join(OsStr::from_bytes(name)), FLAGGED).expect("a file");
    }
    let scan = env.assert_scan_completes();
    let expected = [
        "\n::error file=x::owned.sh",
        "esc\x1b[31m.sh",
        NEIGHBOR,
        "new\nline.sh",
        "quote\"'<&>]]>.sh",
        "right\u{202e}to.sh",
        "| a | b |`x`.sh",
    ];
    assert_eq!(paths(&scan), expected);
    assert_eq!(scan["files"]["skipped"], 1, "a name that is not UTF-8");
    let output = env.carnet(&["scan", "--format", "github"]).assert_code(1);
    let files: Vec<&str> = output.stdout.lines().filter_map(|line| line.split(",line=").next()).collect();
    assert_snapshot!(files.join("\n").replace('\u{202e}', "[RLO]"), @r#"
    ::error file=%0A%3A%3Aerror file=x%3A%3Aowned.sh
    ::error file=esc�[31m.sh
    ::error file=neighbor.sh
    ::error file=new%0Aline.sh
    ::error file=quote"'<&>]]>.sh
    ::error file=right[RLO]to.sh
    ::error file=| a | b |`x`.sh
    ::notice title=carnet%3A missing-tests::Repository has no tests. Help: add a test that processes a few events, or set `[test] run` in carnet.toml.
    "#);
}

#[test]
fn scan_notes_unreadable_files_and_directories() {
    let env = TestEnv::new();
    env.write(NEIGHBOR, FLAGGED);
    env.write("closed.sh", FLAGGED);
    env.write("dir/inside.sh", FLAGGED);
    let set_mode = |path: &str, mode| {
        fs::set_permissions(env.analysis().join(path), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let mut command = env.carnet_command(&["scan", "--format", "json"]);
    // Root can read every file, so another user scans.
    if rustix::process::geteuid().is_root() {
        // The other user may not have access to the target directory.
        let copy = env.path("carnet");
        install(CARNET.as_ref(), &copy);
        command = std::process::Command::new(copy);
        command.args(["scan", "--format", "json"]).current_dir(env.analysis()).env_clear().uid(65_534).gid(65_534);
        set_mode("..", 0o755);
    }
    set_mode("closed.sh", 0);
    set_mode("dir", 0);
    let output = CommandOutput::run(&mut command);
    set_mode("dir", 0o755);
    let scan = serde_json::from_str(&output.assert_code(1).stdout).expect("JSON");
    assert_snapshot!(summary(&scan), @"
    neighbor.sh:2: error[home-path]
    closed.sh: failed to read file: Permission denied (os error 13)
    dir: failed to read: Permission denied (os error 13)
    ");
}

#[test]
fn scan_requires_a_directory() {
    let env = TestEnv::new();
    env.write("file", "");
    let outputs = ["gone", "file", "/dev/null", ""].map(|path| {
        let output = env.carnet(&["scan", path]);
        format!("scan '{path}': exit code {}\n{}", output.code, output.text())
    });
    assert_snapshot!(outputs.concat(), @"
    scan 'gone': exit code 2
    error: `gone` is not a directory
     |
     = help: pass the directory of the analysis
    scan 'file': exit code 2
    error: `file` is not a directory
     |
     = help: pass the directory of the analysis
    scan '/dev/null': exit code 2
    error: `/dev/null` is not a directory
     |
     = help: pass the directory of the analysis
    scan '': exit code 2
    error: a value is required for '[PATH]' but none was supplied

    For more information, try '--help'.
    ");
}
