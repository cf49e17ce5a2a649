//! Tests of the keys, and of damaged, old and foreign entries.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{InputKey, ResultKey, ResultStore, TestSubject, is_cacheable};
use crate::check::cell_status::not_run;
use crate::check::plan::this_machine;
use crate::config::{Config, Facility};
use crate::engine::docker::{self, Docker};
use crate::engine::embedded::Embedded;
use crate::model::cell::{Captured, End, Seconds, Step, TestCase};
use crate::model::contract::Mount;
use crate::model::digest::Digest;
use crate::model::document::{Cell, Status};
use crate::model::image::ImageIdentity;
use crate::model::plan::{TestCommand, TestKind};
use crate::model::reference::Reference;
use crate::sys::cache::Cache;
use crate::sys::clock;

fn facility() -> Facility {
    Facility { image: Reference::OciLayout(PathBuf::from("image"), None), engine: None, ..this_machine() }
}

fn identity(config: &str) -> ImageIdentity {
    let config_digest = Some(Digest::of(config.as_bytes()));
    ImageIdentity { config_digest, platform: "linux/amd64".to_owned(), ..ImageIdentity::default() }
}

fn tests() -> Vec<TestCommand> {
    vec![TestCommand { name: "t.sh".to_owned(), kind: TestKind::Script, run: "./t.sh".to_owned() }]
}

fn input_key(config: &Config, facility: &Facility, tests: &[TestCommand], tree: &str) -> InputKey {
    InputKey::new(TestSubject { config, tests, tree: &Digest::of(tree.as_bytes()) }, facility).expect("an input key")
}

fn embedded() -> Embedded {
    Embedded::new(Cache::at(PathBuf::from("cache")))
}

fn key() -> ResultKey {
    let input = input_key(&Config::empty(), &facility(), &tests(), "tree");
    ResultKey::new(input, &identity("image"), &embedded()).expect("a key")
}

fn cell(status: Status, end: End) -> Cell {
    let step = Step {
        name: "t.sh".to_owned(),
        kind: None,
        run: "./t.sh".to_owned(),
        end,
        attempts: 1,
        output: None,
        cases: Vec::new(),
        unread: None,
        timing: Seconds { seconds: 2.5 },
    };
    let mut cell = not_run(&facility(), "");
    (cell.status, cell.reason) = (status, None);
    cell.steps = vec![step];
    cell
}

fn passed() -> Cell {
    cell(Status::Passed, End::Exit { code: 0 })
}

fn store() -> (tempfile::TempDir, ResultStore, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = ResultStore::new(&Cache::at(dir.path().to_owned()));
    store.put(&key(), &passed(), None).expect("written");
    let entry = dir.path().join("results").join(format!("{}.json", key().name()));
    (dir, store, entry)
}

#[test]
fn input_key_depends_on_every_input() {
    let (config, facility, tests) = (Config::empty(), facility(), tests());
    let same = input_key(&config, &facility, &tests, "tree");
    assert_eq!(same, input_key(&config, &facility, &tests, "tree"));
    let mut others = vec![input_key(&config, &facility, &tests, "another tree")];
    let changes: [fn(&mut Config); 6] = [
        |config| config.test.setup = Some("pip install x".to_owned()),
        |config| config.test.timeout += 1,
        |config| config.test.retries += 1,
        |config| config.test.git = true,
        |config| config.outputs = vec!["out".to_owned()],
        |config| config.inputs = vec!["in".to_owned()],
    ];
    for change in changes {
        let mut config = config.clone();
        change(&mut config);
        others.push(input_key(&config, &facility, &tests, "tree"));
    }
    let changes: [fn(&mut Facility); 5] = [
        |facility| facility.id = "other".to_owned(),
        |facility| facility.role = Some("worker".to_owned()),
        |facility| facility.contract.read_only = true,
        |facility| facility.contract.prelude = Some("source /x".to_owned()),
        // Set in every test process.
        |facility| facility.contract.pass_env = vec!["PATH".to_owned()],
    ];
    for change in changes {
        let mut facility = facility.clone();
        change(&mut facility);
        others.push(input_key(&config, &facility, &tests, "tree"));
    }
    let more = [tests.clone(), tests].concat();
    others.push(input_key(&config, &facility, &more, "tree"));
    others.push(same);
    let number = others.len();
    others.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    others.dedup();
    assert_eq!(others.len(), number, "two inputs have the same key");
}

