//! The Docker engine, with the input bound and with the input sent.

use carnet::engine::docker::{Docker, Options, Transfer};
use carnet::engine::job::part;

use crate::conformance::subject::Subject;
use crate::leftovers;
use crate::support::engine::{ask, busybox, daemon};

fn subject(transfer: Transfer, lacks: &'static [&'static str]) -> Subject {
    let host = daemon();
    let (searched, forgetting) = (host.clone(), host.clone());
    Subject {
        engine: Box::new(Docker::new(Options { host: Some(host), network: None, transfer: Some(transfer) })),
        image: busybox(),
        lacks,
        moot: &[],
        leftovers: Box::new(move |name| leftovers::docker(&searched, name)),
        forget: Box::new(move |key| {
            ask(&forgetting, &["-X", "DELETE"], &format!("/images/carnet-kept:{key}?force=true"));
        }),
    }
}

/// The daemon mounts the input directory.
pub(crate) fn bound() -> Subject {
    subject(Transfer::Bind, &[])
}

/// The input is sent to the daemon. A remote daemon cannot mount directories of this machine.
pub(crate) fn sent() -> Subject {
    subject(Transfer::Copy, &[part::MOUNT])
}
