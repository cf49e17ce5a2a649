//! The shape of `carnet.toml`, key by key. The descriptions here are those of the JSON Schema that editors show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::fields::{Fields, read as read_value};
use super::problem::Problem;

/// The configuration of carnet for one analysis.
#[derive(Debug, Default, JsonSchema)]
#[schemars(title = "carnet.toml", deny_unknown_fields)]
pub struct File {
    /// What is checked.
    pub(super) analysis: Analysis,
    /// How it is tested.
    pub(super) test: Test,
    /// Files that the tests write and whose content is compared between cells: a path or glob relative to the
    /// analysis as key, an empty table as value.
    #[schemars(with = "BTreeMap<String, Output>")]
    pub(super) outputs: Vec<Spanned<String>>,
    /// Files that the tests read.
    pub(super) data: Data,
    /// Where it must run.
    pub(super) facility: Vec<Facility>,
    /// How the static audit is made.
    pub(super) scan: Scan,
}

/// How the static audit is made.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Scan {
    /// Facilities that findings are told for, by their ids in the catalogue; by default all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) facilities: Vec<Spanned<String>>,
    /// Rules that run; by default all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) select: Vec<Spanned<String>>,
    /// Findings that are known and accepted: they are counted, and not reported.
    pub(super) ignore: Vec<Ignore>,
    /// Files that are not looked at, as globs relative to the analysis: `data/**`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) exclude: Vec<Spanned<String>>,
    /// Path of the baseline, relative to the analysis: findings in it are counted, and not reported.
    #[schemars(with = "Option<String>")]
    pub(super) baseline: Option<Spanned<String>>,
    /// Severities in place of the rules' own: `site-path = "note"`.
    #[schemars(with = "BTreeMap<String, crate::model::finding::Severity>")]
    pub(super) severity: Vec<(Spanned<String>, Spanned<String>)>,
}

/// Findings that are known and accepted.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Ignore {
    /// The rule.
    #[schemars(required, with = "String")]
    pub(super) rule: Option<Spanned<String>>,
    /// Glob of the paths, relative to the analysis: `docs/**`; by default all.
    #[schemars(with = "Option<String>")]
    pub(super) path: Option<Spanned<String>>,
    /// Why it is accepted.
    #[schemars(required, with = "String")]
    pub(super) reason: Option<Spanned<String>>,
    /// Last day on which it is accepted, as a TOML date.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(super) until: Option<Spanned<Datetime>>,
    /// Where the table stands in the file.
    #[schemars(skip)]
    pub(super) span: std::ops::Range<usize>,
}

/// How one output is compared: for now by its content.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Output {}

/// What is checked.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Analysis {
    /// Name of the analysis; by default that of its directory.
    #[schemars(with = "Option<String>")]
    pub(super) name: Option<Spanned<String>>,
    /// Cell that the others are compared with; by default the first that passes, else the first.
    #[schemars(with = "Option<String>")]
    pub(super) reference: Option<Spanned<String>>,
}

/// How it is tested.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Test {
    /// Command, or list of commands, run by the shell at the top of the analysis. By default detected: pytest, unittest,
    /// ctest, `make test` or `make check`, ROOT macros, a REANA workflow, shell scripts.
    #[schemars(with = "Option<OneOrMany>")]
    pub(super) run: Vec<Spanned<String>>,
    /// Command that gets the environment ready, with network: `pip install -r requirements.txt`. What it changes is kept
    /// and used again until the command, the image or the files of the analysis change.
    #[schemars(with = "Option<String>")]
    pub(super) setup: Option<Spanned<String>>,
    /// Whether the tests may use the network; by default not.
    #[schemars(with = "Option<bool>")]
    pub(super) network: Option<Spanned<bool>>,
    /// Time each command may take: `90s`, `10m`, `1h30m`; by default ten minutes.
    #[schemars(with = "Option<String>")]
    pub(super) timeout: Option<Spanned<String>>,
    /// How often a failed command is tried again; by default never. A pass after a retry is flaky, never green.
    #[schemars(with = "Option<u32>")]
    pub(super) retries: Option<Spanned<u32>>,
    /// Whether the tests see `.git`; by default not.
    #[schemars(with = "Option<bool>")]
    pub(super) git: Option<Spanned<bool>>,
}

/// One command or several.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "stands in the schema")]
pub(super) enum OneOrMany {
    /// One command.
    One(String),
    /// Several, run in order.
    Many(Vec<String>),
}