#[test]
fn result_key_depends_on_image_and_engine() {
    let input = || input_key(&Config::empty(), &facility(), &tests(), "tree");
    let other = ResultKey::new(input(), &identity("another image"), &embedded());
    assert_ne!(other, Some(key()));
    let docker =
        |host: &str| Docker::new(docker::Options { host: Some(host.to_owned()), ..docker::Options::default() });
    let on_docker = |host| ResultKey::new(input(), &identity("image"), &docker(host));
    assert_ne!(on_docker("unix:///run/docker.sock"), Some(key()));
    assert_ne!(on_docker("unix:///run/docker.sock"), on_docker("tcp://127.0.0.1:2375"), "another daemon");
    let nameless = ImageIdentity { config_digest: None, ..identity("image") };
    assert_eq!(ResultKey::new(input(), &nameless, &embedded()), None);
}

#[test]
fn cells_with_unknown_inputs_are_not_cacheable() {
    let config = Config::empty();
    assert!(is_cacheable(&config, &facility()));
    assert!(!is_cacheable(&config, &this_machine()));
    let tree = Facility { image: Reference::Tree(PathBuf::from("/cvmfs/x")), ..facility() };
    assert!(!is_cacheable(&config, &tree));
    let mut mounted = facility();
    mounted.contract.mounts = vec![Mount { source: "/data".to_owned(), target: "/data".to_owned(), writable: false }];
    assert!(!is_cacheable(&config, &mounted));
    let mut online = config;
    online.test.network = true;
    assert!(!is_cacheable(&online, &facility()));
}

#[test]
fn stored_result_is_returned_unchanged() {
    let (_dir, store, _) = store();
    let cached = store.get(&key()).expect("readable").expect("a cached result");
    let mut cell = not_run(&facility(), "");
    assert!(cached.apply_to(&mut cell).is_none());
    assert_eq!((cell.status, cell.cached, cell.reason.as_deref()), (Status::Passed, true, None));
    assert_eq!(cell.steps, passed().steps);
    let newest = store.newest(&key().input).expect("a cached result");
    assert_eq!(newest.cell.status, Status::Passed);
}

#[test]
fn only_reproducible_results_are_cached() {
    let (_dir, store, _) = store();
    store.evict();
    for (status, end, is_cached) in [
        (Status::Failed, End::Exit { code: 1 }, true),
        (Status::Failed, End::Signal { signal: 11 }, true),
        (Status::Failed, End::Signal { signal: 9 }, false),
        (Status::Failed, End::Exit { code: 137 }, false),
        (Status::Failed, End::Timeout { seconds: 1 }, false),
        (Status::Failed, End::OutOfMemory {}, false),
        (Status::Error, End::Exit { code: 0 }, false),
        (Status::Flaky, End::Exit { code: 0 }, false),
        (Status::Skipped, End::Exit { code: 0 }, false),
    ] {
        let input = input_key(&Config::empty(), &facility(), &tests(), &format!("{status:?} {end:?}"));
        let key = ResultKey::new(input, &identity("image"), &embedded()).expect("a key");
        store.put(&key, &cell(status, end.clone()), None).expect("no error");
        assert_eq!(store.get(&key).expect("readable").is_some(), is_cached, "{status:?} {end:?}");
    }
}

