//! What the engine without a daemon does beyond the list that all engines pass. The tests run as whoever starts them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use carnet::engine::embedded::Embedded;
use carnet::engine::job::{Completed, Job};
use carnet::engine::{Availability, Engine as _, EngineError, ImageLocation, Opened};
use carnet::model::cell::End;
use carnet::model::contract::{Contract, Ids, Mount};
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use carnet::sys::remove::remove_tree;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// An engine with a cache of its own, and the busybox image in it.
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
        let engine = Embedded::new(cache).with_helper(PathBuf::from(env!("CARGO_BIN_EXE_carnet")));
        let runtime = Runtime::new().expect("a runtime");
        let image = runtime.block_on(engine.open(&busybox(), CancellationToken::new())).expect("the image opens");
        Self { dir, engine, image, runtime }
    }

    fn job(&self, script: &str) -> Job {
        Job {
            id: format!("own-{}", std::process::id()),
            argv: ["/bin/sh", "-c", script].map(ToOwned::to_owned).into(),
            input: self.dir.path().join("in"),
            result: None,
            result_cap: 1000,
            contract: Contract::default(),
            env: BTreeMap::new(),
            network: false,
            timeout: Duration::from_secs(30),
            output_cap: 1 << 16,
            save_as: None,
        }
    }

    fn run_in(&self, image: &Opened, job: &Job) -> Result<Completed, EngineError> {
        let (lines, _) = tokio::sync::mpsc::unbounded_channel();
        let done = self.runtime.block_on(self.engine.run(image, job, lines, CancellationToken::new()));
        let runs: Vec<_> = fs::read_dir(self.path("cache/runs")).into_iter().flatten().collect();
        assert!(runs.is_empty(), "left of the run: {runs:?}");
        done
    }

    #[track_caller]
    fn prints(&self, image: &Opened, job: &Job, expected: &str) {
        let done = self.run_in(image, job).unwrap_or_else(|e| panic!("{}", carnet::error::chain(&e)));
        assert_eq!((done.end, done.output.text.trim_end()), (End::Exit { code: 0 }, expected));
    }

    #[track_caller]
    fn fails(&self, image: &Opened, job: &Job) -> String {
        carnet::error::chain(&self.run_in(image, job).expect_err("a failure"))
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

fn busybox() -> Reference {
    crate::support::engine::busybox()
}

fn a_trial_says_that_it_works() {
    let bench = Bench::new();
    let said = bench.runtime.block_on(bench.engine.detect());
    assert!(matches!(&said, Availability::Ready(what) if what.contains("with overlays")), "{said:?}");
}

fn a_program_that_does_not_answer_the_trial_is_no_engine() {
    let engine = Embedded::new(Cache::at(PathBuf::from("/nonexistent"))).with_helper(PathBuf::from("/bin/true"));
    let said = Runtime::new().expect("a runtime").block_on(engine.detect());
    assert!(matches!(said, Availability::Missing { .. }), "{said:?}");
}

fn rights_are_given_up() {
    let bench = Bench::new();
    let script = "grep -e CapBnd -e NoNewPrivs -e CapInh -e CapAmb /proc/self/status | tr -d '\t' | tr '\n' ' '
        (echo 1 > /proc/sys/kernel/core_uses_pid) 2>/dev/null || echo closed
        (mount -t tmpfs x /tmp) 2>/dev/null || echo no mount
        echo $$; ls /proc | grep -c '^[0-9]'; ls -1 /carnet/in | wc -l";
    let done = bench.run_in(&bench.image, &bench.job(script)).expect("it runs");
    let text = done.output.text;
    for part in ["CapInh:0000000000000000", "CapAmb:0000000000000000", "NoNewPrivs:1", "closed\nno mount\n2\n"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    let bound = text.split("CapBnd:").nth(1).and_then(|rest| rest.split(' ').next()).expect("a bounding set");
    let bound = u64::from_str_radix(bound, 16).expect("a number");
    // The bits of Docker's default set, as its own containers show them.
    assert_eq!(bound & !0xa804_25fb, 0, "{bound:x} is more than in a container of Docker");
}

/// Root may make device files, as in a container of Docker; there the control group keeps them from working.
fn what_the_caller_has_open_stays_out_of_reach() {
    let bench = Bench::new();
    let there = rustix::fs::open("/", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).expect("a directory");
    assert!(rustix::io::fcntl_getfd(&there).expect("flags").is_empty(), "a program that we start gets it");
    let script = "cd /proc/self/fd; for fd in *; do [ $fd -gt 2 ] && [ -d $fd/ ] && ls -d $fd/*; done; true";
    bench.prints(&bench.image, &bench.job(script), "");
}

fn devices_that_a_program_makes_do_not_work() {
    let bench = Bench::new();
    let script = "for d in / /dev /dev/shm /tmp /carnet/box; do
            mknod $d/made c 1 5 2>/dev/null; (head -c 1 $d/made) 2>/dev/null | wc -c | grep -q 1 && echo $d works; done; true";
    bench.prints(&bench.image, &bench.job(script), "");
}

fn usual_devices_are_there() {
    let bench = Bench::new();
    let script = "set -e; echo gone > /dev/null; head -c 8 /dev/urandom | wc -c; head -c 3 /dev/zero | wc -c
        (echo x > /dev/full) 2>/dev/null || echo full; echo x > /dev/shm/x; cat /dev/shm/x; echo err > /dev/stderr
        ls /dev | grep -v -e '^tty$' -e ptmx -e pts | tr '\n' ' '; test -e /sys/kernel; grep -c localhost /etc/hosts";
    let listing = "fd full null random shm stderr stdin stdout urandom zero";
    bench.prints(&bench.image, &bench.job(script), &format!("8\n3\nfull\nx\nerr\n{listing} 2"));
}

fn user_and_entrypoint_of_the_image_are_honoured() {
    let bench = Bench::new();
    let mut image = bench.image.clone();
    image.identity.config.entrypoint =
        ["/bin/sh", "-c", "echo entered; exec \"$@\"", "e"].map(ToOwned::to_owned).into();
    image.identity.config.user = "1234:77".to_owned();
    let mut job = bench.job("id -u; id -g; id -G; echo $HOME; touch /carnet/box/x && stat -c %u:%g /carnet/box/x");
    job.contract.entrypoint = true;
    bench.prints(&image, &job, "entered\n1234\n77\n77\n/\n1234:77");
    image.identity.config.user = "somebody".to_owned();
    let error = bench.fails(&image, &job);
    assert!(error.contains("`somebody`"), "{error}");
}

fn what_is_missing_on_this_machine_is_named() {
    let bench = Bench::new();
    let mut job = bench.job("true");
    job.contract.mounts =
        vec![Mount { source: "/no/such/source".to_owned(), target: "/data".to_owned(), writable: false }];
    let error = bench.fails(&bench.image, &job);
    assert!(error.contains("/no/such/source"), "{error}");
    job.contract.mounts[0] = Mount { source: "/".to_owned(), target: "data".to_owned(), writable: false };
    let error = bench.fails(&bench.image, &job);
    assert!(error.contains("not absolute"), "{error}");
    let mut job = bench.job("true");
    job.contract.workdir = Some("/etc/passwd".to_owned());
    let error = bench.fails(&bench.image, &job);
    assert!(error.contains("working directory `/etc/passwd`"), "{error}");
}

/// An image whose mount points are links to a directory of this machine.
fn links_of_a_hostile_image_lead_nowhere() {
    let bench = Bench::new();
    // Not below /tmp, where the run's own /tmp would lie over what the links lead to.
    let far = tempfile::tempdir_in("/var/tmp").expect("a directory");
    let (tree, outside) = (bench.path("tree"), far.path().to_owned());
    let ImageLocation::Trees(trees) = &bench.image.location else { panic!("trees") };
    fs::write(outside.join("file"), "untouched").expect("a file");
    for name in ["carnet", "tmp", "proc", "dev", "sys", "home", "data", "etc/hosts"] {
        let copied = Command::new("cp").arg("-a").args([&trees[0], &tree]).status().expect("cp runs");
        assert!(copied.success());
        remove_tree(&tree.join(name)).expect("it goes");
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
            fs::read_dir(&outside).expect("it is there").map(|e| e.expect("an entry").file_name()).collect();
        assert_eq!(names, ["file"], "{name}");
        assert_eq!(fs::read_to_string(outside.join("file")).expect("it is there"), "untouched", "{name}");
        remove_tree(&tree).expect("it goes");
    }
}

fn states_are_kept_on_top_of_kept_states_with_their_homes() {
    let bench = Bench::new();
    let contract = Contract {
        user: Some(Ids { uid: 1000, gid: 1000 }),
        home: Some("/new/home".to_owned()),
        read_only: true,
        ..Contract::default()
    };
    let keep = |base: &Opened, script: &str| {
        let job = Job { save_as: Some("k1".to_owned()), contract: contract.clone(), ..bench.job(script) };
        let done = bench.run_in(base, &job).expect("it runs");
        assert_eq!(done.end, End::Exit { code: 0 }, "{}", done.output.text);
        done.saved_state.expect("it is kept")
    };
    let first = keep(&bench.image, "echo 1 > /carnet/box/a; echo 1 > $HOME/a");
    let second = keep(&first, "echo 2 > /carnet/box/b; echo 2 > $HOME/b; rm /carnet/box/a");
    let found =
        bench.runtime.block_on(bench.engine.saved_state(&first, "k1")).expect("it is looked up").expect("it is there");
    assert_eq!(found.location, second.location);
    let job = Job { contract, ..bench.job("ls /carnet/box $HOME | tr '\n' ' '; echo 3 > $HOME/c && cat $HOME/?") };
    bench.prints(&second, &job, "/carnet/box: b  /new/home: a b 1\n2\n3");
    let odd = bench.runtime.block_on(bench.engine.saved_state(&first, "../x"));
    assert!(odd.is_err(), "{odd:?}");
}

fn sweeping_removes_what_has_no_living_owner() {
    let bench = Bench::new();
    let runs = bench.path("cache/runs");
    fs::create_dir_all(runs.join("dead/work/work")).expect("directories");
    fs::write(runs.join("dead.lock"), "").expect("a lock file");
    fs::write(runs.join("dead/groups"), "/sys/fs/cgroup/../../etc\n/etc\nnonsense\n").expect("a record");
    fs::create_dir_all(runs.join("older")).expect("a directory");
    fs::create_dir_all(runs.join("alive")).expect("a directory");
    let lock = carnet::sys::lock::Lock::try_take(&runs.join("alive.lock")).expect("a lock").expect("it is free");
    assert_eq!(bench.engine.sweep().expect("it sweeps"), ["dead", "older"]);
    assert!(runs.join("alive").exists() && !runs.join("dead").exists() && !runs.join("dead.lock").exists());
    drop(lock);
    assert_eq!(bench.engine.sweep().expect("it sweeps"), ["alive"]);
}

/// Processes whose arguments hold the mark.
fn processes(mark: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok).map(|entry| entry.path());
    let marked =
        |path: &PathBuf| fs::read(path.join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark));
    entries.filter(marked).collect()
}

