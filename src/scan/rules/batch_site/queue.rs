//! Partitions, queues and accounts where only the company they are in says that a job is meant: configuration,
//! dictionaries, defaults of options, providers of Parsl.

use std::ops::Range;

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::super::path::usage;
use super::{PROFILE, bare, is_open};
use crate::model::finding::Severity;
use crate::model::text::excerpt;
use crate::source::lang::fact::{Call, Dialect, Setting, Word};
use crate::source::lang::span::{Kind, Span};
use crate::source::workflow::test_file::is_test;

/// Keys of jobs that say little alone, without a prefix.
const KEYS: &[&str] = &["partition", "queue", "account", "allocation", "reservation", "qos"];
/// What stands in front of such a key and tells that a job is meant.
const PREFIXES: &[&str] = &["slurm_", "sbatch_", "salloc_", "pbs_", "lsf_", "condor_", "htcondor_", "batch_", "job_"];
/// Keys of resources: two of them beside a queue tell that it is one of a batch system.
const RESOURCES: &[&str] = &[
    "walltime",
    "time",
    "runtime",
    "scaleout",
    "cores",
    "cores_per_worker",
    "cores_per_node",
    "cores_per_job",
    "cpus",
    "cpus_per_task",
    "ncpus",
    "mem",
    "memory",
    "mem_per_worker",
    "mem_per_cpu",
    "mem_per_node",
    "mem_mb",
    "disk",
    "disk_per_worker",
    "nodes",
    "nodes_per_block",
    "init_blocks",
    "min_blocks",
    "max_blocks",
    "ntasks",
    "workers",
    "n_workers",
    "max_workers",
    "processes",
    "gres",
    "gpus",
    "job_name",
    "executor",
    "worker_image",
    "scheduler_options",
    "account",
    "partition",
];
/// Job flavours of CERN's pool.
const FLAVOURS: &[&str] = &["espresso", "microcentury", "longlunch", "workday", "tomorrow", "testmatch", "nextweek"];
/// Providers of Parsl whose arguments are batch settings.
const PROVIDERS: &[&str] = &[
    "SlurmProvider",
    "CondorProvider",
    "LSFProvider",
    "PBSProProvider",
    "TorqueProvider",
    "CobaltProvider",
    "GridEngineProvider",
];
/// How far apart keys of one dictionary stand at most, in bytes.
const NEAR: usize = 1000;
/// How many settings are looked at on either side.
const NEIGHBOURS: usize = 24;

/// Reports what `reports` doesn't hold yet.
pub(super) fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    let before = reports.len();
    for call in &facts.calls {
        of_provider(call, reports);
        of_default(call, reports);
        of_parameter(call, &input.view.text, reports);
    }
    for span in input.view.spans.iter().filter(|span| span.kind == Kind::Value && span.is_active()) {
        of_item(input, span, reports);
    }
    for (at, setting) in facts.settings.iter().enumerate() {
        let is_known = matches!(setting.dialect, Dialect::Config | Dialect::Program | Dialect::Variable);
        if !is_known {
            continue;
        }
        let Some(kind) = kind(&bare(&setting.key)) else { continue };
        let is_job = kind.is_told || setting.dialect != Dialect::Variable && is_in_company(&facts.settings, at);
        if is_job && names_one(&setting.value.text) {
            push(reports, &setting.value, &setting.range, kind.key, None);
        }
    }
    if is_test(input.path) {
        // A test may name what it likes.
        for report in &mut reports[before..] {
            let is_error = report.severity == Some(Severity::Error);
            report.severity = Some(if is_error { Severity::Warning } else { Severity::Note });
        }
    }
}

/// What a key means.
struct Meaning {
    key: &'static str,
    /// Whether the key itself tells that a job is meant.
    is_told: bool,
}

fn normal(key: &str) -> String {
    key.replace('-', "_")
}

fn kind(key: &str) -> Option<Meaning> {
    let key = normal(key);
    let known = KEYS.iter().find(|known| key.ends_with(**known))?;
    let rest = &key[..key.len() - known.len()];
    let is_told = PREFIXES.iter().any(|prefix| rest.ends_with(prefix));
    (rest.is_empty() || is_told).then_some(Meaning { key: known, is_told })
}

