//! The Docker engine where things go wrong: no daemon, no image, a daemon that dies or doesn't see our files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::engine::{ask, busybox, daemon};
use carnet::engine::docker::{Docker, Options};
use carnet::engine::job::{Completed, Job};
use carnet::engine::{Availability, Engine as _, EngineError, Opened};
use carnet::error::{Failure as _, chain};
use carnet::image::disk::OnDisk;
use carnet::image::export::write_docker_archive;
use carnet::model::cell::End;
use carnet::model::contract::Contract;
use carnet::model::reference::Reference;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

fn engine(host: &str) -> Docker {
    Docker::new(Options { host: Some(host.to_owned()), ..Options::default() })
}

/// A job of one script, with an input of one file.
fn job(name: &str, script: &str) -> (Job, TempDir) {
    let input = tempfile::tempdir().expect("a directory");
    fs::write(input.path().join("hello"), "hello\n").expect("a file");
    let job = Job {
        id: format!("test-{name}-{}", std::process::id()),
        argv: ["/bin/sh", "-c", script, "sh"].map(str::to_owned).to_vec(),
        input: input.path().to_owned(),
        result: None,
        result_cap: 1 << 20,
        contract: Contract::default(),
        env: BTreeMap::new(),
        network: false,
        timeout: Duration::from_secs(60),
        output_cap: 1 << 16,
        save_as: None,
    };
    (job, input)
}

async fn open(engine: &Docker, reference: &Reference) -> Opened {
    let opened = engine.open(reference, CancellationToken::new()).await;
    opened.unwrap_or_else(|error| panic!("opening {reference}: {}", chain(&error)))
}

async fn run(engine: &Docker, image: &Opened, job: &Job) -> Result<Completed, EngineError> {
    let (lines, _) = unbounded_channel();
    engine.run(image, job, lines, CancellationToken::new()).await
}

async fn a_socket_that_is_not_there_is_named_with_the_way_to_mend_it() {
    let engine = engine("unix:///nowhere/docker.sock");
    let Availability::Missing { reason, hint } = engine.detect().await else { panic!("there is no such socket") };
    assert!(reason.contains("/nowhere/docker.sock"), "{reason}");
    assert!(hint.contains("start the daemon"), "{hint}");
    let failure = engine.open(&busybox(), CancellationToken::new()).await.expect_err("there is no such socket");
    assert!(matches!(failure, EngineError::Missing { .. }), "{failure:?}");
}

async fn a_daemon_that_never_answers_is_given_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let start = Instant::now();
    let found = engine(&format!("unix://{}", socket.display())).detect().await;
    assert!(matches!(&found, Availability::Missing { reason, .. } if reason.contains("no answer")), "{found:?}");
    assert!(start.elapsed() < Duration::from_secs(45), "{:?}", start.elapsed());
}

async fn addresses_that_need_more_than_a_connection_are_refused_with_a_way_round() {
    for url in ["ssh://user@host", "https://host:2376", "npipe:////./pipe/docker"] {
        let Availability::Missing { hint, .. } = engine(url).detect().await else { panic!("{url} can't work") };
        assert!(hint.contains("ssh -L"), "{url}: {hint}");
    }
}

async fn a_daemon_that_runs_is_described() {
    let host = daemon();
    let Availability::Ready(text) = engine(&host).detect().await else { panic!("it runs") };
    assert!(text.starts_with("docker ") && text.contains("API 1.") && text.contains(&host), "{text}");
}

async fn an_image_that_is_not_there_fails_soon_and_says_what_to_do() {
    let host = daemon();
    let engine = engine(&host);
    for reference in [
        Reference::DockerDaemon("carnet-test/none:1".to_owned()),
        Reference::Registry("127.0.0.1:9/carnet-test/none:1".to_owned()),
    ] {
        let failure = engine.open(&reference, CancellationToken::new()).await.expect_err("there is no such image");
        assert!(matches!(failure, EngineError::Image { .. }), "{failure:?}");
        assert!(chain(&failure).contains(&reference.to_string()), "{failure}");
        assert!(failure.hint().is_some());
    }
    let tree = Reference::Tree("/".into());
    let failure = engine.open(&tree, CancellationToken::new()).await.expect_err("a tree is no image");
    assert!(failure.hint().expect("a hint").contains("embedded"), "{failure:?}");
}

