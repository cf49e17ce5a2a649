//! What `carnet.toml` may say, and how it is refused.

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
pids = 100
cpus = 1.5
expect = { may_fail = "numpy 1 there", until = 2027-01-31 }

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
            let (line, column) = error.place(problem.span.start);
            let help = problem.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
            format!("{line}:{column} {}{help}", problem.message)
        });
        lines.collect()
    })
}

#[test]
fn everything_is_understood() {
    let config = parse(FULL).expect("valid");
    assert_eq!(config.test.run[0].0, TestKind::Pytest);
    assert_eq!(config.test.run[1].0, TestKind::Make);
    assert_eq!((config.test.timeout, config.test.retries), (90, 2));
    let af = &config.facilities[1];
    assert_eq!(af.image, Reference::OciLayout("/a/images/el9".into(), Some("v1".into())));
    assert_eq!(af.cell(), "af/worker");
    let contract = &af.contract;
    assert_eq!(contract.user.map(|ids| (ids.uid, ids.gid)), Some((1000, 1001)));
    assert_eq!((contract.memory, contract.pids, contract.milli_cpus), (Some(2 << 30), Some(100), Some(1500)));
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
fn an_ignore_needs_its_rule_and_its_reason() {
    let problems = parse(
        "[scan]\nignore = [{ rule = \"site-path\" }, { reason = \"x\" }]\nexclude = [\"a[\", \"../b\"]\nseverity = { x = \"bad\" }\nselct = 1\n",
    )
    .expect_err("wrong in many ways");
    let wanted = [
        "2:11 an ignore needs its reason",
        "2:35 an ignore needs its rule",
        "3:12 `a[` is no glob",
        "3:18 `../b` is no path inside",
        "4:18 no severity `bad`",
        "5:1 unknown key `selct` [did you mean `select`?]",
    ];
    assert_eq!(problems.len(), wanted.len(), "{problems:#?}");
    for (problem, wanted) in problems.iter().zip(wanted) {
        assert!(problem.starts_with(wanted), "{problem} is not {wanted}");
    }
}

#[test]
fn names_that_only_the_caller_knows_are_refused_with_a_suggestion() {
    let config = parse(FULL).expect("valid");
    assert_eq!(config.scan.unknown(&["desy-naf"], &["site-path", "home-path"]), []);
    let problems = config.scan.unknown(&["fnal-lpc"], &["site-paths", "home-path"]);
    let said: Vec<(&str, Option<&str>)> = problems.iter().map(|p| (&FULL[p.span.clone()], p.help.as_deref())).collect();
    let meant = Some("did you mean `site-paths`?");
    assert_eq!(
        said,
        [
            ("\"desy-naf\"", Some("carnet facilities list shows those there are")),
            ("\"site-path\"", meant),
            ("\"site-path\"", meant),
        ]
    );
}

#[test]
fn nothing_is_fine_too() {
    assert_eq!(parse(""), Ok(Config::empty()));
}

#[test]
fn every_problem_is_reported_at_its_place() {
    let problems = parse(
        "[analysis]\nnmae = \"x\"\nreference = \"nowhere\"\n[test]\ntimeout = \"soon\"\nretries = 99\n[[facility]]\nid = \"A b\"\n\
         image = \"ftp:x\"\nuser = \"me\"\n[[facility]]\nid = \"c\"\n",
    )
    .expect_err("wrong in many ways");
    let starts: Vec<&str> = problems.iter().map(|line| line.split(' ').next().expect("a place")).collect();
    assert_eq!(starts, ["2:1", "3:13", "5:11", "6:11", "8:6", "9:9", "10:8", "11:1"], "{problems:#?}");
    assert_eq!(problems[0], "2:1 unknown key `nmae` [did you mean `name`?]");
    assert!(problems[5].contains("`ftp` is no transport"), "{}", problems[5]);
}

#[test]
fn a_syntax_error_is_reported_alone() {
    let problems = parse("[test\nrun = 1\n").expect_err("no TOML");
    assert!(problems[0].starts_with("1:"), "{problems:?}");
}

#[test]
fn a_facility_of_the_catalogue_brings_its_image_and_contract() {
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
fn what_the_catalogue_does_not_know_is_said_at_its_place() {
    let problems = parse("[[facility]]\nuse = \"desy-nav\"\n[[facility]]\nuse = \"wisconsin\"\n").expect_err("neither");
    assert!(
        problems[0].starts_with("2:7 no facility `desy-nav` in the catalogue [did you mean `desy-naf`?"),
        "{problems:?}"
    );
    assert!(problems[1].starts_with("4:7 the catalogue knows no image of `wisconsin`"), "{problems:?}");
    parse("[[facility]]\nuse = \"wisconsin\"\nengine = \"host\"\n").expect("on its own node it needs none");
}

#[test]
fn one_facility_can_not_stand_twice() {
    let one = "[[facility]]\nid = \"a\"\nengine = \"host\"\n";
    let problems = parse(&format!("{one}{one}")).expect_err("twice");
    assert_eq!(problems, ["5:6 a second facility `a` [give each another id or role]"]);
}

#[test]
fn the_host_engine_and_images_exclude_each_other() {
    let problems = parse("[[facility]]\nid = \"a\"\nengine = \"host\"\nimage = \"dir:/x\"\n").expect_err("both");
    assert!(problems[0].starts_with("4:9 "), "{problems:?}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = parse(&text);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..FULL.len(), with in "\\PC{0,4}") {
        let mut text = FULL.to_owned();
        text.replace_range(at..=at, &with);
        if let Err(problems) = parse(&text) {
            assert!(!problems.is_empty());
        }
    }
}
