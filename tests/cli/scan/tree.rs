//! What may lie in a tree besides files with proper names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;

use serde_json::Value;

use crate::scan::findings::{FLAGGED, NEIGHBOUR, notes, paths};
use crate::support::{CARNET, CommandOutput, TestEnv};

#[test]
fn pipes_and_sockets_are_not_opened() {
    let env = TestEnv::new();
    let mode = rustix::fs::Mode::from_raw_mode(0o644);
    rustix::fs::mknodat(rustix::fs::CWD, env.analysis().join("pipe.py"), rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    rustix::fs::mknodat(rustix::fs::CWD, env.analysis().join(".gitignore"), rustix::fs::FileType::Fifo, mode, 0)
        .expect("a pipe");
    let _socket = UnixListener::bind(env.analysis().join("socket.sh")).expect("a socket");
    let scan = env.assert_scan_completes();
    assert_eq!(scan["files"]["skipped"], 3);
}

#[test]
fn links_are_never_followed() {
    let env = TestEnv::new();
    let outside = env.analysis().join("../outside.sh");
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
    assert!(!scan.to_string().contains("root:x:"), "{} {}", scan["findings"], scan["notes"]);
}

#[test]
fn names_of_any_bytes_stay_names() {
    let env = TestEnv::new();
    let odd: [&[u8]; 7] = [
        b"new\nline.sh",
        b"\n::error file=x::owned.sh",
        b"esc\x1b[31m.sh",
        b"quote\"'<&>]]>.sh",
        b"no\xff.sh",
        "right\u{202e}to.sh".as_bytes(),
        b"| a | b |`x`.sh",
    ];
    for name in odd {
        fs::write(env.analysis().join(OsStr::from_bytes(name)), FLAGGED).expect("a file");
    }
    let scan = env.assert_scan_completes();
    assert!(paths(&scan).contains(&"new\nline.sh"), "{} {}", scan["findings"], scan["notes"]);
    assert_eq!(scan["files"]["skipped"], 1, "the one that is no UTF-8");
    let said = env.carnet(&["scan", "--format", "github"]).assert_code(1);
    assert!(!said.stdout.lines().any(|line| line.starts_with("::error file=x::")), "{}", said.stdout);
}

/// As somebody who is not allowed to read, which root always is.
#[test]
fn what_may_not_be_read_is_noted() {
    let env = TestEnv::new();
    env.write(NEIGHBOUR, FLAGGED);
    env.write("closed.sh", FLAGGED);
    env.write("dir/inside.sh", FLAGGED);
    let close = |path: &str, mode| {
        fs::set_permissions(env.analysis().join(path), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let mut command = env.carnet_command(&["scan", "--format", "json"]);
    if rustix::process::geteuid().is_root() {
        // The binary may lie where nobody else may go.
        let copy = env.analysis().parent().expect("a parent").join("carnet");
        crate::support::program::install(std::path::Path::new(CARNET), &copy);
        command = std::process::Command::new(copy);
        command.args(["scan", "--format", "json"]).current_dir(env.analysis()).env_clear().uid(65_534).gid(65_534);
        close("..", 0o755);
    }
    close("closed.sh", 0);
    close("dir", 0);
    let said = CommandOutput::new(&command.output().expect("it starts"));
    close("dir", 0o755);
    let said = said.assert_code(1);
    let scan: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(paths(&scan), [NEIGHBOUR], "{} {}", scan["findings"], scan["notes"]);
    for path in ["closed.sh", "dir"] {
        assert!(notes(&scan, path)[0].contains("can't be read"), "{} {}", scan["findings"], scan["notes"]);
    }
}

#[test]
fn what_is_no_directory_is_refused() {
    let env = TestEnv::new();
    env.write("file", "");
    for path in ["gone", "file", "/dev/null", ""] {
        let said = env.carnet(&["scan", path]);
        assert!(
            matches!(said.code, 2..=4) && said.stderr.starts_with("error: "),
            "{path}: {} {}",
            said.code,
            said.stderr
        );
    }
}