async fn an_image_says_what_it_is() {
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

async fn an_entrypoint_is_run_when_the_contract_says_so() {
    let host = daemon();
    let engine = engine(&host);
    let base = open(&engine, &busybox()).await.identity.config_digest.expect("a digest");
    let made = ask(
        &host,
        &["-H", "Content-Type: application/json", "-d", &format!(r#"{{"Image":"{base}","Cmd":["/bin/true"]}}"#)],
        "/containers/create",
    );
    let id = made.split('"').nth(3).expect("an id").to_owned();
    // ENTRYPOINT ["/bin/sh","-c","echo entered; exec \"$@\"","sh"]
    let change = "ENTRYPOINT%20%5B%22%2Fbin%2Fsh%22%2C%22-c%22%2C%22echo%20entered%3B%20exec%20%5C%22%24%40%5C%22%22%2C%22sh%22%5D";
    let tag = format!("t{}", std::process::id());
    let commit = format!("/commit?container={id}&repo=carnet-test-entry&tag={tag}&changes={change}");
    ask(&host, &["-X", "POST"], &commit);
    ask(&host, &["-X", "DELETE"], &format!("/containers/{id}"));

    let image = open(&engine, &Reference::DockerDaemon(format!("carnet-test-entry:{tag}"))).await;
    let (mut job, _input) = job("entry", "echo ran");
    let plain = run(&engine, &image, &job).await.expect("it runs").output.text;
    job.contract.entrypoint = true;
    let entered = run(&engine, &image, &job).await.expect("it runs").output.text;
    ask(&host, &["-X", "DELETE"], &format!("/images/carnet-test-entry:{tag}?force=true"));
    assert_eq!((plain.as_str(), entered.as_str()), ("ran\n", "entered\nran\n"));
}

async fn processors_and_privileges_are_limited() {
    let host = daemon();
    let engine = engine(&host);
    let image = open(&engine, &busybox()).await;
    let script =
        "grep NoNewPrivs /proc/self/status; cat /sys/fs/cgroup/cpu.max || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us";
    let (mut job, _input) = job("limits", script);
    job.contract.milli_cpus = Some(1500);
    let done = run(&engine, &image, &job).await.expect("it runs");
    assert_eq!(done.not_enforced, Vec::<String>::new());
    assert!(done.output.text.contains("NoNewPrivs:\t1\n"), "{}", done.output.text);
    assert!(done.output.text.contains("150000"), "{}", done.output.text);
}

/// A daemon behind TCP, as one of another machine is.
async fn a_daemon_of_another_machine_gets_the_input_sent() {
    let host = daemon();
    let socket = host.strip_prefix("unix://").expect("a socket").to_owned();
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
    let (mut job, _input) =
        job("tcp", "cat /carnet/in/hello; grep /carnet/in /proc/mounts; cp /carnet/in/hello /carnet/box");
    job.result = Some("/carnet/box/hello".to_owned());
    let done = run(&engine, &image, &job).await.expect("it runs");
    proxy.abort();
    assert_eq!(done.end, End::Exit { code: 0 }, "{}", done.output.text);
    assert_eq!(done.result.as_deref(), Some(&b"hello\n"[..]));
    assert_no_trace(&host, &job.id);
}

/// All containers and all volumes.
fn lists(host: &str) -> [String; 2] {
    [ask(host, &[], "/containers/json?all=true"), ask(host, &[], "/volumes")]
}

fn assert_no_trace(host: &str, id: &str) {
    let lists = lists(host);
    assert!(lists.iter().all(|list| !list.contains(id)), "{lists:?}");
}

/// Runs this test of the given name again in a mount namespace of its own, where a file system that the daemon doesn't
/// see lies over `dir`; true in the process that is in there.
fn is_inside(name: &str, dir: &Path) -> bool {
    if std::env::var_os("CARNET_TEST_INSIDE").is_some() {
        return true;
    }
    let exe = std::env::current_exe().expect("this program");
    let script = r#"mount -t tmpfs none "$1" && exec "$2" --exact "$3" --nocapture"#;
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]).arg(dir).arg(exe).arg(name);
    let status = inside.env("CARNET_TEST_INSIDE", dir).env("TMPDIR", dir).status().expect("unshare is installed");
    assert!(status.success(), "the test failed in its mount namespace, which needs root");
    false
}

fn an_input_that_the_daemon_does_not_see_is_sent() {
    let host = daemon();
    let dir = tempfile::tempdir().expect("a directory");
    if !is_inside("docker::an_input_that_the_daemon_does_not_see_is_sent", dir.path()) {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let engine = engine(&host);
        let image = open(&engine, &busybox()).await;
        let (mut job, input) =
            job("unseen", "cat /carnet/in/hello; (echo x > /carnet/in/x) 2>/dev/null || echo refused");
        for _ in 0..2 {
            let done = run(&engine, &image, &job).await.expect("it runs");
            assert_eq!(done.output.text, "hello\nrefused\n", "{:?}", done.end);
        }
        // On the daemon's side there is a directory of the same path, and nothing is in it.
        let outside = std::env::var("CARNET_TEST_INSIDE").expect("set above");
        job.input = outside.into();
        fs::copy(input.path().join("hello"), job.input.join("hello")).expect("a file");
        let fresh = self::engine(&host);
        let done = run(&fresh, &image, &job).await.expect("it runs");
        assert_eq!(done.output.text, "hello\nrefused\n", "{:?}", done.end);
        assert_no_trace(&host, &job.id);
    });
}

