//! The Docker engine: addresses, missing images, limits, remote daemons, and runs or daemons that die.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use carnet::engine::docker::{Docker, Options};
use carnet::engine::job::{Completed, Job};
use carnet::engine::{Availability, Engine as _, EngineError, Opened};
use carnet::error::{Failure as _, chain};
use carnet::image::disk::OnDisk;
use carnet::image::export::write_docker_archive;
use carnet::model::cell::End;
use carnet::model::reference::Reference;
use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::job::shell_job;
use crate::leftovers;
use crate::nested::{assert_passed, test_command};
use crate::support::CommandOutput;
use crate::support::engine::{ask, busybox, daemon};
use crate::support::harness::block_on;

/// Options of curl that send JSON.
const JSON: [&str; 3] = ["-H", "Content-Type: application/json", "-d"];

fn engine(host: &str) -> Docker {
    Docker::new(Options { host: Some(host.to_owned()), ..Options::default() })
}

/// A job of one script, with an input of one file.
fn job(name: &str, script: &str) -> (Job, TempDir) {
    let input = tempfile::tempdir().expect("a directory");
    fs::write(input.path().join("hello"), "hello\n").expect("a file");
    (shell_job(&format!("test-{name}-{}", std::process::id()), script, input.path()), input)
}

/// The reason why an engine is not available, and the hint.
async fn unavailable(engine: &Docker) -> String {
    match engine.detect().await {
        Availability::Missing { reason, hint } => format!("{reason}\nhint: {hint}"),
        Availability::Ready(text) => panic!("the engine is available: {text}"),
    }
}

/// The message of the failure to open an image, and the hint.
async fn open_error(engine: &Docker, reference: &Reference) -> String {
    let error = engine.open(reference, CancellationToken::new()).await.expect_err("the image can't be opened");
    format!("{}\nhint: {}", chain(&error), error.hint().expect("a hint"))
}

async fn open(engine: &Docker, reference: &Reference) -> Opened {
    let opened = engine.open(reference, CancellationToken::new()).await;
    opened.unwrap_or_else(|error| panic!("opening {reference}: {}", chain(&error)))
}

async fn run(engine: &Docker, image: &Opened, job: &Job) -> Result<Completed, EngineError> {
    let (lines, _) = unbounded_channel();
    engine.run(image, job, lines, CancellationToken::new()).await
}