/// Files that the tests read.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Data {
    /// Paths relative to the analysis, whose content is recorded.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) inputs: Vec<Spanned<String>>,
}

/// A place where the analysis must run: an image, or this machine, and a runtime contract.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Facility {
    /// A facility of the catalogue (`carnet facilities list`), whose image and contract are taken; what else is written here
    /// goes before.
    #[schemars(with = "Option<String>", rename = "use")]
    pub(super) like: Option<Spanned<String>>,
    /// Identifier: lowercase letters, digits and hyphens. Needed without `use`.
    #[schemars(with = "Option<String>")]
    pub(super) id: Option<Spanned<String>>,
    /// Role, when one facility stands several times with different contracts: `login`, `notebook`, `worker`, `ci`.
    #[schemars(with = "Option<String>")]
    pub(super) role: Option<Spanned<String>>,
    /// Image: `docker://NAME:TAG`, `docker-daemon:NAME:TAG`, `docker-archive:FILE`, `oci:DIR[:TAG]`,
    /// `oci-archive:FILE[:TAG]`, `dir:ROOTFS`. Not needed with `engine = "host"`.
    #[schemars(with = "Option<String>")]
    pub(super) image: Option<Spanned<String>>,
    /// Engine that must run it: `docker`, `embedded` or `host`; by default the first that works and can take the image.
    #[schemars(with = "Option<crate::model::engine::EngineKind>")]
    pub(super) engine: Option<Spanned<String>>,
    /// Numeric user and group, as `1000:1000`; by default the image's.
    #[schemars(with = "Option<String>")]
    pub(super) user: Option<Spanned<String>>,
    /// Value of HOME; made when the image lacks it.
    #[schemars(with = "Option<String>")]
    pub(super) home: Option<Spanned<String>>,
    /// Whether the root file system is read-only, as under Apptainer.
    #[schemars(with = "Option<bool>")]
    pub(super) read_only: Option<Spanned<bool>>,
    /// Size of /tmp: `64m`.
    #[schemars(with = "Option<String>")]
    pub(super) tmp_size: Option<Spanned<String>>,
    /// Whether programs can't be started from /tmp.
    #[schemars(with = "Option<bool>")]
    pub(super) tmp_noexec: Option<Spanned<bool>>,
    /// Directory the tests start in; by default the top of the analysis.
    #[schemars(with = "Option<String>")]
    pub(super) workdir: Option<Spanned<String>>,
    /// Variables set for every command, over those of the image.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(super) env: Option<Spanned<BTreeMap<String, String>>>,
    /// Names of variables passed on from where carnet runs, when they are set there.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) pass_env: Vec<Spanned<String>>,
    /// Whether the image's entrypoint is run; by default not, as in most batch systems.
    #[schemars(with = "Option<bool>")]
    pub(super) entrypoint: Option<Spanned<bool>>,
    /// Shell lines run before each command, in the same shell: `source /opt/conda/bin/activate`.
    #[schemars(with = "Option<String>")]
    pub(super) setup: Option<Spanned<String>>,
    /// Directories of this machine seen inside, as `SOURCE:TARGET` or `SOURCE:TARGET:rw`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) mounts: Vec<Spanned<String>>,
    /// Memory limit: `2g`.
    #[schemars(with = "Option<String>")]
    pub(super) memory: Option<Spanned<String>>,
    /// Limit on the number of processes.
    #[schemars(with = "Option<u64>")]
    pub(super) pids: Option<Spanned<u64>>,
    /// Processors: `1.5`.
    #[schemars(with = "Option<f64>")]
    pub(super) cpus: Option<Spanned<f64>>,
    /// A failure here that is known and forgiven.
    pub(super) expect: Option<Expect>,
    /// Where the table stands in the file.
    #[schemars(skip)]
    pub(super) span: std::ops::Range<usize>,
}

/// A failure that is known and forgiven.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Expect {
    /// Why it may fail.
    #[schemars(required, with = "String")]
    pub(super) may_fail: Option<Spanned<String>>,
    /// Last day on which it is forgiven, as a TOML date.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(super) until: Option<Spanned<Datetime>>,
    /// Where the table stands in the file.
    #[schemars(skip)]
    pub(super) span: std::ops::Range<usize>,
}

