//! The embedded engine beyond the conformance list. The tests run as the user who starts them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use carnet::engine::embedded::Embedded;
use carnet::engine::job::{Completed, Job};
use carnet::engine::{Availability, Engine as _, EngineError, ImageLocation, Opened};
use carnet::model::cell::End;
use carnet::model::contract::{Contract, Ids, Mount};
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use carnet::sys::remove::remove_tree;
use insta::assert_snapshot;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::job::shell_job;
use crate::leftovers;
use crate::nested::test_command;
use crate::support::CARNET;
use crate::support::engine::busybox;

/// An engine with a private cache and the busybox image.
struct Bench {
    dir: TempDir,
    engine: Embedded,
    image: Opened,
    runtime: Runtime,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("in")).expect("an input");
        let cache = Cache::at(dir.path().join("cache"));
        let engine = Embedded::new(cache).with_helper(CARNET.into());
        let runtime = Runtime::new().expect("a runtime");
        let image = runtime.block_on(engine.open(&busybox(), CancellationToken::new())).expect("the image opens");
        Self { dir, engine, image, runtime }
    }

    fn job(&self, script: &str) -> Job {
        shell_job(&format!("own-{}", std::process::id()), script, &self.path("in"))
    }

    fn run_in(&self, image: &Opened, job: &Job) -> Result<Completed, EngineError> {
        let (lines, _) = tokio::sync::mpsc::unbounded_channel();
        let done = self.runtime.block_on(self.engine.run(image, job, lines, CancellationToken::new()));
        let runs: Vec<_> = fs::read_dir(self.path("cache/runs")).into_iter().flatten().collect();
        assert!(runs.is_empty(), "leftovers of the run: {runs:?}");
        done
    }

    #[track_caller]
    fn prints(&self, image: &Opened, job: &Job, expected: &str) {
        let done = self.run_in(image, job).unwrap_or_else(|e| panic!("{}", carnet::error::chain(&e)));
        assert_eq!((done.end, done.output.text.trim_end()), (End::Exit { code: 0 }, expected));
    }

    #[track_caller]
    fn fails(&self, image: &Opened, job: &Job) -> String {
        let error = carnet::error::chain(&self.run_in(image, job).expect_err("a failure"));
        error.replace(&busybox().to_string(), "[IMAGE]")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        remove_tree(&self.path("cache")).expect("the cache can be removed by its owner");
    }
}

fn engine_is_available_with_overlays() {
    let bench = Bench::new();
    let Availability::Ready(text) = bench.runtime.block_on(bench.engine.detect()) else {
        panic!("the engine is not available")
    };
    let user = if nix::unistd::geteuid().is_root() { "root" } else { "an ordinary user" };
    assert_snapshot!(text.replace(user, "[USER]"), @"kernel namespaces as [USER], with overlays");
}