#[test]
fn damaged_entry_is_reported() {
    let (dir, store, entry) = store();
    let good = fs::read(&entry).expect("an entry");
    let text = String::from_utf8(good.clone()).expect("text");
    let head = text.lines().next().expect("a line").to_owned();
    let damaged: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\n".to_vec(),
        b"{}\n{}".to_vec(),
        b"\xff\0garbage\n".to_vec(),
        good[..good.len() - 1].to_vec(),
        text.replace("2.5", "9.5").into_bytes(),
        text.replace(&key().name(), "another/key").into_bytes(),
        // A valid digest with a status that is never cached.
        {
            let body = text.lines().nth(1).expect("a body").replace("\"passed\"", "\"error\"");
            let old = Digest::of(text.lines().nth(1).expect("a body").as_bytes());
            format!("{}\n{body}", head.replace(old.as_str(), Digest::of(body.as_bytes()).as_str())).into_bytes()
        },
    ];
    for bytes in damaged {
        fs::write(&entry, &bytes).expect("written");
        let message = store.get(&key()).expect_err("a damaged entry").to_string();
        assert!(message.starts_with("ignored the cached result"), "{message}");
        assert!(store.newest(&key().input).is_none());
    }
    fs::remove_file(&entry).expect("removed");
    let outside = dir.path().join("outside.json");
    fs::write(&outside, &good).expect("written");
    symlink(&outside, &entry).expect("a link");
    assert!(store.get(&key()).is_err(), "a link is not an entry");
    fs::remove_file(&entry).expect("removed");
    fs::create_dir(&entry).expect("a directory");
    assert!(store.get(&key()).is_err(), "a directory is not an entry");
}

#[test]
fn entries_of_other_versions_and_old_entries_are_ignored() {
    let (_dir, store, entry) = store();
    let text = fs::read_to_string(&entry).expect("an entry");
    let stored = |date: &str| {
        let at = text.find("\"stored\":\"").expect("a date") + 10;
        format!("{}{date}{}", &text[..at], &text[at + text[at..].find('"').expect("its end")..])
    };
    for other in [
        text.replacen("carnet/result@1", "carnet/result@2", 1),
        text.replacen(&format!("\"version\":\"{}\"", env!("CARGO_PKG_VERSION")), "\"version\":\"99.0.0\"", 1),
        stored("2001-01-01T00:00:00Z"),
        stored("2999-01-01T00:00:00Z"),
    ] {
        assert_ne!(other, text);
        fs::write(&entry, other).expect("written");
        assert!(store.get(&key()).expect("no error").is_none());
    }
}

#[test]
fn old_entries_and_abandoned_files_are_evicted() {
    let (dir, store, entry) = store();
    let half = dir.path().join("results/.new-abc");
    fs::write(&half, "x").expect("written");
    assert_eq!(store.evict(), 0);
    let long_ago = clock::system_now() - std::time::Duration::from_secs(40 * 24 * 3600);
    for path in [&half, &entry] {
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(long_ago)).expect("a time");
    }
    assert_eq!(store.evict(), 2);
    assert!(!entry.exists() && !half.exists() && store.is_empty(), "an empty directory is left");
}

#[test]
fn results_of_a_full_disk_or_without_a_limit_are_not_cached() {
    let is_cached = |change: &dyn Fn(&mut Cell)| {
        let (_dir, store, entry) = store();
        fs::remove_file(&entry).expect("removed");
        let mut cell = cell(Status::Failed, End::Exit { code: 1 });
        change(&mut cell);
        store.put(&key(), &cell, None).expect("no error");
        entry.exists()
    };
    let captured = |text: &str| Some(Captured { text: text.to_owned(), dropped: 0 });
    assert!(is_cached(&|cell| cell.steps[0].output = captured("the yield is wrong")));
    for text in ["dd: error writing 'x': No space left on device", "OSError: [Errno 122] Disk quota exceeded: 'x'"] {
        assert!(!is_cached(&|cell| cell.steps[0].output = captured(text)), "{text}");
        let case = |output, message: &str| {
            let json = r#"{"name":"","class":"","outcome":"failed","timing":{"seconds":0}}"#;
            TestCase { output, message: message.to_owned(), ..serde_json::from_str(json).expect("a case") }
        };
        assert!(!is_cached(&|cell| cell.steps[0].cases = vec![case(captured(text), "")]), "{text}");
        assert!(!is_cached(&|cell| cell.steps[0].cases = vec![case(None, text)]), "{text}");
    }
    let without = |entry: &str| is_cached(&|cell| cell.not_enforced = vec![entry.to_owned()]);
    assert!(!without("memory limit: no memory control group here"));
    assert!(!without("process limit: no pids control group here"));
    assert!(!without("processor limit: this kernel can't enforce it"));
    assert!(!without("network: failed to bind `/etc/hosts`: denied"));
    // The user and the engine are parts of the key.
    assert!(without("user: carnet does not run as root"));
}
