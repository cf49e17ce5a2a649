//! The Docker engine, with the input bound and with the input sent.

use carnet::engine::docker::{Docker, Options, Transfer};

use crate::fixture::{ask, busybox, daemon};
use crate::subject::Subject;

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
