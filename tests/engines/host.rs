//! The engine that runs on this machine, and what it leaves if carnet is killed.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use carnet::engine::host::Host;
use carnet::engine::{Availability, Engine as _};
use carnet::model::reference::Reference;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::job::shell_job;
use crate::leftovers;
use crate::nested::test_command;
use crate::support::CARNET;
use crate::support::harness::block_on;

fn host(cache: &Path) -> Host {
    Host::new(CARNET.into(), cache.to_owned())
}

async fn host_engine_is_always_available() {
    let found = host(Path::new("/nowhere")).detect().await;
    assert!(matches!(&found, Availability::Ready(text) if text.starts_with("this machine, ")), "{found:?}");
}

fn killed_engine_leaves_nothing() {
    if let Some(id) = std::env::var_os("CARNET_TEST_VICTIM") {
        return block_on(run_until_killed(id.to_str().expect("UTF-8")));
    }
    let id = format!("victim-{}", std::process::id());
    let dir = tempfile::tempdir().expect("a directory");
    let mut victim = test_command("host::killed_engine_leaves_nothing");
    victim.env("CARNET_TEST_VICTIM", &id).env("CARNET_TEST_INPUT", dir.path()).stdout(Stdio::piped());
    let mut victim = victim.spawn().expect("the test starts");
    let mut lines = BufReader::new(victim.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "started")), "the run starts");
    assert!(!leftovers::host_runs(&id).is_empty(), "the run has a directory while it lives");
    victim.kill().expect("a signal");
    victim.wait().expect("the process ends");
    let search = || [leftovers::processes(&id), leftovers::host_runs(&id)].concat();
    assert_eq!(block_on(leftovers::wait_until_gone(search)), Vec::<String>::new());
}

#[expect(clippy::print_stdout, reason = "the test that kills this process waits for the line")]
async fn run_until_killed(id: &str) {
    let input = PathBuf::from(std::env::var_os("CARNET_TEST_INPUT").expect("the directory"));
    let host = host(&input);
    let opened = host.open(&Reference::Host, CancellationToken::new()).await.expect("this machine");
    // The detached program prints the line, so it exists when this process is killed.
    let script =
        format!("(setsid sh -c 'trap \"\" TERM HUP; echo started; while :; do sleep 1; done' {id} &); sleep 60");
    let job = shell_job(id, &script, &input);
    let (lines, mut received) = unbounded_channel();
    let show = async {
        while let Some(line) = received.recv().await {
            println!("{line}");
        }
    };
    let (outcome, ()) = tokio::join!(host.run(&opened, &job, lines, CancellationToken::new()), show);
    panic!("the run ended before this process was killed: {outcome:?}");
}

crate::support::harness::register!(
    []:
    killed_engine_leaves_nothing,
);

crate::support::harness::register_async!(
    []:
    host_engine_is_always_available,
);
