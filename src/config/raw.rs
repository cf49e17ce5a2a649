//! The keys of `carnet.toml`. The doc comments are the descriptions in the published JSON Schema.

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
    /// The analysis.
    pub(super) analysis: Analysis,
    /// Test commands and options.
    pub(super) test: Test,
    /// Output files of the tests whose content is compared between cells. The key is a path or glob relative to the
    /// analysis, the value an empty table.
    #[schemars(with = "BTreeMap<String, Output>")]
    pub(super) outputs: Vec<Spanned<String>>,
    /// Input files of the tests.
    pub(super) data: Data,
    /// Facilities where the analysis must run.
    pub(super) facility: Vec<Facility>,
    /// Options of the static scan.
    pub(super) scan: Scan,
}

/// Options of the static scan.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Scan {
    /// Ids of the target facilities in the catalogue; by default all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) facilities: Vec<Spanned<String>>,
    /// Rules to run; by default all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) select: Vec<Spanned<String>>,
    /// Findings to ignore: they are counted but not reported.
    pub(super) ignore: Vec<Ignore>,
    /// Files to exclude, as globs relative to the analysis: `data/**`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) exclude: Vec<Spanned<String>>,
    /// Path of the baseline, relative to the analysis. Findings in the baseline are counted but not reported.
    #[schemars(with = "Option<String>")]
    pub(super) baseline: Option<Spanned<String>>,
    /// Overridden severities of rules: `site-path = "note"`.
    #[schemars(with = "BTreeMap<String, crate::model::finding::Severity>")]
    pub(super) severity: Vec<(Spanned<String>, Spanned<String>)>,
}

/// Findings to ignore.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Ignore {
    /// Id of the rule.
    #[schemars(required, with = "String")]
    pub(super) rule: Option<Spanned<String>>,
    /// Glob of the files, relative to the analysis: `docs/**`; by default all.
    #[schemars(with = "Option<String>")]
    pub(super) path: Option<Spanned<String>>,
    /// Reason for ignoring the findings.
    #[schemars(required, with = "String")]
    pub(super) reason: Option<Spanned<String>>,
    /// Last day on which the findings are ignored, as a TOML date.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(super) until: Option<Spanned<Datetime>>,
    /// Position of the table in the file.
    #[schemars(skip)]
    pub(super) span: std::ops::Range<usize>,
}

/// Options of one output: none yet; outputs are compared by content.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Output {}

/// The analysis.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Analysis {
    /// Name of the analysis; by default the name of its directory.
    #[schemars(with = "Option<String>")]
    pub(super) name: Option<Spanned<String>>,
    /// Cell that the other cells are compared with; by default the first that passes, otherwise the first.
    #[schemars(with = "Option<String>")]
    pub(super) reference: Option<Spanned<String>>,
}

/// Test commands and options.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Test {
    /// Shell command, or list of commands, run in the directory of the analysis. By default the tests are detected:
    /// pytest, unittest, ctest, `make test` or `make check`, ROOT macros, a REANA workflow, shell scripts.
    #[schemars(with = "Option<OneOrMany>")]
    pub(super) run: Vec<Spanned<String>>,
    /// Setup command, which may use the network: `pip install -r requirements.txt`. Its result is cached until the
    /// command, the image or the files of the analysis change.
    #[schemars(with = "Option<String>")]
    pub(super) setup: Option<Spanned<String>>,
    /// Whether the tests may use the network; by default `false`.
    #[schemars(with = "Option<bool>")]
    pub(super) network: Option<Spanned<bool>>,
    /// Time limit of each command: `90s`, `10m`, `1h30m`; by default `10m`.
    #[schemars(with = "Option<String>")]
    pub(super) timeout: Option<Spanned<String>>,
    /// Number of times a failed command is retried; by default 0. A test that passes only on a retry is flaky.
    #[schemars(with = "Option<u32>")]
    pub(super) retries: Option<Spanned<u32>>,
    /// Whether `.git` is available to the tests; by default `false`.
    #[schemars(with = "Option<bool>")]
    pub(super) git: Option<Spanned<bool>>,
}

/// One command or several.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only used in the schema")]
pub(super) enum OneOrMany {
    /// One command.
    One(String),
    /// Several commands, run in order.
    Many(Vec<String>),
}

/// Input files of the tests.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Data {
    /// Paths relative to the analysis whose content is recorded.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) inputs: Vec<Spanned<String>>,
}