fn eventually(what: &str, check: impl Fn() -> bool) {
    let start = Instant::now();
    while !check() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn a_killed_engine_leaves_nothing() {
    let bench = Bench::new();
    let mark = format!("killed-{}", std::process::id());
    let mut engine = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "embedded::hosts_a_run", "--ignored", "--nocapture"])
        .env("CARNET_TEST_HOST", bench.dir.path())
        .env("CARNET_TEST_MARK", &mark)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the other half starts");
    let mut lines = BufReader::new(engine.stdout.take().expect("its output")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("the run has started"))));
    eventually("the detached program never came", || processes(&mark).len() >= 3);
    let groups = || -> Vec<PathBuf> {
        let dirs = ["memory", "pids", "cpu", ""]
            .map(|name| Path::new("/sys/fs/cgroup").join(name).join(format!("carnet-{mark}")));
        dirs.into_iter().filter(|dir| dir.exists()).collect()
    };
    assert!(bench.path("cache/runs").join(&mark).exists());
    engine.kill().expect("it is killed");
    engine.wait().expect("it ended");
    eventually("processes are left", || processes(&mark).is_empty());
    eventually("its directory is left", || fs::read_dir(bench.path("cache/runs")).expect("runs").next().is_none());
    eventually("control groups are left", || groups().is_empty());
}

