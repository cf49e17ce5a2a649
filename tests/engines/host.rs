//! The engine that runs on this machine, when carnet itself is killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use carnet::engine::host::Host;
use carnet::engine::job::Job;
use carnet::engine::{Availability, Engine as _};
use carnet::model::contract::Contract;
use carnet::model::reference::Reference;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

fn host(cache: &Path) -> Host {
    Host::new(env!("CARGO_BIN_EXE_carnet").into(), cache.to_owned())
}

fn job(id: &str, input: &Path, script: &str) -> Job {
    Job {
        id: id.to_owned(),
        argv: ["/bin/sh", "-c", script, id].map(str::to_owned).to_vec(),
        input: input.to_owned(),
        result: None,
        result_cap: 0,
        contract: Contract::default(),
        env: BTreeMap::new(),
        network: false,
        timeout: Duration::from_secs(60),
        output_cap: 1 << 16,
        save_as: None,
    }
}

/// Processes with this text in their arguments, and temporary files of this name.
fn traces(id: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let processes = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let processes = processes.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    let files = fs::read_dir(std::env::temp_dir()).expect("the temporary directory").filter_map(Result::ok);
    let files = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
    processes.chain(files).filter(|text| text.contains(id)).collect()
}

async fn it_always_works() {
    let found = host(Path::new("/nowhere")).detect().await;
    assert!(matches!(&found, Availability::Ready(text) if text.starts_with("this machine")), "{found:?}");
}

fn nothing_is_left_when_carnet_is_killed() {
    const NAME: &str = "host::nothing_is_left_when_carnet_is_killed";
    if let Some(id) = std::env::var_os("CARNET_TEST_VICTIM") {
        return be_killed(id.to_str().expect("our own text"));
    }
    let id = format!("victim-{}", std::process::id());
    let input = tempfile::tempdir().expect("a directory");
    let mut victim = Command::new(std::env::current_exe().expect("this program"));
    victim
        .args(["--exact", NAME, "--nocapture"])
        .env("CARNET_TEST_VICTIM", &id)
        .env("CARNET_TEST_INPUT", input.path())
        .stdout(Stdio::piped());
    let mut victim = victim.spawn().expect("it starts");
    let mut lines = BufReader::new(victim.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "started")), "the run starts");
    // The program that detaches itself may not be there yet when the other one speaks.
    let there = wait(&id, |traces| traces.len() >= 3);
    assert!(there.len() >= 3, "{there:?}");
    victim.kill().expect("it is killed");
    victim.wait().expect("it ends");
    assert_eq!(wait(&id, <[String]>::is_empty), Vec::<String>::new());
}

/// The traces once they are as wanted, or after a minute as they are then.
fn wait(id: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut found = traces(id);
    for _ in 0..600 {
        if wanted(&found) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        found = traces(id);
    }
    found
}

#[expect(clippy::print_stdout, reason = "the test that kills this process waits for the line")]
fn be_killed(id: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let input = PathBuf::from(std::env::var_os("CARNET_TEST_INPUT").expect("set beside the other"));
        let host = host(&input);
        let opened = host.open(&Reference::Host, CancellationToken::new()).await.expect("this machine");
        let script =
            format!("(setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' {id} &); echo started; sleep 60");
        let job = job(id, &input, &script);
        let (lines, mut received) = unbounded_channel();
        let show = async {
            while let Some(line) = received.recv().await {
                println!("{line}");
            }
        };
        let (outcome, ()) = tokio::join!(host.run(&opened, &job, lines, CancellationToken::new()), show);
        panic!("nobody killed this process: {outcome:?}");
    });
}

crate::support::harness::register!(
    []:
    nothing_is_left_when_carnet_is_killed,
);

crate::support::harness::register_async!(
    []:
    it_always_works,
);
