//! The overhead of a cell: its time without the tests and the start of the container.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use carnet::engine::embedded::Embedded;
use carnet::engine::job::Job;
use carnet::engine::{Engine as _, ImageLocation, Opened};
use carnet::model::cell::End;
use carnet::model::contract::Contract;
use carnet::model::reference::Reference;
use carnet::sys::cache::Cache;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::measure::{output, times};
use crate::room::{CARNET, Room, cache, facility, image};
use crate::table::{Limit, Row, Table};

const RUNS: usize = 11;

pub(crate) fn figures(table: &mut Table) {
    let busybox = Bare::new("busybox");
    let tree = busybox.tree();
    let unshare = times(RUNS, || {
        output(Command::new("unshare").args(["--mount", "--pid", "--fork", "chroot"]).arg(&tree).arg("/bin/true"));
    });
    let bare = times(RUNS, || busybox.run());
    table.push(Row {
        what: "embedded engine: bare run of `true`, busybox".to_owned(),
        figure: bare.median() * 1e3,
        least: Some(bare.least() * 1e3),
        unit: "ms",
        peer: Some(("unshare, chroot", unshare.median() * 1e3)),
        limit: Limit::None,
    });
    for name in ["busybox", "bookworm-coffea"] {
        let engine = Bare::new(name);
        let bare = times(RUNS, || engine.run());
        let room = Room::new(&format!("[test]\nrun = \"true\"\n{}", facility("place", name)));
        let check = times(RUNS, || room.check_anew(&[]));
        table.push(Row {
            what: format!("check of `true` minus the bare run, {name}"),
            figure: (check.median() - bare.median()) * 1e3,
            least: Some((check.least() - bare.least()) * 1e3),
            unit: "ms",
            peer: Some(("bare run", bare.median() * 1e3)),
            limit: Limit::Figure(150.0),
        });
    }
    unchanged(table);
}

/// Measures a check with a cached setup, and a check with cached results.
fn unchanged(table: &mut Table) {
    let toml = format!(
        "[test]\nrun = \"test -e built\"\nsetup = \"sleep 1; touch built\"\n{}{}",
        facility("place", "busybox"),
        facility("other", "bookworm-coffea")
    );
    let room = Room::new(&toml);
    let fresh = times(1, || room.check(&["--fresh"])).median() * 1e3;
    let set_up = times(RUNS, || room.check_anew(&[]));
    let again = times(RUNS, || room.check(&[]));
    for (what, took, limit) in [
        ("check with a cached setup, 2 cells", set_up, Limit::None),
        ("unchanged check, 2 cells", again, Limit::Figure(200.0)),
    ] {
        table.push(Row {
            what: what.to_owned(),
            figure: took.median() * 1e3,
            least: Some(took.least() * 1e3),
            unit: "ms",
            peer: Some(("with --fresh", fresh)),
            limit,
        });
    }
}

/// An image and the engine, without a check.
struct Bare {
    runtime: Runtime,
    engine: Embedded,
    image: Opened,
    input: tempfile::TempDir,
}

impl Bare {
    fn new(name: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let engine = Embedded::new(Cache::at(cache())).with_helper(PathBuf::from(CARNET));
        let reference = Reference::OciLayout(image(name), Some("latest".to_owned()));
        let image = runtime.block_on(engine.open(&reference, CancellationToken::new())).expect("the image opens");
        Self { runtime, engine, image, input: tempfile::tempdir().expect("a directory") }
    }

    fn tree(&self) -> PathBuf {
        let ImageLocation::Trees(trees) = &self.image.location else { panic!("an unpacked image is a tree") };
        trees[0].clone()
    }

    fn run(&self) {
        let job = Job {
            id: format!("bench-{}", std::process::id()),
            argv: vec!["/bin/true".to_owned()],
            input: self.input.path().to_owned(),
            result: None,
            launcher: false,
            protected: Vec::new(),
            contract: Contract::default(),
            env: BTreeMap::new(),
            network: false,
            timeout: Duration::from_secs(60),
            output_cap: 1 << 16,
            save_as: None,
        };
        let (lines, _) = tokio::sync::mpsc::unbounded_channel();
        let done = self.runtime.block_on(self.engine.run(&self.image, &job, lines, CancellationToken::new()));
        assert_eq!(done.map(|done| done.end).ok(), Some(End::Exit { code: 0 }));
    }
}
