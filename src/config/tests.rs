//! Valid and invalid `carnet.toml` files.

use std::path::Path;

use proptest::prelude::{any, prop, proptest};

use super::Config;
use crate::model::contract::Ids;
use crate::model::finding::Severity;
use crate::model::plan::TestKind;
use crate::model::reference::Reference;

const FULL: &str = r#"
[analysis]
name = "dimuon"
reference = "af/worker"

[test]
run = ["pytest -q tests", "make check"]
setup = "pip install -r requirements.txt"
network = true
timeout = "1m30s"
retries = 2
git = true

[outputs]
"out/yields.json" = {}

[data]
inputs = ["data/dimuon.root"]

[[facility]]
id = "laptop"
engine = "host"

[[facility]]
id = "af"
role = "worker"
image = "oci:images/el9:v1"
engine = "embedded"
user = "1000:1001"
home = "/home/me"
read_only = true
tmp_size = "64m"
tmp_noexec = true
workdir = "/srv"
env = { LANG = "C" }
pass_env = ["X509_USER_PROXY"]
entrypoint = true
setup = "source /opt/setup.sh"
mounts = ["/cvmfs:/cvmfs", "/scratch:/tmp/scratch:rw"]
memory = "2g"
disk = "10g"
pids = 100
cpus = 1.5
expect = { may_fail = "the image has numpy 1", until = 2027-01-31 }

[scan]
facilities = ["desy-naf"]
select = ["site-path", "home-path"]
ignore = [
    { rule = "site-path", path = "docs/**", reason = "examples" },
    { rule = "home-path", reason = "being moved", until = 2027-01-31 },
]
exclude = ["data/**"]
baseline = "carnet-baseline.json"
severity = { home-path = "note" }
"#;

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, Path::new("/a/carnet.toml")).map_err(|error| {
        let lines = error.problems.iter().map(|problem| {
            let (line, column) = error.position(problem.span.start);
            let help = problem.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
            format!("{line}:{column} {}{help}", problem.message)
        });
        lines.collect()
    })
}

#[test]
fn every_key_is_read() {
    let config = parse(FULL).expect("valid");
    assert_eq!(config.test.run[0].0, TestKind::Pytest);
    assert_eq!(config.test.run[1].0, TestKind::Make);
    assert_eq!((config.test.timeout, config.test.retries), (90, 2));
    let af = &config.facilities[1];
    assert_eq!(af.image, Reference::OciLayout("/a/images/el9".into(), Some("v1".into())));
    assert_eq!(af.cell(), "af/worker");
    let contract = &af.contract;
    assert_eq!(contract.user.map(|ids| (ids.uid, ids.gid)), Some((1000, 1001)));
    assert_eq!((contract.memory, contract.disk), (Some(2 << 30), Some(10 << 30)));
    assert_eq!((contract.pids, contract.milli_cpus), (Some(100), Some(1500)));
    assert_eq!(contract.tmp.as_ref().map(|tmp| (tmp.size, tmp.noexec)), Some((Some(64 << 20), true)));
    assert!(contract.mounts[1].writable && !contract.mounts[0].writable);
    let expect = af.expect.as_ref().expect("an expectation");
    assert_eq!(expect.until.map(|date| date.to_string()).as_deref(), Some("2027-01-31"));
    let scan = &config.scan;
    let ignores: Vec<(&str, &str, &str)> =
        scan.ignore.iter().map(|i| (i.rule.name.as_str(), i.glob.as_str(), i.reason.as_str())).collect();
    assert_eq!(ignores, [("site-path", "docs/**", "examples"), ("home-path", "**", "being moved")]);
    assert!(FULL.lines().nth(scan.ignore[1].line as usize - 1).is_some_and(|line| line.contains("being moved")));
    assert_eq!(scan.severities(), [("home-path".to_owned(), Severity::Note)].into());
    assert_eq!(
        (scan.exclude.as_slice(), scan.baseline.as_deref()),
        (&["data/**".to_owned()][..], Some("carnet-baseline.json"))
    );
}

#[test]
fn invalid_scan_options_are_reported() {
    let problems = parse(
        "[scan]\nignore = [{ rule = \"site-path\" }, { reason = \"x\" }]\nexclude = [\"a[\", \"../b\"]\nseverity = { x = \"bad\" }\nselct = 1\n",
    )
    .expect_err("several errors");
    let expected = [
        "2:11 missing `reason` in `ignore`",
        "2:35 missing `rule` in `ignore`",
        "3:12 invalid glob `a[`",
        "3:18 invalid path `../b`",
        "4:18 invalid severity `bad`",
        "5:1 unknown key `selct` [did you mean `select`?]",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "`{problem}` does not start with `{expected}`");
    }
}

#[test]
fn unknown_rules_and_facilities_are_reported_with_a_suggestion() {
    let config = parse(FULL).expect("valid");
    assert_eq!(config.scan.unknown_names(&["desy-naf"], &["site-path", "home-path"]), []);
    let problems = config.scan.unknown_names(&["fnal-lpc"], &["site-paths", "home-path"]);
    let found: Vec<(&str, Option<&str>)> =
        problems.iter().map(|p| (&FULL[p.span.clone()], p.help.as_deref())).collect();
    let meant = Some("did you mean `site-paths`?");
    assert_eq!(
        found,
        [
            ("\"desy-naf\"", Some("run `carnet facilities list` to list the known facilities")),
            ("\"site-path\"", meant),
            ("\"site-path\"", meant),
        ]
    );
}