/// Reads the text as far as it can be read; what can't goes into `problems`.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> File {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(Problem { span, message: error.message().to_owned(), help: None });
    }
    if !problems.is_empty() {
        // What a broken file seems to say would only add riddles to the syntax errors.
        return File::default();
    }
    let span = table.span();
    file(Spanned::new(span, DeValue::Table(table.into_inner())), problems)
}

fn file(value: Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> File {
    let mut top = Fields::new(value, problems);
    let mut file = File::default();
    if let Some(value) = top.value("analysis") {
        file.analysis = analysis(Fields::new(value, top.problems()));
    }
    if let Some(value) = top.value("test") {
        file.test = test(Fields::new(value, top.problems()));
    }
    if let Some(value) = top.value("outputs") {
        file.outputs = outputs(Fields::new(value, top.problems()));
    }
    if let Some(value) = top.value("data") {
        file.data = data(Fields::new(value, top.problems()));
    }
    for value in top.list("facility") {
        file.facility.push(facility(Fields::new(value, top.problems())));
    }
    if let Some(value) = top.value("scan") {
        file.scan = scan(Fields::new(value, top.problems()));
    }
    top.finish();
    file
}

fn analysis(mut fields: Fields<'_, '_>) -> Analysis {
    let analysis = Analysis { name: fields.get("name"), reference: fields.get("reference") };
    fields.finish();
    analysis
}

fn test(mut fields: Fields<'_, '_>) -> Test {
    let test = Test {
        run: strings(&mut fields, "run"),
        setup: fields.get("setup"),
        network: fields.get("network"),
        timeout: fields.get("timeout"),
        retries: fields.get("retries"),
        git: fields.get("git"),
    };
    fields.finish();
    test
}

fn outputs(mut fields: Fields<'_, '_>) -> Vec<Spanned<String>> {
    let mut paths = Vec::new();
    for (path, value) in fields.rest() {
        Fields::new(value, fields.problems()).finish();
        paths.push(path);
    }
    paths
}

fn data(mut fields: Fields<'_, '_>) -> Data {
    let data = Data { inputs: strings(&mut fields, "inputs") };
    fields.finish();
    data
}

fn facility(mut fields: Fields<'_, '_>) -> Facility {
    let facility = Facility {
        like: fields.get("use"),
        id: fields.get("id"),
        role: fields.get("role"),
        image: fields.get("image"),
        engine: fields.get("engine"),
        user: fields.get("user"),
        home: fields.get("home"),
        read_only: fields.get("read_only"),
        tmp_size: fields.get("tmp_size"),
        tmp_noexec: fields.get("tmp_noexec"),
        workdir: fields.get("workdir"),
        env: fields.get("env"),
        pass_env: strings(&mut fields, "pass_env"),
        entrypoint: fields.get("entrypoint"),
        setup: fields.get("setup"),
        mounts: strings(&mut fields, "mounts"),
        memory: fields.get("memory"),
        pids: fields.get("pids"),
        cpus: fields.get("cpus"),
        expect: fields.value("expect").map(|value| expect(Fields::new(value, fields.problems()))),
        span: fields.span(),
    };
    fields.finish();
    facility
}

fn expect(mut fields: Fields<'_, '_>) -> Expect {
    let expect = Expect { may_fail: fields.get("may_fail"), until: fields.get("until"), span: fields.span() };
    fields.finish();
    expect
}

fn scan(mut fields: Fields<'_, '_>) -> Scan {
    let mut scan = Scan {
        facilities: strings(&mut fields, "facilities"),
        select: strings(&mut fields, "select"),
        exclude: strings(&mut fields, "exclude"),
        baseline: fields.get("baseline"),
        ..Scan::default()
    };
    for value in fields.list("ignore") {
        scan.ignore.push(ignore(Fields::new(value, fields.problems())));
    }
    if let Some(value) = fields.value("severity") {
        let mut table = Fields::new(value, fields.problems());
        for (rule, value) in table.rest() {
            scan.severity.extend(read_value(value, table.problems()).map(|severity| (rule, severity)));
        }
    }
    fields.finish();
    scan
}

fn ignore(mut fields: Fields<'_, '_>) -> Ignore {
    let ignore = Ignore {
        rule: fields.get("rule"),
        path: fields.get("path"),
        reason: fields.get("reason"),
        until: fields.get("until"),
        span: fields.span(),
    };
    fields.finish();
    ignore
}

/// A string or a list of strings, each with its own place.
fn strings(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Spanned<String>> {
    let values = fields.list(key);
    values.into_iter().filter_map(|value| read_value(value, fields.problems())).collect()
}
