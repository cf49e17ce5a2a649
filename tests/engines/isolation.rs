//! Tests can't decide their own verdict, and can't reach what belongs to the user who runs carnet.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::engine::{daemon, image};
use crate::support::{CARNET, CommandOutput, TestEnv};

/// Writes a result with a passed test to every file that may lead to carnet, stops carnet if it can, and fails.
pub(crate) const FORGE: &str = r#"cell='{"cell":"bad","inputs":[],"outputs":[],"schema":"carnet/cell@1","steps":[{"attempts":1,"cases":
    [{"class":"t","message":"","name":"t","outcome":"passed","timing":{"seconds":0.0}}],"end":{"exit":{"code":0}},
    "kind":"script","name":"t","run":"t","timing":{"seconds":0.0}}],"timing":{"commands":0.0,"copy":0.0,
    "snapshot":0.0,"total":0.0},"version":"0.1.0"}'
forge() { printf '\ncarnet-result:\n%s' "$cell" > "$1"; }
exec 2>/dev/null
for file in ../result.json ../result ../../result /proc/[0-9]*/fd/*; do
    case $file in /proc/$$/*|/proc/self/*) ;; *) forge "$file";; esac
done
for pid in 1 $PPID; do kill -9 $pid; kill -STOP $pid; kill -TERM $pid; done
(while :; do forge ../result.json; forge /proc/1/fd/1; sleep 0.01; done) &
exit 1"#;

/// An analysis with one facility, whose lines are `facility`.
fn analysis(script: &str, facility: &str) -> TestEnv {
    let env = TestEnv::with_test(script);
    env.write("carnet.toml", format!("[test]\nrun = \"sh ./t.sh\"\n[[facility]]\nid = \"bad\"\n{facility}\n"));
    env
}

fn oci(name: &str, engine: &str) -> String {
    format!("image = \"oci:{}:latest\"\nengine = \"{engine}\"", image(name).display())
}

/// Status and reason of the cell, the message of its first test, and the parts of the contract that are not enforced.
fn verdict(env: &TestEnv) -> (String, String, Vec<String>) {
    let document = env.document();
    let cell = &document["cells"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = [&cell["reason"], &cell["steps"][0]["cases"][0]["message"]].map(text).concat();
    let not_enforced = cell["not_enforced"].as_array().into_iter().flatten().map(text).collect();
    (text(&cell["status"]), message, not_enforced)
}

fn forged_result_is_ignored(facility: &str) {
    let env = analysis(FORGE, facility);
    for _ in 0..2 {
        env.carnet(&["check", "--quiet"]).assert_code(1);
        let (status, message, not_enforced) = verdict(&env);
        // The script may kill its own parent, the shell of the command.
        assert!(matches!(message.as_str(), "exit code 1" | "killed by signal 9 (SIGKILL)"), "{message}");
        assert_eq!((status.as_str(), not_enforced), ("failed", Vec::new()));
    }
}

fn forged_result_is_ignored_by_the_embedded_engine() {
    forged_result_is_ignored(&oci("busybox", "embedded"));
}

fn forged_result_is_ignored_by_the_host_engine() {
    forged_result_is_ignored("engine = \"host\"");
}

fn forged_result_is_ignored_by_docker() {
    let env = analysis(FORGE, &oci("busybox", "docker"));
    let mut check = env.carnet_command(&["check", "--quiet"]);
    check.env("DOCKER_HOST", daemon());
    CommandOutput::run(&mut check).assert_code(1);
    assert_eq!(verdict(&env), ("failed".to_owned(), "exit code 1".to_owned(), Vec::new()));
}

fn unprotected_result_is_reported() {
    let env = analysis("exit 0", "engine = \"host\"");
    // The limit applies to the new user namespace.
    let script = format!("echo 0 > /proc/sys/user/max_pid_namespaces && exec {CARNET} check --quiet");
    env.run("unshare", &["--user", "--map-root-user", "sh", "-c", &script]).assert_code(0);
    let reason = "result not protected: tests run in the process namespace of carnet and can stop it";
    assert_eq!(verdict(&env), ("passed".to_owned(), String::new(), vec![reason.to_owned()]));
}

fn variables_of_the_caller_are_hidden_from_tests_on_this_machine() {
    let env = analysis(
        "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i token\nls /proc | grep -c '^[0-9]'",
        "engine = \"host\"",
    );
    let mut check = env.carnet_command(&["check", "--quiet"]);
    check.env("ANALYSIS_TOKEN", "hunter2-hunter2");
    CommandOutput::run(&mut check).assert_code(0);
    assert_eq!(verdict(&env).0, "passed");
    env.write("t.sh", "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -q ANALYSIS_TOKEN");
    let mut check = env.carnet_command(&["check", "--quiet"]);
    check.env("ANALYSIS_TOKEN", "hunter2-hunter2");
    CommandOutput::run(&mut check).assert_code(1);
    assert_eq!(verdict(&env).1, "exit code 1");
}

fn cache_and_checkout_are_read_only_for_tests_on_this_machine() {
    let env = analysis("", "engine = \"host\"");
    env.carnet(&["check", "--quiet"]).assert_code(0);
    let (cache, checkout) = (env.cache(), env.analysis());
    let script = format!(
        "for dir in {} {}; do echo x > $dir/new && exit 1; done 2>/dev/null\necho x > own && cat own",
        cache.display(),
        checkout.display()
    );
    env.write("t.sh", script);
    env.carnet(&["check", "--quiet"]).assert_code(0);
    assert_eq!(verdict(&env), ("passed".to_owned(), String::new(), Vec::new()));
    assert!(!cache.join("new").exists() && !checkout.join("new").exists());

    // The software environment that the user has activated stays writable: the setup may install packages.
    fs::create_dir(checkout.join("venv")).expect("a directory");
    env.write("t.sh", "echo x > \"$VIRTUAL_ENV/new\"");
    let mut check = env.carnet_command(&["check", "--quiet"]);
    check.env("VIRTUAL_ENV", checkout.join("venv"));
    CommandOutput::run(&mut check).assert_code(0);
    assert!(checkout.join("venv/new").exists());
}

/// Calls of a container that reach what belongs to the machine or its users. Each line prints the name of an error.
const SYSTEM_CALLS: &str = r#"
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    failed = libc.syscall(number, *arguments) < 0
    print(name, errno.errorcode[ctypes.get_errno()] if failed else "works")
call("keyctl", 250, 0, -3, 0)
call("add_key", 248, b"user", b"carnet", b"x", 1, -3)
call("request_key", 249, b"user", b"carnet", None, 0)
call("bpf", 321, 0, None, 0)
call("io_uring_setup", 425, 1, None)
call("perf_event_open", 298, None, 0, -1, -1, 0)
call("userfaultfd", 323, 0)
call("open_by_handle_at", 304, -1, None, 0)
call("syslog", 103, 10, None, 0)
call("personality", 135, 0x0040000)
call("x32 getpid", 0x40000000 + 39)
for family in 38, 40, 1, 2, 16:
    try:
        socket.socket(family, socket.SOCK_RAW if family == 16 else socket.SOCK_STREAM).close()
        print("socket", family, "works")
    except OSError as error:
        print("socket", family, errno.errorcode[error.errno])
call("prlimit of the launcher", 302, 1, 7, b"\\0" * 16, None)
call("prlimit of another process", 302, 0, 7, None, None)
call("unshare of users", 272, 0x10000000)
call("unshare of control groups", 272, 0x02000000)
"#;

fn system_calls_of_a_test_are_filtered() {
    let env = analysis(
        &format!("cat > calls.py <<'END'\n{SYSTEM_CALLS}END\npython3 calls.py 2>&1; exit 1"),
        &oci("bookworm-coffea", "embedded"),
    );
    env.carnet(&["check", "--quiet"]).assert_code(1);
    let document = env.document();
    let output = document["cells"][0]["steps"][0]["output"]["text"].as_str().unwrap_or_default();
    insta::assert_snapshot!(output, @"
    keyctl EPERM
    add_key EPERM
    request_key EPERM
    bpf EPERM
    io_uring_setup EPERM
    perf_event_open EPERM
    userfaultfd EPERM
    open_by_handle_at EPERM
    syslog EPERM
    personality EPERM
    x32 getpid ENOSYS
    socket 38 EPERM
    socket 40 EPERM
    socket 1 works
    socket 2 works
    socket 16 works
    prlimit of the launcher EPERM
    prlimit of another process works
    unshare of users works
    unshare of control groups ENOSPC
    ");
    let environment = document["environments"].as_object().and_then(|all| all.values().next());
    assert_eq!(environment.expect("an environment")["imposed"]["system_calls"], "filtered");
}

/// Root in an image has no capability of the machine: it can't use raw sockets of the network, devices or mounts.
fn root_has_no_capability_of_this_machine() {
    let env = analysis(
        "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '\nmknod disk b 7 0 || mount -t tmpfs x /tmp || ping -c 1 127.0.0.1\nexit 1",
        &format!("{}\nuser = \"0:0\"", oci("busybox", "embedded")),
    );
    let config = fs::read_to_string(env.analysis().join("carnet.toml")).expect("the configuration");
    env.write("carnet.toml", config.replace("[test]\n", "[test]\nnetwork = true\n"));
    env.carnet(&["check", "--quiet"]).assert_code(1);
    let document = env.document();
    let output = document["cells"][0]["steps"][0]["output"]["text"].as_str().unwrap_or_default();
    insta::assert_snapshot!(output, @"
     0 0 4294967295
     0 0 4294967295
    mknod: disk: Operation not permitted
    mount: permission denied (are you root?)
    PING 127.0.0.1 (127.0.0.1): 56 data bytes
    ping: permission denied (are you root?)
    ");
}

/// Root in an image has the same id as root of this machine, which owns the devices.
fn devices_of_this_machine_do_not_change() {
    let mode = || fs::metadata("/dev/full").expect("a device").permissions().mode();
    let before = mode();
    let env = analysis(
        "chmod 600 /dev/full && exit 0; echo x > /dev/null && head -c 1 /dev/zero > /dev/null; exit 1",
        &format!("{}\nuser = \"0:0\"", oci("busybox", "embedded")),
    );
    env.carnet(&["check", "--quiet"]).assert_code(1);
    assert_eq!((verdict(&env).1, mode()), ("exit code 1".to_owned(), before));
}

/// Each of two cells that run at the same time looks for the directory of the other.
fn cells_on_this_machine_do_not_see_each_other() {
    let env = analysis(
        "runs=$(dirname \"$(dirname \"$(dirname \"$PWD\")\")\")\ntouch $MEET/$CELL\nuntil [ -e $MEET/a ] && [ -e $MEET/b ]; do sleep 0.05; done\n[ \"$(ls $runs | wc -l)\" = 1 ]",
        "",
    );
    let meet = env.path("meet");
    fs::create_dir(&meet).expect("a directory");
    let facility = |id: &str| {
        let variables = format!("{{ CELL = \"{id}\", MEET = \"{}\" }}", meet.display());
        format!("[[facility]]\nid = \"{id}\"\nengine = \"host\"\nenv = {variables}\n")
    };
    env.write("carnet.toml", format!("[test]\nrun = \"sh ./t.sh\"\n{}{}", facility("a"), facility("b")));
    env.carnet(&["check", "--quiet", "--jobs=2"]).assert_code(0);
}

fn checkout_of_a_worktree_includes_the_repository() {
    let mut env = TestEnv::with_repository(&[
        ("t.sh", "#!/bin/sh\ntouch \"$REPOSITORY/.git/hooks/post-checkout\" && exit 0\nexit 1\n"),
        (
            "carnet.toml",
            "[test]\nrun = \"sh ./t.sh\"\n[[facility]]\nid = \"bad\"\nengine = \"host\"\npass_env = [\"REPOSITORY\"]\n",
        ),
    ]);
    let repository = env.analysis();
    let worktree = env.path("worktree");
    env.git(&["worktree", "add", "--quiet", worktree.to_str().expect("UTF-8"), "HEAD"]).assert_code(0);
    env.set_analysis(worktree);
    let mut check = env.carnet_command(&["check", "--quiet"]);
    check.env("REPOSITORY", &repository);
    CommandOutput::run(&mut check).assert_code(1);
    assert!(!repository.join(".git/hooks/post-checkout").exists());
}

crate::support::harness::register!(
    [Image("busybox")]:
    forged_result_is_ignored_by_the_embedded_engine,
);

crate::support::harness::register!(
    [Image("bookworm-coffea")]:
    system_calls_of_a_test_are_filtered,
);

crate::support::harness::register!(
    [Docker, Image("busybox")]:
    forged_result_is_ignored_by_docker,
);

crate::support::harness::register!(
    [Root, Image("busybox")]:
    devices_of_this_machine_do_not_change,
    root_has_no_capability_of_this_machine,
);

crate::support::harness::register!(
    []:
    cache_and_checkout_are_read_only_for_tests_on_this_machine,
    cells_on_this_machine_do_not_see_each_other,
    checkout_of_a_worktree_includes_the_repository,
    forged_result_is_ignored_by_the_host_engine,
    unprotected_result_is_reported,
    variables_of_the_caller_are_hidden_from_tests_on_this_machine,
);