async fn missing_socket_is_reported() {
    let engine = engine("unix:///nowhere/docker.sock");
    assert_snapshot!(unavailable(&engine).await, @"
    /nowhere/docker.sock: No such file or directory (os error 2)
    hint: start the daemon, or set DOCKER_HOST to its address
    ");
    assert_snapshot!(open_error(&engine, &Reference::DockerDaemon("busybox:latest".to_owned())).await, @"
    engine `docker` is not available: /nowhere/docker.sock: No such file or directory (os error 2)
    hint: start the daemon, or set DOCKER_HOST to its address
    ");
}

async fn daemon_that_never_answers_is_unavailable() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let reason = unavailable(&engine(&format!("unix://{}", socket.display()))).await;
    assert_snapshot!(reason.replace(dir.path().to_str().expect("UTF-8"), "[DIR]"), @"
    no response from unix://[DIR]/docker.sock within 5 s
    hint: check whether the daemon is stuck
    ");
}

async fn unsupported_addresses_are_reported() {
    assert_snapshot!(unavailable(&engine("ssh://user@host")).await, @"
    ssh://user@host (from option) is not a supported address
    hint: forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set DOCKER_HOST=unix:///tmp/docker.sock
    ");
    assert_snapshot!(unavailable(&engine("https://host:2376")).await, @"
    https://host:2376 (from option) requires TLS, which is not supported
    hint: forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set DOCKER_HOST=unix:///tmp/docker.sock
    ");
    assert_snapshot!(unavailable(&engine("npipe:////./pipe/docker")).await, @"
    npipe:////./pipe/docker (from option) is not a supported address
    hint: forward the daemon's socket, as with `ssh -L /tmp/docker.sock:/var/run/docker.sock HOST`, and set DOCKER_HOST=unix:///tmp/docker.sock
    ");
}

async fn running_daemon_is_described() {
    let host = daemon();
    let Availability::Ready(text) = engine(&host).detect().await else { panic!("the daemon runs") };
    let version: Value = serde_json::from_str(&ask(&host, &[], "/version")).expect("JSON");
    let [version, api] = ["Version", "ApiVersion"].map(|name| version[name].as_str().expect("a version"));
    let redacted = text.replace(version, "[VERSION]").replace(api, "[API]").replace(&host, "[HOST]");
    assert_snapshot!(redacted, @"docker [VERSION] (API [API]) at [HOST], from option");
}

async fn unavailable_images_are_reported() {
    let engine = engine(&daemon());
    let local = Reference::DockerDaemon("carnet-test/none:1".to_owned());
    assert_snapshot!(open_error(&engine, &local).await, @"
    image `docker-daemon:carnet-test/none:1`: the daemon does not have this image
    hint: run `docker pull carnet-test/none:1`, or use docker://carnet-test/none:1
    ");
    let remote = Reference::Registry("127.0.0.1:9/carnet-test/none:1".to_owned());
    let error = open_error(&engine, &remote).await;
    // The daemon reports why it can't connect.
    let reason = error.lines().next().and_then(|line| line.split_once("failed to pull: ")).expect("a reason").1;
    assert_snapshot!(error.replace(reason, "[REASON]"), @"
    image `docker://127.0.0.1:9/carnet-test/none:1`: failed to pull: [REASON]
    hint: check that the daemon can reach the registry
    ");
    assert_snapshot!(open_error(&engine, &Reference::Tree("/".into())).await, @r#"
    engine `docker` does not support `dir:/`
    hint: set `engine = "embedded"` for an unpacked tree, or `engine = "host"` for this machine
    "#);
}

async fn opened_image_has_the_identity_of_its_layout() {
    let host = daemon();
    let opened = open(&engine(&host), &busybox()).await;
    let on_disk = OnDisk::open(&busybox()).expect("the image");
    assert_eq!(opened.identity.config_digest, on_disk.identity().config_digest);
    assert_eq!(opened.identity.layers, on_disk.identity().layers);
    assert_eq!(opened.identity.config, on_disk.identity().config);
    let name = format!("docker-daemon:{}", opened.identity.config_digest.clone().expect("a digest"));
    let by_id = Reference::parse(&name, Path::new("/")).expect("a reference");
    assert_eq!(open(&engine(&host), &by_id).await.location, opened.location);
}

async fn entrypoint_runs_only_if_the_contract_requires_it() {
    let host = daemon();
    let engine = engine(&host);
    let base = open(&engine, &busybox()).await.identity.config_digest.expect("a digest");
    let body = format!(r#"{{"Image":"{base}","Cmd":["/bin/true"]}}"#);
    let created: Value =
        serde_json::from_str(&ask(&host, &[&JSON[..], &[&body]].concat(), "/containers/create")).expect("JSON");
    let id = created["Id"].as_str().expect("an id");
    // ENTRYPOINT ["/bin/sh","-c","echo entered; exec \"$@\"","sh"]
    let change = "ENTRYPOINT%20%5B%22%2Fbin%2Fsh%22%2C%22-c%22%2C%22echo%20entered%3B%20exec%20%5C%22%24%40%5C%22%22%2C%22sh%22%5D";
    let tag = format!("t{}", std::process::id());
    let commit = format!("/commit?container={id}&repo=carnet-test-entry&tag={tag}&changes={change}");
    ask(&host, &["-X", "POST"], &commit);
    ask(&host, &["-X", "DELETE"], &format!("/containers/{id}"));

    let image = open(&engine, &Reference::DockerDaemon(format!("carnet-test-entry:{tag}"))).await;
    let (mut job, _input) = job("entry", "echo ran");
    let plain = run(&engine, &image, &job).await.expect("the program runs").output.text;
    job.contract.entrypoint = true;
    let entered = run(&engine, &image, &job).await.expect("the program runs").output.text;
    ask(&host, &["-X", "DELETE"], &format!("/images/carnet-test-entry:{tag}?force=true"));
    assert_eq!((plain.as_str(), entered.as_str()), ("ran\n", "entered\nran\n"));
}

async fn processors_and_privileges_are_limited() {
    let engine = engine(&daemon());
    let image = open(&engine, &busybox()).await;
    let script = "grep NoNewPrivs /proc/self/status
        cut -d ' ' -f 1 /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us";
    let (mut job, _input) = job("limits", script);
    job.contract.milli_cpus = Some(1500);
    let done = run(&engine, &image, &job).await.expect("the program runs");
    assert_eq!(done.not_enforced, Vec::<String>::new());
    assert_eq!(done.output.text, "NoNewPrivs:\t1\n150000\n");
}

async fn remote_daemon_receives_the_input() {
    let host = daemon();
    let socket = host.strip_prefix("unix://").expect("a socket").to_owned();
    // The engine treats a daemon behind TCP as one of another machine.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let proxy = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = UnixStream::connect(&socket).await.expect("the daemon");
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let engine = engine(&format!("tcp://127.0.0.1:{port}"));
    let image = open(&engine, &busybox()).await;
    let (mut job, _input) = job("tcp", "cat /carnet/in/hello >&2; cat /carnet/in/hello");
    job.result = Some(1 << 20);
    let done = run(&engine, &image, &job).await.expect("the program runs");
    proxy.abort();
    assert_eq!((done.end, done.output.text.as_str()), (End::Exit { code: 0 }, "hello\n"));
    assert_eq!(done.result.as_deref(), Some(&b"hello\n"[..]));
    assert_eq!(leftovers::docker(&host, &job.id), Vec::<String>::new());
}

/// The daemon does not see a file system that only this mount namespace has.
fn input_that_the_daemon_does_not_see_is_sent() {
    if let Some(directory) = std::env::var_os("CARNET_TEST_INSIDE") {
        return block_on(send_unseen_input(Path::new(&directory)));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let test = test_command("docker::input_that_the_daemon_does_not_see_is_sent");
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--propagation", "private", "sh", "-c", r#"mount -t tmpfs none "$0" && exec "$@""#]);
    inside.arg(dir.path()).arg(test.get_program()).args(test.get_args());
    inside.env("CARNET_TEST_REQUIRE_ALL", "1").env("CARNET_TEST_INSIDE", dir.path()).env("TMPDIR", dir.path());
    assert_passed(&CommandOutput::run(&mut inside), 1);
}

async fn send_unseen_input(mounted: &Path) {
    let host = daemon();
    let first = engine(&host);
    let image = open(&first, &busybox()).await;
    let (mut job, input) = job("unseen", "cat /carnet/in/hello; (echo x > /carnet/in/x) 2>/dev/null || echo refused");
    for _ in 0..2 {
        let done = run(&first, &image, &job).await.expect("the program runs");
        assert_eq!(done.output.text, "hello\nrefused\n", "{:?}", done.end);
    }
    // The daemon sees an empty directory at this path.
    job.input = mounted.to_owned();
    fs::copy(input.path().join("hello"), job.input.join("hello")).expect("a file");
    let second = engine(&host);
    let done = run(&second, &image, &job).await.expect("the program runs");
    assert_eq!(done.output.text, "hello\nrefused\n", "{:?}", done.end);
    assert_eq!(leftovers::docker(&host, &job.id), Vec::<String>::new());
}

async fn dropped_run_leaves_nothing() {
    let host = daemon();
    let engine = engine(&host);
    let image = open(&engine, &busybox()).await;
    let (engine, image) = (&engine, &image);
    let drops = [1, 30, 100, 200, 300, 1000].map(|millis| async move {
        let (job, _input) = job(&format!("drop-{millis}"), "trap '' TERM; sleep 100");
        let dropped = tokio::time::timeout(Duration::from_millis(millis), run(engine, image, &job)).await;
        assert!(dropped.is_err(), "the program sleeps longer");
        job.id.clone()
    });
    let ids = futures_util::future::join_all(drops).await;
    // A container that was being created is removed some seconds later.
    let left = leftovers::wait_until_gone(|| ids.iter().flat_map(|id| leftovers::docker(&host, id)).collect()).await;
    assert_eq!(left, Vec::<String>::new());
}

async fn sweep_removes_only_leftovers_of_dead_runs() {
    let host = daemon();
    let engine = engine(&host);
    let base = open(&engine, &busybox()).await.identity.config_digest.expect("a digest");
    let read = |path: &str| fs::read_to_string(path).expect("/proc is mounted").trim().to_owned();
    let namespace = fs::read_link("/proc/self/ns/pid").expect("/proc is mounted");
    let (name, boot) = (read("/proc/sys/kernel/hostname"), read("/proc/sys/kernel/random/boot_id"));
    let owners = [
        ("dead", format!("{name} {boot} {} 4194304 77", namespace.display())),
        ("elsewhere", "other boot pid:[1] 4194304 77".to_owned()),
        ("unowned", String::new()),
    ];
    let container = |suffix: &str| format!("carnet-sweep-{}-{suffix}", std::process::id());
    for (suffix, owner) in &owners {
        let labels = format!(r#"{{"carnet.run":"{suffix}","carnet.owner":"{owner}"}}"#);
        let body = format!(r#"{{"Image":"{base}","Cmd":["/bin/true"],"Labels":{labels}}}"#);
        let path = format!("/containers/create?name={}", container(suffix));
        ask(&host, &[&JSON[..], &[&body]].concat(), &path);
    }
    let removed = engine.sweep().await.expect("the daemon answers");
    let left = owners.map(|(suffix, _)| (suffix, !leftovers::docker(&host, &container(suffix)).is_empty()));
    for (suffix, _) in left.iter().filter(|(_, exists)| *exists) {
        ask(&host, &["-X", "DELETE"], &format!("/containers/{}", container(suffix)));
    }
    assert_eq!(left, [("dead", false), ("elsewhere", true), ("unowned", true)]);
    assert!(removed >= 1, "{removed}");
}

fn sweep_removes_the_run_of_a_killed_process() {
    let host = daemon();
    if std::env::var_os("CARNET_TEST_VICTIM").is_some() {
        return block_on(run_until_killed(&host));
    }
    let temporary = tempfile::tempdir().expect("a directory");
    let mut victim = test_command("docker::sweep_removes_the_run_of_a_killed_process");
    victim.env("CARNET_TEST_VICTIM", "1").env("TMPDIR", temporary.path());
    let mut victim = victim.stdout(Stdio::piped()).spawn().expect("the test starts");
    let id = format!("test-victim-{}", victim.id());
    let mut lines = BufReader::new(victim.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "started")), "the run starts");
    let exists = || !leftovers::docker(&host, &id).is_empty();
    block_on(engine(&host).sweep()).expect("the daemon answers");
    assert!(exists(), "the sweep removed a run whose process is alive");
    victim.kill().expect("a signal");
    victim.wait().expect("the process ends");
    assert!(exists(), "the container does not end with the process");
    block_on(engine(&host).sweep()).expect("the daemon answers");
    assert!(!exists(), "the sweep leaves the run of a dead process");
}

#[expect(clippy::print_stdout, reason = "the test that kills this process waits for the line")]
async fn run_until_killed(host: &str) {
    let engine = engine(host);
    let image = open(&engine, &busybox()).await;
    let (mut job, _input) = job("victim", "echo started; sleep 100");
    job.contract.read_only = true;
    let (lines, mut received) = unbounded_channel();
    let show = async {
        while let Some(line) = received.recv().await {
            println!("{line}");
        }
    };
    let (outcome, ()) = tokio::join!(engine.run(&image, &job, lines, CancellationToken::new()), show);
    panic!("the run ended before this process was killed: {outcome:?}");
}

/// A private daemon for a test that kills it.
struct OwnDaemon {
    dir: TempDir,
}

impl OwnDaemon {
    fn start() -> Self {
        let own = Self { dir: tempfile::tempdir().expect("a directory") };
        assert!(own.script("start").status().expect("sh").success(), "`.ci/dockerd start` failed; it needs root");
        own
    }

    fn script(&self, command: &str) -> Command {
        let mut script = Command::new("sh");
        script
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/dockerd"))
            .arg(command)
            .arg(self.dir.path().join("d"));
        script
    }

    fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("d/docker.sock").display())
    }

    fn kill(&self) {
        let pid = fs::read_to_string(self.dir.path().join("d/pid")).expect("a pid");
        let pid = nix::unistd::Pid::from_raw(pid.trim().parse().expect("a number"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("a signal");
    }
}

impl Drop for OwnDaemon {
    fn drop(&mut self) {
        let stopped = self.script("stop").status().expect("sh").success();
        assert!(stopped || std::thread::panicking(), "`.ci/dockerd stop` failed");
    }
}

async fn run_fails_if_the_daemon_dies() {
    let own = OwnDaemon::start();
    // A new daemon has no image.
    let archive = own.dir.path().join("busybox.tar");
    let on_disk = OnDisk::open(&busybox()).expect("the image");
    write_docker_archive(&on_disk, "busybox:test", fs::File::create(&archive).expect("a file")).expect("an archive");
    let engine = engine(&own.host());
    let image = open(&engine, &Reference::DockerArchive(archive, None)).await;
    assert_eq!(image.identity.config_digest, on_disk.identity().config_digest);

    let (job, _input) = job("dies", "echo started; sleep 100");
    let (lines, mut received) = unbounded_channel();
    let running = engine.run(&image, &job, lines, CancellationToken::new());
    let killing = async {
        assert_eq!(received.recv().await.as_deref(), Some("started"));
        own.kill();
    };
    let (outcome, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(90), running), killing);
    let error = outcome.expect("the run returns").expect_err("the end of the program is unknown");
    let message = chain(&error);
    let (message, _reason) = message.split_once(": client error").unwrap_or_else(|| panic!("{message}"));
    assert_snapshot!(message, @"engine `docker` is not available: lost the connection to the daemon while waiting for the container");
}

crate::support::harness::register!(
    [Docker, Root, Image("busybox")]:
    input_that_the_daemon_does_not_see_is_sent,
    sweep_removes_the_run_of_a_killed_process,
);

crate::support::harness::register_async!(
    []:
    missing_socket_is_reported,
    daemon_that_never_answers_is_unavailable,
    unsupported_addresses_are_reported,
);

crate::support::harness::register_async!(
    [Docker, Image("busybox")]:
    running_daemon_is_described,
    unavailable_images_are_reported,
    opened_image_has_the_identity_of_its_layout,
    entrypoint_runs_only_if_the_contract_requires_it,
    processors_and_privileges_are_limited,
    remote_daemon_receives_the_input,
    dropped_run_leaves_nothing,
    sweep_removes_only_leftovers_of_dead_runs,
);

crate::support::harness::register_async!(
    [Docker, Root, Image("busybox")]:
    run_fails_if_the_daemon_dies,
);