/// A facility where the analysis must run: an image, or the host, and a runtime contract.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Facility {
    /// Facility from the catalogue (`carnet facilities list`) whose image and contract are used. Other keys of this
    /// table override them.
    #[schemars(with = "Option<String>", rename = "use")]
    pub(super) catalogue: Option<Spanned<String>>,
    /// Identifier: lowercase letters, digits and hyphens. Required without `use`.
    #[schemars(with = "Option<String>")]
    pub(super) id: Option<Spanned<String>>,
    /// Role, if one facility is listed several times with different contracts: `login`, `notebook`, `worker`, `ci`.
    #[schemars(with = "Option<String>")]
    pub(super) role: Option<Spanned<String>>,
    /// Image: `docker://NAME:TAG`, `docker-daemon:NAME:TAG`, `docker-archive:FILE`, `oci:DIR[:TAG]`,
    /// `oci-archive:FILE[:TAG]`, `dir:ROOTFS`. Not used with `engine = "host"`.
    #[schemars(with = "Option<String>")]
    pub(super) image: Option<Spanned<String>>,
    /// Engine: `docker`, `embedded` or `host`; by default the first available one that supports the image.
    #[schemars(with = "Option<crate::model::engine::EngineKind>")]
    pub(super) engine: Option<Spanned<String>>,
    /// Numeric user and group: `1000:1000`; by default those of the image.
    #[schemars(with = "Option<String>")]
    pub(super) user: Option<Spanned<String>>,
    /// Value of `HOME`; the directory is created if the image does not contain it.
    #[schemars(with = "Option<String>")]
    pub(super) home: Option<Spanned<String>>,
    /// Whether the root file system is read-only, as under Apptainer.
    #[schemars(with = "Option<bool>")]
    pub(super) read_only: Option<Spanned<bool>>,
    /// Size of `/tmp`: `64m`.
    #[schemars(with = "Option<String>")]
    pub(super) tmp_size: Option<Spanned<String>>,
    /// Whether programs cannot be executed from `/tmp`.
    #[schemars(with = "Option<bool>")]
    pub(super) tmp_noexec: Option<Spanned<bool>>,
    /// Working directory of the tests; by default the directory of the analysis.
    #[schemars(with = "Option<String>")]
    pub(super) workdir: Option<Spanned<String>>,
    /// Environment variables set for every command; they override those of the image.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(super) env: Option<Spanned<BTreeMap<String, String>>>,
    /// Names of environment variables passed on from the environment of carnet, if they are set.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) pass_env: Vec<Spanned<String>>,
    /// Whether the entrypoint of the image is run; by default `false`, as in most batch systems.
    #[schemars(with = "Option<bool>")]
    pub(super) entrypoint: Option<Spanned<bool>>,
    /// Shell lines run before each command, in the same shell: `source /opt/conda/bin/activate`.
    #[schemars(with = "Option<String>")]
    pub(super) setup: Option<Spanned<String>>,
    /// Host directories mounted inside: `SOURCE:TARGET` or `SOURCE:TARGET:rw`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) mounts: Vec<Spanned<String>>,
    /// Memory limit: `2g`.
    #[schemars(with = "Option<String>")]
    pub(super) memory: Option<Spanned<String>>,
    /// Limit of the files that the tests write: `2g`. The engines `embedded` and `host` enforce it; `docker` lists it in `not_enforced`.
    #[schemars(with = "Option<String>")]
    pub(super) disk: Option<Spanned<String>>,
    /// Maximum number of processes.
    #[schemars(with = "Option<u64>")]
    pub(super) pids: Option<Spanned<u64>>,
    /// Maximum number of processors: `1.5`.
    #[schemars(with = "Option<f64>")]
    pub(super) cpus: Option<Spanned<f64>>,
    /// Expected failure.
    pub(super) expect: Option<Expect>,
    /// Position of the table in the file.
    #[schemars(skip)]
    pub(super) span: std::ops::Range<usize>,
}

/// An expected failure.
#[derive(Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields, default)]
pub(super) struct Expect {
    /// Reason why the cell may fail.
    #[schemars(required, with = "String")]
    pub(super) may_fail: Option<Spanned<String>>,
    /// Last day on which a failure is expected, as a TOML date.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub(super) until: Option<Spanned<Datetime>>,
    /// Position of the table in the file.
    #[schemars(skip)]
    pub(super) span: std::ops::Range<usize>,
}

/// Reads the keys of a `carnet.toml`; invalid parts are added to `problems`.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> File {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(Problem { span, message: error.message().to_owned(), help: None });
    }
    if !problems.is_empty() {
        // Values read from a file with syntax errors would only cause misleading problems.
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
        catalogue: fields.get("use"),
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
        disk: fields.get("disk"),
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

/// Reads a string or a list of strings, each with its position.
fn strings(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Spanned<String>> {
    let values = fields.list(key);
    values.into_iter().filter_map(|value| read_value(value, fields.problems())).collect()
}