async fn a_run_that_is_dropped_leaves_nothing() {
    let host = daemon();
    let engine = engine(&host);
    let image = open(&engine, &busybox()).await;
    let (engine, image) = (&engine, &image);
    let drops = [1, 30, 100, 200, 300, 1000].map(|millis| async move {
        let (job, _input) = job(&format!("drop-{millis}"), "trap '' TERM; sleep 100");
        let dropped = tokio::time::timeout(Duration::from_millis(millis), run(engine, image, &job)).await;
        assert!(dropped.is_err(), "it sleeps");
        job.id.clone()
    });
    let ids = futures_util::future::join_all(drops).await;
    // A container that was being created is looked for some seconds more.
    let any = || lists(&host).iter().any(|list| ids.iter().any(|id| list.contains(id)));
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if !any() {
            break;
        }
    }
    ids.iter().for_each(|id| assert_no_trace(&host, id));
}

async fn leftovers_of_dead_runs_alone_are_swept() {
    let host = daemon();
    let engine = engine(&host);
    let base = open(&engine, &busybox()).await.identity.config_digest.expect("a digest");
    let read = |path: &str| fs::read_to_string(path).expect("/proc").trim().to_owned();
    let namespace = fs::read_link("/proc/self/ns/pid").expect("/proc");
    let (name, boot) = (read("/proc/sys/kernel/hostname"), read("/proc/sys/kernel/random/boot_id"));
    let place = format!("{name} {boot} {}", namespace.display());
    let ours = std::process::id();
    for (suffix, owner) in [
        ("dead", format!("{place} 4194304 77")),
        ("elsewhere", "other boot pid:[1] 4194304 77".to_owned()),
        ("nobody", String::new()),
    ] {
        let labels = format!(r#"{{"carnet.run":"{suffix}","carnet.owner":"{owner}"}}"#);
        let body = format!(r#"{{"Image":"{base}","Cmd":["/bin/true"],"Labels":{labels}}}"#);
        let path = format!("/containers/create?name=carnet-sweep-{ours}-{suffix}");
        ask(&host, &["-H", "Content-Type: application/json", "-d", &body], &path);
    }
    let removed = engine.sweep().await.expect("the daemon is asked");
    let list = ask(&host, &[], "/containers/json?all=true");
    for suffix in ["elsewhere", "nobody"] {
        ask(&host, &["-X", "DELETE"], &format!("/containers/carnet-sweep-{ours}-{suffix}"));
    }
    assert!(removed >= 1, "{removed}");
    for (suffix, stays) in [("dead", false), ("elsewhere", true), ("nobody", true)] {
        assert_eq!(list.contains(&format!("carnet-sweep-{ours}-{suffix}")), stays, "{suffix}: {list}");
    }
}

fn a_run_whose_carnet_was_killed_is_swept() {
    let host = daemon();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::var_os("CARNET_TEST_VICTIM").is_some() {
        return runtime.block_on(be_killed(&host));
    }
    let mut victim = Command::new(std::env::current_exe().expect("this program"));
    victim.args(["--exact", "docker::a_run_whose_carnet_was_killed_is_swept", "--nocapture"]);
    let temporary = tempfile::tempdir().expect("a directory");
    victim.env("CARNET_TEST_VICTIM", "1").env("TMPDIR", temporary.path());
    let mut victim = victim.stdout(Stdio::piped()).spawn().expect("it starts");
    let id = format!("test-victim-{}", victim.id());
    let mut lines = BufReader::new(victim.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "started")), "the run starts");
    let running = || ask(&host, &[], "/containers/json?all=true").contains(&id);
    runtime.block_on(engine(&host).sweep()).expect("the daemon is asked");
    assert!(running(), "a run that lives stays");
    victim.kill().expect("it is killed");
    victim.wait().expect("it ends");
    assert!(running(), "nobody has removed it yet");
    runtime.block_on(engine(&host).sweep()).expect("the daemon is asked");
    assert_no_trace(&host, &id);
}

