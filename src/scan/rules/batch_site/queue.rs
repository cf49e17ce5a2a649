//! Partitions, queues and accounts in configuration, dictionaries, option defaults and Parsl providers, where neighboring
//! settings show that a job is meant.

use std::ops::Range;

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::{PROFILE, bare_key, is_placeholder};
use crate::model::finding::Severity;
use crate::model::text::excerpt;
use crate::source::lang::fact::{Call, Dialect, Setting, Word};
use crate::source::lang::span::{Kind, Span};
use crate::source::workflow::test_file::is_test;

/// Keys of jobs that are ambiguous without a prefix.
const KEYS: &[&str] = &["partition", "queue", "account", "allocation", "reservation", "qos"];
/// Prefixes of such a key that show that a job is meant.
const PREFIXES: &[&str] = &["slurm_", "sbatch_", "salloc_", "pbs_", "lsf_", "condor_", "htcondor_", "batch_", "job_"];
/// Keys of resources. Two of them next to a queue show that it is a queue of a batch system.
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
/// CERN job flavours.
const FLAVOURS: &[&str] = &["espresso", "microcentury", "longlunch", "workday", "tomorrow", "testmatch", "nextweek"];
/// Parsl providers whose arguments are batch settings.
const PROVIDERS: &[&str] = &[
    "SlurmProvider",
    "CondorProvider",
    "LSFProvider",
    "PBSProProvider",
    "TorqueProvider",
    "CobaltProvider",
    "GridEngineProvider",
];
/// Maximum distance between keys of one dictionary in bytes.
const MAX_DISTANCE: usize = 1000;
/// Number of settings that are inspected on either side.
const MAX_NEIGHBORS: usize = 24;

/// Adds diagnostics for values that `diagnostics` does not cover yet.
pub(super) fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    let before = diagnostics.len();
    for call in &facts.calls {
        provider_arguments(call, diagnostics);
        option_default(call, diagnostics);
        parameter_default(call, &input.view.text, diagnostics);
    }
    for span in input.view.spans.iter().filter(|span| span.kind == Kind::Value && span.is_active()) {
        profile_item(input, span, diagnostics);
    }
    for (index, setting) in facts.settings.iter().enumerate() {
        let is_setting = matches!(setting.dialect, Dialect::Config | Dialect::Program | Dialect::Variable);
        if !is_setting {
            continue;
        }
        let Some(meaning) = meaning(&bare_key(&setting.key)) else { continue };
        let is_job =
            meaning.is_job || setting.dialect != Dialect::Variable && has_job_neighbors(&facts.settings, index);
        if is_job && is_queue_name(&setting.value.text) {
            push(diagnostics, &setting.value, &setting.range, meaning.key, None);
        }
    }
    if is_test(input.path) {
        // Values in tests are rarely used for real jobs.
        for diagnostic in &mut diagnostics[before..] {
            let is_error = diagnostic.severity == Some(Severity::Error);
            diagnostic.severity = Some(if is_error { Severity::Warning } else { Severity::Note });
        }
    }
}

/// The meaning of a key.
struct KeyMeaning {
    key: &'static str,
    /// Whether the key itself shows that a job is meant.
    is_job: bool,
}

fn normal(key: &str) -> String {
    key.replace('-', "_")
}

fn meaning(key: &str) -> Option<KeyMeaning> {
    let key = normal(key);
    let base = KEYS.iter().find(|base| key.ends_with(**base))?;
    let rest = &key[..key.len() - base.len()];
    let is_job = PREFIXES.iter().any(|prefix| rest.ends_with(prefix));
    (rest.is_empty() || is_job).then_some(KeyMeaning { key: base, is_job })
}