/// Whether the mapping that a setting stands in is one of a job.
fn is_in_company(settings: &[Setting], at: usize) -> bool {
    let own = &settings[at];
    let parent = parent(own);
    let lower = parent.to_ascii_lowercase();
    if own.dialect == Dialect::Config && ["slurm", "sbatch", "condor", "batch"].iter().any(|word| lower.contains(word))
    {
        return true;
    }
    let from = at.saturating_sub(NEIGHBOURS);
    let near = settings.iter().enumerate().skip(from).take(2 * NEIGHBOURS + 1);
    let mut found: Vec<String> = near
        .filter(|(other, setting)| {
            let distance = setting.range.start.abs_diff(own.range.start);
            *other != at && setting.dialect == own.dialect && distance <= NEAR && self::parent(setting) == parent
        })
        .map(|(_, setting)| normal(&bare(&setting.key)))
        .filter(|key| RESOURCES.contains(&key.as_str()) || PREFIXES.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.len() >= 2
}

/// The keys above a key of a configuration.
fn parent(setting: &Setting) -> &str {
    if setting.dialect != Dialect::Config {
        return "";
    }
    setting.key.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn names_one(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let general = ["auto", "local", "none", "null", "any", "no"];
    !is_open(value, "")
        && value.len() <= 60
        && value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.,:@/".contains(&byte))
        && !general.contains(&value.to_ascii_lowercase().as_str())
}

/// `SlurmProvider(partition="long")`.
fn of_provider(call: &Call, reports: &mut Vec<Diagnostic>) {
    let class = call.name.rsplit('.').next().unwrap_or_default();
    if !PROVIDERS.contains(&class) {
        return;
    }
    for (key, value) in &call.keywords {
        let Some(known) = kind(key) else { continue };
        if let Some(value) = value.as_ref().filter(|value| names_one(&value.text)) {
            push(reports, value, &value.range, known.key, None);
        }
    }
}

/// `- slurm_partition=long`: a resource of a profile of Snakemake.
fn of_item(input: &FileInput<'_>, span: &Span, reports: &mut Vec<Diagnostic>) {
    let Some((key, value)) = input.view.text.get(span.range.clone()).and_then(|text| text.split_once('=')) else {
        return;
    };
    if kind(key.trim()).is_some_and(|kind| kind.is_told) && names_one(value) {
        push(reports, &Word { text: value.to_owned(), range: span.range.clone() }, &span.range, key.trim(), None);
    }
}

/// A default of an option: `add_argument("--partition", default="long")`, `config.get(section, "slurm_partition", "long")`.
fn of_default(call: &Call, reports: &mut Vec<Diagnostic>) {
    let last = call.name.rsplit('.').next().unwrap_or_default();
    let mut literals = call.arguments.iter().map(Option::as_ref);
    let value = match last {
        "add_argument" | "option" | "add_option" => {
            let is_job = |word: &&Word| word.text.starts_with("--") && kind(&bare(&word.text)).is_some();
            let Some(option) = literals.flatten().find(is_job) else { return };
            let default = call.keywords.iter().find(|(key, _)| key == "default");
            // `--queue` and `--account` mean other things as well.
            let told = kind(&bare(&option.text)).is_some_and(|kind| kind.is_told || kind.key == "partition");
            default.and_then(|(_, value)| value.as_ref()).filter(|value| told || is_flavour(&value.text))
        }
        _ if last.starts_with("get") => {
            let is_told = |word: &Word| kind(&word.text.to_ascii_lowercase()).is_some_and(|kind| kind.is_told);
            literals.by_ref().find(|word| word.is_some_and(is_told));
            literals.next().flatten()
        }
        _ => return,
    };
    if let Some(value) = value.filter(|value| names_one(&value.text)) {
        push(reports, value, &value.range, "default", Some(Severity::Warning));
    }
}

/// `slurm_partition = luigi.Parameter(default="long")`.
fn of_parameter(call: &Call, text: &str, reports: &mut Vec<Diagnostic>) {
    let last = call.name.rsplit('.').next().unwrap_or_default();
    if !last.ends_with("Parameter") {
        return;
    }
    let before = text.get(..call.full_range.start).unwrap_or_default();
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    let Some(name) = line.trim_end().strip_suffix('=').map(|name| name.trim().to_ascii_lowercase()) else { return };
    let is_told = kind(&name).is_some_and(|kind| kind.is_told || kind.key == "partition");
    let default = call.keywords.iter().find(|(key, _)| key == "default").and_then(|(_, value)| value.as_ref());
    if let Some(value) = default.filter(|value| is_told && names_one(&value.text)) {
        push(reports, value, &value.range, "default", Some(Severity::Warning));
    }
}

fn is_flavour(value: &str) -> bool {
    FLAVOURS.contains(&value.trim_matches(['"', '\'']))
}

fn push(reports: &mut Vec<Diagnostic>, value: &Word, range: &Range<usize>, key: &str, severity: Option<Severity>) {
    let is_there = |report: &Diagnostic| {
        report.range.as_ref().is_some_and(|range| range.start <= value.range.start && value.range.end <= range.end)
    };
    if reports.iter().any(is_there) {
        return;
    }
    let (what, severity) = match severity {
        _ if is_flavour(&value.text) => ("a job flavour of CERN's pool", Severity::Warning),
        Some(severity) => ("what one batch system alone has, by default", severity),
        None => ("what one batch system alone has", Severity::Error),
    };
    let message = format!("`{key} = {}` names {what}", excerpt(&value.text));
    reports.push(Diagnostic::at(range, message).severity(severity).help(PROFILE).group(value.text.clone()));
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::severities;
    use super::super::RULE;
    use crate::model::finding::Severity::{Error, Note, Warning};

    #[test]
    fn a_queue_of_a_configuration_is_one_when_resources_stand_beside_it() {
        let job = "queue: standard\nwalltime: 6:00:00\nmem-per-worker: 4GB\n";
        assert_eq!(severities(&RULE, "params/run.yaml", job), [Error]);
        assert_eq!(severities(&RULE, "a.yaml", "queue: standard\ntitle: x\nuser: y\n"), []);
        assert_eq!(severities(&RULE, "a.yaml", "a:\n  queue: standard\nb:\n  walltime: 1\n  memory: 2\n"), []);
        assert_eq!(severities(&RULE, "a.yaml", "slurm:\n  partition: long # c\n  account: null\n"), [Error]);
        assert_eq!(severities(&RULE, "tests/run.yaml", job), [Warning]);
        assert_eq!(severities(&RULE, "a.yaml", "queue: workday\ncores: 1\nmemory: 2\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.cfg", "[analysis]\nslurm_partition: $PARTITION\n"), []);
        let profile = "default-resources:\n  - slurm_partition=long\n  - mem_mb=1000\n";
        assert_eq!(severities(&RULE, "profile/config.yaml", profile), [Error]);
        assert_eq!(severities(&RULE, "law.cfg", "[analysis]\nslurm_partition: long\n"), [Error]);
    }

    #[test]
    fn a_queue_of_a_program_is_one_when_resources_stand_beside_it() {
        let dictionary =
            "o = {\n 'scaleout': 10,\n 'partition': 'short',\n 'walltime': '1:00',\n 'mem_per_worker': '4GB',\n}\n";
        assert_eq!(severities(&RULE, "run.py", dictionary), [Error]);
        assert_eq!(severities(&RULE, "run.py", "o = {'partition': 'train', 'size': '3'}\n"), []);
        let project = "o = {'allocation': 'mygroup', 'walltime': '1:00', 'nodes_per_block': 1}\n";
        assert_eq!(severities(&RULE, "run.py", project), [Error]);
        assert_eq!(severities(&RULE, "run.py", "o = '#PBS -l filesystems=home:scratch\\n#PBS -l place=x'\n"), [Error]);
        assert_eq!(severities(&RULE, "run.py", "p = SlurmProvider(partition='all', nodes_per_block=1)\n"), [Error]);
        assert_eq!(severities(&RULE, "run.py", "p = SlurmProvider(partition=partition, account=None)\n"), []);
    }

    #[test]
    fn a_partition_as_a_default_is_a_warning() {
        assert_eq!(severities(&RULE, "a.py", "p.add_argument('--partition', default='long')\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.py", "p.add_argument('--partition', default=None)\n"), []);
        assert_eq!(severities(&RULE, "a.py", "p.add_argument('--account', default='main')\n"), []);
        assert_eq!(severities(&RULE, "a.py", "p = c.get_expanded('a', 'slurm_partition', 'long')\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.py", "p = c.get('a', 'name', 'long')\n"), []);
        let parameter = "class A(Task):\n    slurm_partition = luigi.Parameter(default='long')\n";
        assert_eq!(severities(&RULE, "a.py", parameter), [Warning]);
    }

    #[test]
    fn requirements_are_read_in_pairs_and_dictionaries_too() {
        let pair = "c.append((\"requirements\", \"(OpSysAndVer == \\\"CentOS7\\\")\"))\n";
        assert_eq!(severities(&RULE, "a.py", pair), [Error]);
        let entry = "c = {'requirements': 'OpSysAndVer =?= \"CentOS7\"'}\n";
        assert_eq!(severities(&RULE, "a.py", entry), [Error]);
        assert_eq!(severities(&RULE, "a.py", "c = {'requirements': 'numpy==1.0'}\n"), []);
        assert_eq!(severities(&RULE, "a.py", "c.append((\"+MaxRuntime\", \"3600\"))\n"), [Note]);
    }
}