#[expect(clippy::print_stdout, reason = "the test that kills this process waits for the line")]
async fn be_killed(host: &str) {
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
    panic!("nobody killed this process: {outcome:?}");
}

/// A daemon of its own, for a test that kills it.
struct OwnDaemon {
    dir: TempDir,
}

impl OwnDaemon {
    fn start() -> Self {
        let own = Self { dir: tempfile::tempdir().expect("a directory") };
        assert!(own.script("start").status().expect("sh").success(), "`.ci/dockerd start` failed; it needs root");
        own
    }

    fn script(&self, word: &str) -> Command {
        let mut script = Command::new("sh");
        script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/dockerd")).arg(word).arg(self.dir.path().join("d"));
        script
    }

    fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("d/docker.sock").display())
    }

    fn kill(&self) {
        let pid = fs::read_to_string(self.dir.path().join("d/pid")).expect("a pid");
        // By the system call: a small machine has no `kill` program.
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

async fn a_daemon_that_dies_in_the_middle_is_a_failure_of_the_place_and_no_hang() {
    let own = OwnDaemon::start();
    // A fresh daemon has no image, so this loads one from an archive.
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
    let failure = outcome.expect("it comes back").expect_err("nobody knows how the program ended");
    assert!(failure.to_string().contains("the daemon went away"), "{failure:?}");
}

crate::support::harness::register!(
    [Docker, Image("busybox")]:
    an_input_that_the_daemon_does_not_see_is_sent,
    a_run_whose_carnet_was_killed_is_swept,
);

crate::support::harness::register_async!(
    [Docker, Image("busybox")]:
    a_socket_that_is_not_there_is_named_with_the_way_to_mend_it,
    a_daemon_that_never_answers_is_given_up,
    addresses_that_need_more_than_a_connection_are_refused_with_a_way_round,
    a_daemon_that_runs_is_described,
    an_image_that_is_not_there_fails_soon_and_says_what_to_do,
    an_image_says_what_it_is,
    an_entrypoint_is_run_when_the_contract_says_so,
    processors_and_privileges_are_limited,
    a_daemon_of_another_machine_gets_the_input_sent,
    a_run_that_is_dropped_leaves_nothing,
    leftovers_of_dead_runs_alone_are_swept,
    a_daemon_that_dies_in_the_middle_is_a_failure_of_the_place_and_no_hang,
);