fn hosts_a_run() {
    let dir = PathBuf::from(std::env::var_os("CARNET_TEST_HOST").expect("a directory"));
    let mark = std::env::var("CARNET_TEST_MARK").expect("a mark");
    let engine = Embedded::new(Cache::at(dir.join("cache"))).with_helper(PathBuf::from(env!("CARGO_BIN_EXE_carnet")));
    let script = "(setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' $0 &) ; sh -c 'sleep 100; true' $0 & echo ready; wait";
    let job = Job {
        id: mark.clone(),
        argv: ["/bin/sh", "-c", script, &mark].map(ToOwned::to_owned).into(),
        input: dir.join("in"),
        result: None,
        result_cap: 0,
        contract: Contract { pids: Some(50), memory: Some(64 << 20), ..Contract::default() },
        env: BTreeMap::new(),
        network: false,
        timeout: Duration::from_secs(60),
        output_cap: 1000,
        save_as: None,
    };
    Runtime::new().expect("a runtime").block_on(async {
        let image = engine.open(&busybox(), CancellationToken::new()).await.expect("the image opens");
        let (lines, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(line) = receiver.recv().await {
                if line == "ready" {
                    println!("the run has started");
                }
            }
        });
        engine.run(&image, &job, lines, CancellationToken::new()).await.map(drop).expect("it is killed before its end");
    });
}

crate::support::harness::register!(
    [Image("busybox")]:
    a_trial_says_that_it_works,
    a_program_that_does_not_answer_the_trial_is_no_engine,
    rights_are_given_up,
    what_the_caller_has_open_stays_out_of_reach,
    devices_that_a_program_makes_do_not_work,
    usual_devices_are_there,
    user_and_entrypoint_of_the_image_are_honoured,
    what_is_missing_on_this_machine_is_named,
    links_of_a_hostile_image_lead_nowhere,
    states_are_kept_on_top_of_kept_states_with_their_homes,
    sweeping_removes_what_has_no_living_owner,
    a_killed_engine_leaves_nothing,
);

crate::support::harness::register!(
    [OnRequest("the other half of `a_killed_engine_leaves_nothing`, which starts it")]:
    hosts_a_run,
);
