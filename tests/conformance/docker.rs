//! The Docker engine, with the input bound and with the input sent.

use std::process::Command;

use carnet::engine::docker::{Docker, Options, Transfer};

use crate::subject::{Subject, busybox};

/// The daemon that tests may use.
///
/// It is named by `CARNET_TEST_DOCKER_HOST`, as `.ci/dockerd start DIR` prints it. Without one these tests fail, unless
/// `CARNET_TEST_NO_DOCKER` says why there is none.
#[expect(clippy::print_stdout, reason = "a test says what it could not look at")]
fn daemon() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (set("CARNET_TEST_DOCKER_HOST"), set("CARNET_TEST_NO_DOCKER")) {
        (Some(host), _) => Some(host),
        (None, Some(reason)) => {
            println!("docker is not tested: {reason}");
            None
        }
        (None, None) => panic!(
            "no daemon to test with: run `eval \"$(.ci/dockerd start /tmp/carnet-dockerd)\"` as root, or set \
             CARNET_TEST_NO_DOCKER to the reason why there is none"
        ),
    }
}

/// Asks the daemon by curl, so that the engine isn't its own witness.
fn ask(host: &str, arguments: &[&str], path: &str) -> String {
    let socket = host.strip_prefix("unix://").expect("a socket of this machine");
    let mut curl = Command::new("curl");
    curl.args(["-sSf", "--max-time", "30", "--unix-socket", socket]).args(arguments);
    let output = curl.arg(format!("http://docker/v1.41{path}")).output().expect("curl is installed");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON")
}

/// Containers and volumes of any name that holds `name`, and every one that carries our label and it.
fn leftovers(host: &str, name: &str) -> Vec<String> {
    let containers = ask(host, &[], "/containers/json?all=true");
    let volumes = ask(host, &[], "/volumes");
    let images = ask(host, &[], "/images/json?filters=%7B%22label%22%3A%5B%22carnet.kept%22%5D%7D");
    [containers, volumes, images].into_iter().filter(|list| list.contains(name)).collect()
}

fn subject(transfer: Transfer, lacks: &'static [&'static str]) -> Option<Subject> {
    let host = daemon()?;
    let (searched, forgetting) = (host.clone(), host.clone());
    Some(Subject {
        engine: Box::new(Docker::new(Options { host: Some(host), network: None, transfer: Some(transfer) })),
        image: busybox(),
        lacks,
        moot: &[],
        leftovers: Box::new(move |name| leftovers(&searched, name)),
        forget: Box::new(move |key| {
            ask(&forgetting, &["-X", "DELETE"], &format!("/images/carnet-kept:{key}?force=true"));
        }),
    })
}

mod bound {
    use super::{Subject, Transfer};

    fn subject() -> Option<Subject> {
        super::subject(Transfer::Bind, &[])
    }

    crate::conformance!(subject);
}

mod sent {
    use carnet::engine::job::part;

    use super::{Subject, Transfer};

    /// Directories of this machine can't be shown to a daemon elsewhere.
    fn subject() -> Option<Subject> {
        super::subject(Transfer::Copy, &[part::MOUNT])
    }

    crate::conformance!(subject);
}