fn engine_is_unavailable_if_its_helper_does_not_answer() {
    let engine = Embedded::new(Cache::at(PathBuf::from("/nonexistent"))).with_helper(PathBuf::from("/bin/true"));
    let Availability::Missing { reason, hint } = Runtime::new().expect("a runtime").block_on(engine.detect()) else {
        panic!("the engine is available")
    };
    assert_snapshot!(format!("{reason}\nhint: {hint}"), @"
    the probe ended without a report
    hint: run `carnet doctor` again with RUST_BACKTRACE=1
    ");
}

fn program_has_no_privileges() {
    let bench = Bench::new();
    let script = "grep -e NoNewPrivs -e CapInh -e CapAmb /proc/self/status
        (echo 1 > /proc/sys/kernel/core_uses_pid) 2>/dev/null || echo read-only
        (mount -t tmpfs x /tmp) 2>/dev/null || echo no mount
        echo $$";
    let done = bench.run_in(&bench.image, &bench.job(script)).expect("the program runs");
    assert_snapshot!(done.output.text, @"
    CapInh:	0000000000000000
    CapAmb:	0000000000000000
    NoNewPrivs:	1
    read-only
    no mount
    2
    ");
}

/// The capabilities are a subset of those that Docker gives a container.
fn program_has_no_more_capabilities_than_in_docker() {
    const DOCKER: u64 = 0xa804_25fb;
    let bench = Bench::new();
    let script = "grep CapBnd /proc/self/status | cut -f 2";
    let done = bench.run_in(&bench.image, &bench.job(script)).expect("the program runs");
    let capabilities = u64::from_str_radix(done.output.text.trim(), 16).expect("a number");
    assert_eq!(capabilities & !DOCKER, 0, "{capabilities:x}");
}

fn program_does_not_inherit_open_files() {
    let bench = Bench::new();
    let root = rustix::fs::open("/", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).expect("a directory");
    assert!(rustix::io::fcntl_getfd(&root).expect("flags").is_empty(), "started programs inherit the file");
    let script = "cd /proc/self/fd; for fd in *; do [ $fd -gt 2 ] && [ -d $fd/ ] && ls -d $fd/*; done; true";
    bench.prints(&bench.image, &bench.job(script), "");
}

/// Root may create device files, as in a container of Docker, but can't use them.
fn created_devices_do_not_work() {
    let bench = Bench::new();
    let script = "for d in / /dev /dev/shm /tmp /carnet/box; do
            mknod $d/made c 1 5 2>/dev/null; (head -c 1 $d/made) 2>/dev/null | wc -c | grep -q 1 && echo $d works; done; true";
    bench.prints(&bench.image, &bench.job(script), "");
}

fn usual_devices_exist() {
    let bench = Bench::new();
    let script = "set -e; echo gone > /dev/null; head -c 8 /dev/urandom | wc -c; head -c 3 /dev/zero | wc -c
        (echo x > /dev/full) 2>/dev/null || echo full; echo x > /dev/shm/x; cat /dev/shm/x; echo err > /dev/stderr
        ls /dev | grep -v -e '^tty$' -e ptmx -e pts | tr '\n' ' '; test -e /sys/kernel; grep -c localhost /etc/hosts";
    let listing = "fd full null random shm stderr stdin stdout urandom zero";
    bench.prints(&bench.image, &bench.job(script), &format!("8\n3\nfull\nx\nerr\n{listing} 2"));
}

fn user_and_entrypoint_of_the_image_apply() {
    let bench = Bench::new();
    let mut image = bench.image.clone();
    image.identity.config.entrypoint =
        ["/bin/sh", "-c", "echo entered; exec \"$@\"", "e"].map(ToOwned::to_owned).into();
    image.identity.config.user = "1234:77".to_owned();
    let mut job = bench.job("id -u; id -g; id -G; echo $HOME; touch /carnet/box/x && stat -c %u:%g /carnet/box/x");
    job.contract.entrypoint = true;
    bench.prints(&image, &job, "entered\n1234\n77\n77\n/\n1234:77");
    image.identity.config.user = "somebody".to_owned();
    assert_snapshot!(bench.fails(&image, &job), @"image `[IMAGE]`: user `somebody` of the image is not in its /etc/passwd");
}

fn missing_and_invalid_directories_are_reported() {
    let bench = Bench::new();
    let mut job = bench.job("true");
    job.contract.mounts =
        vec![Mount { source: "/no/such/source".to_owned(), target: "/data".to_owned(), writable: false }];
    assert_snapshot!(bench.fails(&bench.image, &job), @"embedded: mounting `/no/such/source` failed: No such file or directory (os error 2)");
    job.contract.mounts[0] = Mount { source: "/".to_owned(), target: "data".to_owned(), writable: false };
    assert_snapshot!(bench.fails(&bench.image, &job), @"embedded: mounting `/` failed: the target `data` is not absolute");
    let mut job = bench.job("true");
    job.contract.workdir = Some("/etc/passwd".to_owned());
    assert_snapshot!(bench.fails(&bench.image, &job), @"embedded: creating the working directory `/etc/passwd` failed: Not a directory (os error 20)");
}

/// The mount points of the image are links to a directory of this machine.
fn mount_points_that_are_links_stay_inside_the_image() {
    let bench = Bench::new();
    // Not in /tmp, which the /tmp of the run would hide.
    let target = tempfile::tempdir_in("/var/tmp").expect("a directory");
    let (tree, outside) = (bench.path("tree"), target.path().to_owned());
    let ImageLocation::Trees(trees) = &bench.image.location else { panic!("trees") };
    fs::write(outside.join("file"), "untouched").expect("a file");
    for name in ["carnet", "tmp", "proc", "dev", "sys", "home", "data", "etc/hosts"] {
        let copied = Command::new("cp").arg("-a").args([&trees[0], &tree]).status().expect("cp runs");
        assert!(copied.success());
        remove_tree(&tree.join(name)).expect("removed");
        let target = if name == "etc/hosts" { outside.join("file") } else { outside.clone() };
        symlink(target, tree.join(name)).expect("a link");
        let image = bench.runtime.block_on(bench.engine.open(&Reference::Tree(tree.clone()), CancellationToken::new()));
        let mut job = bench.job("for d in /carnet/box $HOME /tmp .; do echo x > $d/x; done; echo ran");
        job.contract.home = Some("/home/deep/in".to_owned());
        job.contract.workdir = Some("/data/work".to_owned());
        let done = bench.run_in(&image.expect("the tree opens"), &job);
        let done = done.unwrap_or_else(|e| panic!("{name}: {}", carnet::error::chain(&e)));
        assert_eq!((done.output.text.trim_end(), done.end), ("ran", End::Exit { code: 0 }), "{name}");
        let names: Vec<_> =
            fs::read_dir(&outside).expect("the directory exists").map(|e| e.expect("an entry").file_name()).collect();
        assert_eq!(names, ["file"], "{name}");
        assert_eq!(fs::read_to_string(outside.join("file")).expect("the file exists"), "untouched", "{name}");
        remove_tree(&tree).expect("removed");
    }
}

fn saved_state_can_be_the_base_of_another() {
    let bench = Bench::new();
    let contract = Contract {
        user: Some(Ids { uid: 1000, gid: 1000 }),
        home: Some("/new/home".to_owned()),
        read_only: true,
        ..Contract::default()
    };
    let keep = |base: &Opened, script: &str| {
        let job = Job { save_as: Some("k1".to_owned()), contract: contract.clone(), ..bench.job(script) };
        let done = bench.run_in(base, &job).expect("the program runs");
        assert_eq!(done.end, End::Exit { code: 0 }, "{}", done.output.text);
        done.saved_state.expect("the state is saved")
    };
    let first = keep(&bench.image, "echo 1 > /carnet/box/a; echo 1 > $HOME/a");
    let second = keep(&first, "echo 2 > /carnet/box/b; echo 2 > $HOME/b; rm /carnet/box/a");
    let found = bench
        .runtime
        .block_on(bench.engine.saved_state(&first, "k1"))
        .expect("the lookup succeeds")
        .expect("the state exists");
    assert_eq!(found.location, second.location);
    let job = Job { contract, ..bench.job("ls /carnet/box $HOME | tr '\n' ' '; echo 3 > $HOME/c && cat $HOME/?") };
    bench.prints(&second, &job, "/carnet/box: b  /new/home: a b 1\n2\n3");
    let error = bench.runtime.block_on(bench.engine.saved_state(&first, "../x")).expect_err("the key is invalid");
    assert_snapshot!(carnet::error::chain(&error), @"embedded: naming the saved state failed: invalid key `../x`");
}

fn sweep_removes_only_runs_without_a_living_owner() {
    let bench = Bench::new();
    let runs = bench.path("cache/runs");
    fs::create_dir_all(runs.join("dead/work/work")).expect("directories");
    fs::write(runs.join("dead.lock"), "").expect("a lock file");
    fs::write(runs.join("dead/groups"), "/sys/fs/cgroup/../../etc\n/etc\nnonsense\n").expect("a record");
    fs::create_dir_all(runs.join("older")).expect("a directory");
    fs::create_dir_all(runs.join("alive")).expect("a directory");
    let lock = carnet::sys::lock::Lock::try_take(&runs.join("alive.lock")).expect("a lock").expect("the lock is free");
    assert_eq!(bench.engine.sweep().expect("the sweep succeeds"), ["dead", "older"]);
    let mut left = leftovers::names(&runs);
    left.sort();
    assert_eq!(left, ["alive", "alive.lock"]);
    drop(lock);
    assert_eq!(bench.engine.sweep().expect("the sweep succeeds"), ["alive"]);
}

fn killed_engine_leaves_nothing() {
    let bench = Bench::new();
    let mark = format!("killed-{}", std::process::id());
    let mut engine = test_command("embedded::runs_until_killed");
    engine.args(["--ignored"]).env("CARNET_TEST_HOST", bench.dir.path()).env("CARNET_TEST_MARK", &mark);
    let mut engine = engine.stdout(Stdio::piped()).spawn().expect("the test starts");
    let mut lines = BufReader::new(engine.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "started")), "the run starts");
    assert!(bench.path("cache/runs").join(&mark).exists());
    engine.kill().expect("a signal");
    engine.wait().expect("the process ends");
    let search = || {
        let runs = leftovers::entries(&bench.path("cache/runs"), "");
        [leftovers::processes(&mark), runs, leftovers::control_groups(&mark)].concat()
    };
    assert_eq!(bench.runtime.block_on(leftovers::wait_until_gone(search)), Vec::<String>::new());
}