/// Reports whether the mapping that contains a setting describes a job.
fn has_job_neighbors(settings: &[Setting], index: usize) -> bool {
    let own = &settings[index];
    let parent = parent(own);
    let lower = parent.to_ascii_lowercase();
    if own.dialect == Dialect::Config && ["slurm", "sbatch", "condor", "batch"].iter().any(|word| lower.contains(word))
    {
        return true;
    }
    let from = index.saturating_sub(MAX_NEIGHBORS);
    let near = settings.iter().enumerate().skip(from).take(2 * MAX_NEIGHBORS + 1);
    let mut found: Vec<String> = near
        .filter(|(other, setting)| {
            let distance = setting.range.start.abs_diff(own.range.start);
            *other != index
                && setting.dialect == own.dialect
                && distance <= MAX_DISTANCE
                && self::parent(setting) == parent
        })
        .map(|(_, setting)| normal(&bare_key(&setting.key)))
        .filter(|key| RESOURCES.contains(&key.as_str()) || PREFIXES.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.len() >= 2
}

/// Returns the parent keys of a configuration key.
fn parent(setting: &Setting) -> &str {
    if setting.dialect != Dialect::Config {
        return "";
    }
    setting.key.rsplit_once('.').map_or("", |(parent, _)| parent)
}

fn is_queue_name(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let general = ["auto", "local", "none", "null", "any", "no"];
    !is_placeholder(value)
        && value.len() <= 60
        && value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.,:@/".contains(&byte))
        && !general.contains(&value.to_ascii_lowercase().as_str())
}

/// Reports `SlurmProvider(partition="long")`.
fn provider_arguments(call: &Call, diagnostics: &mut Vec<Diagnostic>) {
    let class = call.name.rsplit('.').next().unwrap_or_default();
    if !PROVIDERS.contains(&class) {
        return;
    }
    for (key, value) in &call.keywords {
        let Some(base) = meaning(key) else { continue };
        if let Some(value) = value.as_ref().filter(|value| is_queue_name(&value.text)) {
            push(diagnostics, value, &value.range, base.key, None);
        }
    }
}

/// Reports `- slurm_partition=long`, a resource in a Snakemake profile.
fn profile_item(input: &FileInput<'_>, span: &Span, diagnostics: &mut Vec<Diagnostic>) {
    let Some((key, value)) = input.view.text.get(span.range.clone()).and_then(|text| text.split_once('=')) else {
        return;
    };
    if meaning(key.trim()).is_some_and(|meaning| meaning.is_job) && is_queue_name(value) {
        push(diagnostics, &Word { text: value.to_owned(), range: span.range.clone() }, &span.range, key.trim(), None);
    }
}

/// Reports defaults: `add_argument("--partition", default="long")`, `config.get(section, "slurm_partition", "long")`.
fn option_default(call: &Call, diagnostics: &mut Vec<Diagnostic>) {
    let last = call.name.rsplit('.').next().unwrap_or_default();
    let mut literals = call.arguments.iter().map(Option::as_ref);
    let value = match last {
        "add_argument" | "option" | "add_option" => {
            let is_job = |word: &&Word| word.text.starts_with("--") && meaning(&bare_key(&word.text)).is_some();
            let Some(option) = literals.flatten().find(is_job) else { return };
            let default = call.keywords.iter().find(|(key, _)| key == "default");
            // `--queue` and `--account` have other meanings too.
            let names_job =
                meaning(&bare_key(&option.text)).is_some_and(|meaning| meaning.is_job || meaning.key == "partition");
            default.and_then(|(_, value)| value.as_ref()).filter(|value| names_job || is_flavour(&value.text))
        }
        _ if last.starts_with("get") => {
            let is_job = |word: &Word| meaning(&word.text.to_ascii_lowercase()).is_some_and(|meaning| meaning.is_job);
            literals.by_ref().find(|word| word.is_some_and(is_job));
            literals.next().flatten()
        }
        _ => return,
    };
    if let Some(value) = value.filter(|value| is_queue_name(&value.text)) {
        push(diagnostics, value, &value.range, "default", Some(Severity::Warning));
    }
}

/// Reports `slurm_partition = luigi.Parameter(default="long")`.
fn parameter_default(call: &Call, text: &str, diagnostics: &mut Vec<Diagnostic>) {
    let last = call.name.rsplit('.').next().unwrap_or_default();
    if !last.ends_with("Parameter") {
        return;
    }
    let before = text.get(..call.full_range.start).unwrap_or_default();
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    let Some(name) = line.trim_end().strip_suffix('=').map(|name| name.trim().to_ascii_lowercase()) else { return };
    let is_job = meaning(&name).is_some_and(|meaning| meaning.is_job || meaning.key == "partition");
    let default = call.keywords.iter().find(|(key, _)| key == "default").and_then(|(_, value)| value.as_ref());
    if let Some(value) = default.filter(|value| is_job && is_queue_name(&value.text)) {
        push(diagnostics, value, &value.range, "default", Some(Severity::Warning));
    }
}

fn is_flavour(value: &str) -> bool {
    FLAVOURS.contains(&value.trim_matches(['"', '\'']))
}

fn push(diagnostics: &mut Vec<Diagnostic>, value: &Word, range: &Range<usize>, key: &str, severity: Option<Severity>) {
    let covers = |diagnostic: &Diagnostic| {
        diagnostic.range.as_ref().is_some_and(|range| range.start <= value.range.start && value.range.end <= range.end)
    };
    if diagnostics.iter().any(covers) {
        return;
    }
    let (what, severity) = match severity {
        _ if is_flavour(&value.text) => ("is a CERN job flavour", Severity::Warning),
        Some(severity) => ("is a default that is specific to one batch system", severity),
        None => ("is specific to one batch system", Severity::Error),
    };
    let message = format!("`{key} = {}` {what}", excerpt(&value.text));
    diagnostics.push(Diagnostic::at(range, message).severity(severity).help(PROFILE).group(value.text.clone()));
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::severities;
    use super::super::RULE;
    use crate::model::finding::Severity::{Error, Note, Warning};

    #[test]
    fn queue_in_configuration_needs_resources_next_to_it() {
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
    fn queue_in_program_needs_resources_next_to_it() {
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
    fn default_partition_is_warning() {
        assert_eq!(severities(&RULE, "a.py", "p.add_argument('--partition', default='long')\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.py", "p.add_argument('--partition', default=None)\n"), []);
        assert_eq!(severities(&RULE, "a.py", "p.add_argument('--account', default='main')\n"), []);
        assert_eq!(severities(&RULE, "a.py", "p = c.get_expanded('a', 'slurm_partition', 'long')\n"), [Warning]);
        assert_eq!(severities(&RULE, "a.py", "p = c.get('a', 'name', 'long')\n"), []);
        let parameter = "class A(Task):\n    slurm_partition = luigi.Parameter(default='long')\n";
        assert_eq!(severities(&RULE, "a.py", parameter), [Warning]);
    }

    #[test]
    fn requirements_in_pairs_and_dictionaries_are_found() {
        let pair = "c.append((\"requirements\", \"(OpSysAndVer == \\\"CentOS7\\\")\"))\n";
        assert_eq!(severities(&RULE, "a.py", pair), [Error]);
        let entry = "c = {'requirements': 'OpSysAndVer =?= \"CentOS7\"'}\n";
        assert_eq!(severities(&RULE, "a.py", entry), [Error]);
        assert_eq!(severities(&RULE, "a.py", "c = {'requirements': 'numpy==1.0'}\n"), []);
        assert_eq!(severities(&RULE, "a.py", "c.append((\"+MaxRuntime\", \"3600\"))\n"), [Note]);
    }
}