#[test]
fn empty_file_is_valid() {
    assert_eq!(parse(""), Ok(Config::empty()));
}

#[test]
fn every_problem_is_reported_at_its_position() {
    let problems = parse(
        "[analysis]\nnmae = \"x\"\nreference = \"nowhere\"\n[test]\ntimeout = \"soon\"\nretries = 99\n[[facility]]\nid = \"A b\"\n\
         image = \"ftp:x\"\nuser = \"me\"\n[[facility]]\nid = \"c\"\n",
    )
    .expect_err("several errors");
    let starts: Vec<&str> = problems.iter().map(|line| line.split(' ').next().expect("a position")).collect();
    assert_eq!(starts, ["2:1", "3:13", "5:11", "6:11", "8:6", "9:9", "10:8", "11:1"], "{problems:#?}");
    assert_eq!(problems[0], "2:1 unknown key `nmae` [did you mean `name`?]");
    assert!(problems[5].contains("unknown transport `ftp`"), "{}", problems[5]);
}

#[test]
fn only_syntax_errors_are_reported_for_invalid_toml() {
    let problems = parse("[test\nrun = 1\n").expect_err("invalid TOML");
    assert!(problems[0].starts_with("1:"), "{problems:?}");
}

#[test]
fn facility_of_the_catalogue_provides_image_and_contract() {
    let config = parse(
        "[[facility]]\nuse = \"unl-coffea-casa\"\nrole = \"notebook\"\n[[facility]]\nuse = \"unl-coffea-casa\"\nid = \"ours\"\n\
         image = \"docker://x/y:1\"\nuser = \"7:8\"\nentrypoint = false\n[[facility]]\nuse = \"fnal-lpc\"\n",
    )
    .expect("valid");
    let [casa, ours, lpc] = config.facilities.as_slice() else { panic!("three: {config:?}") };
    assert_eq!(casa.cell(), "unl-coffea-casa/notebook");
    assert!(casa.written.starts_with("docker://hub.opensciencegrid.org/coffea-casa/"), "{}", casa.written);
    assert_eq!((casa.contract.user, casa.contract.entrypoint), (Some(Ids { uid: 6440, gid: 11265 }), true));
    assert_eq!((ours.cell().as_str(), ours.written.as_str()), ("ours", "docker://x/y:1"));
    assert_eq!((ours.contract.user, ours.contract.entrypoint), (Some(Ids { uid: 7, gid: 8 }), false));
    assert!(lpc.contract.read_only, "Apptainer");
}

#[test]
fn missing_catalogue_entries_are_reported_at_their_position() {
    let problems = parse("[[facility]]\nuse = \"desy-nav\"\n[[facility]]\nuse = \"wisconsin\"\n").expect_err("neither");
    assert!(problems[0].starts_with("2:7 unknown facility `desy-nav` [did you mean `desy-naf`?"), "{problems:?}");
    assert!(
        problems[1].starts_with("4:7 the catalogue has no complete image reference for `wisconsin`"),
        "{problems:?}"
    );
    parse("[[facility]]\nuse = \"wisconsin\"\nengine = \"host\"\n").expect("the host needs no image");
}

#[test]
fn duplicate_facility_is_reported() {
    let facility = "[[facility]]\nid = \"a\"\nengine = \"host\"\n";
    let problems = parse(&format!("{facility}{facility}")).expect_err("twice");
    assert_eq!(problems, ["5:6 duplicate facility `a` [give each facility a different `id` or `role`]"]);
}

#[test]
fn host_engine_rejects_an_image() {
    let problems = parse("[[facility]]\nid = \"a\"\nengine = \"host\"\nimage = \"dir:/x\"\n").expect_err("both");
    assert!(problems[0].starts_with("4:9 "), "{problems:?}");
}

fn json(value: toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(array) => array.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
    }
}

#[test]
fn configurations_of_earlier_versions_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("tests/data/golden/0.1.0/carnet.toml")).expect("a file");
    let config = parse(&text).expect("valid");
    let cells: Vec<String> = config.facilities.iter().map(super::Facility::cell).collect();
    assert_eq!(cells, ["laptop", "laptop/worker", "prelude", "missing", "unl-coffea-casa/notebook"]);
    let schema = std::fs::read_to_string(root.join("docs/schema/config.json")).expect("a schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let value = json(toml::from_str(&text).expect("TOML"));
    let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

proptest! {
    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = parse(&text);
    }

    #[test]
    fn invalid_file_has_problems(at in 0..FULL.len(), with in "\\PC{0,4}") {
        let mut text = FULL.to_owned();
        text.replace_range(at..=at, &with);
        if let Err(problems) = parse(&text) {
            assert!(!problems.is_empty());
        }
    }
}