#[expect(clippy::print_stdout, reason = "the test that kills this process waits for the line")]
fn runs_until_killed() {
    let dir = PathBuf::from(std::env::var_os("CARNET_TEST_HOST").expect("a directory"));
    let mark = std::env::var("CARNET_TEST_MARK").expect("a mark");
    let engine = Embedded::new(Cache::at(dir.join("cache"))).with_helper(CARNET.into());
    // The detached program prints the line, so it exists when this process is killed.
    let script = "sh -c 'sleep 100; true' $0 &
        (setsid sh -c 'trap \"\" TERM HUP; echo started; while :; do sleep 1; done' $0 &); wait";
    let contract = Contract { pids: Some(50), memory: Some(64 << 20), ..Contract::default() };
    let job = Job { contract, ..shell_job(&mark, script, &dir.join("in")) };
    Runtime::new().expect("a runtime").block_on(async {
        let image = engine.open(&busybox(), CancellationToken::new()).await.expect("the image opens");
        let (lines, mut received) = tokio::sync::mpsc::unbounded_channel();
        let show = async {
            while let Some(line) = received.recv().await {
                println!("{line}");
            }
        };
        let (outcome, ()) = tokio::join!(engine.run(&image, &job, lines, CancellationToken::new()), show);
        panic!("the run ended before this process was killed: {outcome:?}");
    });
}

crate::support::harness::register!(
    [Image("busybox")]:
    engine_is_available_with_overlays,
    engine_is_unavailable_if_its_helper_does_not_answer,
    program_has_no_privileges,
    program_has_no_more_capabilities_than_in_docker,
    program_does_not_inherit_open_files,
    created_devices_do_not_work,
    usual_devices_exist,
    user_and_entrypoint_of_the_image_apply,
    missing_and_invalid_directories_are_reported,
    mount_points_that_are_links_stay_inside_the_image,
    saved_state_can_be_the_base_of_another,
    sweep_removes_only_runs_without_a_living_owner,
    killed_engine_leaves_nothing,
);

crate::support::harness::register!(
    [OnRequest("`killed_engine_leaves_nothing` starts it")]:
    runs_until_killed,
);
