//! Job settings that are specific to one batch system.

mod line;
mod queue;
mod service;

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::text::excerpt;
use crate::source::lang::fact::{Dialect, Setting, Word};
use crate::source::lang::language::Language;
use crate::source::lang::span::{Kind, Role};

/// The rule `batch-site`: partitions, accounts, sites and hosts of one batch system.
pub(super) static RULE: Rule = Rule {
    id: "batch-site",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "partition, account, site or host of one batch system",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds settings of batch jobs that are specific to one batch system: Slurm partitions, accounts, reservations and QOS, HTCondor
accounting groups, `+DESIRED_Sites`, requirements on host names, gatekeepers and machine attributes that other pools do not
define, and CERN job flavors (`+JobFlavour`). Reads job descriptions, `#SBATCH` and `#PBS` lines, command lines, dictionaries,
keyword arguments of dask-jobqueue and Parsl, configuration files that also set other job resources, and templates inside strings.

The default of an option, the storage site of a CRAB task, and a variable `queue` in a program that calls `qsub` are reported as
warnings.

## Why it breaks elsewhere

Another Slurm cluster has different partitions and rejects the job (`invalid partition specified`). Another HTCondor pool ignores
the attribute, or never matches the job, which then stays idle.

## Example

```text
#SBATCH --partition=submit
+DESIRED_Sites = \"T2_US_MIT\"
accounting_group = analysis.jane
```

## How to fix

Read the value from a profile or an environment variable without a default, or leave it out so that the site's default applies.
Keep one small file for each site.

## Limits

A value that is assembled at run time is not found.
";

/// A job setting that is specific to one batch system.
struct JobSetting {
    dialects: &'static [Dialect],
    /// The last part of the key, lowercase, without `+`, `My.` and dashes.
    key: &'static str,
    severity: Severity,
    what: &'static str,
    help: &'static str,
}

const BATCH: &[Dialect] = &[Dialect::Batch];
const CONDOR: &[Dialect] = &[Dialect::HtCondor];
const ANY_CONDOR: &[Dialect] = &[Dialect::HtCondor, Dialect::Program, Dialect::Batch];
const ANY: &[Dialect] = &[Dialect::HtCondor, Dialect::Program, Dialect::Batch, Dialect::Config];
const PROFILE: &str = "read it from a profile of the site, or leave it out to use the site's default";

const JOB_SETTINGS: &[JobSetting] = &[
    JobSetting {
        dialects: BATCH,
        key: "partition",
        severity: Severity::Error,
        what: "a Slurm partition",
        help: PROFILE,
    },
    JobSetting { dialects: BATCH, key: "account", severity: Severity::Error, what: "a Slurm account", help: PROFILE },
    JobSetting {
        dialects: BATCH,
        key: "reservation",
        severity: Severity::Error,
        what: "a Slurm reservation",
        help: PROFILE,
    },
    JobSetting { dialects: BATCH, key: "qos", severity: Severity::Error, what: "a Slurm QOS", help: PROFILE },
    JobSetting {
        dialects: BATCH,
        key: "nodelist",
        severity: Severity::Error,
        what: "nodes of one cluster",
        help: PROFILE,
    },
    JobSetting {
        dialects: BATCH,
        key: "constraint",
        severity: Severity::Warning,
        what: "a node feature of one cluster",
        help: PROFILE,
    },
    JobSetting {
        dialects: BATCH,
        key: "queue",
        severity: Severity::Error,
        what: "a queue of one batch system",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY,
        key: "desired_sites",
        severity: Severity::Error,
        what: "sites of the CMS global pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY,
        key: "accountinggroup",
        severity: Severity::Error,
        what: "an accounting group of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY,
        key: "accounting_group",
        severity: Severity::Error,
        what: "an accounting group of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY,
        key: "acctgroup",
        severity: Severity::Error,
        what: "an accounting group of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "acctgroupuser",
        severity: Severity::Error,
        what: "a user of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "accounting_group_user",
        severity: Severity::Warning,
        what: "a user of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "myproject",
        severity: Severity::Error,
        what: "a project of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "wantos",
        severity: Severity::Warning,
        what: "an operating system name that only one pool uses",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "request_opsysandver",
        severity: Severity::Warning,
        what: "an operating system name that only one pool uses",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "desiredos",
        severity: Severity::Warning,
        what: "an operating system name that only one pool uses",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "req_os",
        severity: Severity::Warning,
        what: "an operating system name that only one pool uses",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "projectname",
        severity: Severity::Warning,
        what: "a project of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "project_name",
        severity: Severity::Warning,
        what: "a project of one pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "jobflavour",
        severity: Severity::Warning,
        what: "a job flavour of CERN's pool",
        help: "other pools ignore `JobFlavour`; use standard attributes for time and memory, and set `JobFlavour` in a site profile",
    },
    JobSetting {
        dialects: ANY_CONDOR,
        key: "testjobflavour",
        severity: Severity::Warning,
        what: "a job flavour of CERN's pool",
        help: PROFILE,
    },
    JobSetting {
        dialects: CONDOR,
        key: "maxruntime",
        severity: Severity::Note,
        what: "a maximum run time of CERN's pool",
        help: PROFILE,
    },
];

/// Constructors of dask-jobqueue and parsl whose keyword arguments are batch settings.
const CLUSTERS: &[&str] = &[
    "SLURMCluster",
    "PBSCluster",
    "LSFCluster",
    "SGECluster",
    "OARCluster",
    "MoabCluster",
    "HTCondorCluster",
    "SlurmProvider",
    "PBSProProvider",
    "TorqueProvider",
    "LSFProvider",
    "GridEngineProvider",
    "CobaltProvider",
    "CondorProvider",
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    queue_variables(input, diagnostics);
    for setting in &input.view.facts.settings {
        if let Some(job_setting) = find_setting(setting)
            && !is_placeholder(&setting.value.text)
        {
            diagnostics.push(diagnostic(setting, job_setting));
        } else if is_classad(setting) && bare_key(&setting.key) == "requirements" {
            diagnostics.extend(requirements(setting));
        } else if setting.dialect == Dialect::Batch && setting.value.text.contains("filesystems=") {
            let message = format!("`{}` requests file systems of one computing center", excerpt(&setting.value.text));
            diagnostics.push(Diagnostic::at(&setting.range, message).help(PROFILE).group("filesystems"));
        }
    }
    for call in &input.view.facts.calls {
        let class = call.name.rsplit('.').next().unwrap_or_default();
        if !CLUSTERS.contains(&class) {
            continue;
        }
        for (key, value) in &call.keywords {
            let Some(value) = value.as_ref().filter(|value| !is_placeholder(&value.text)) else { continue };
            let is_named = matches!(
                key.as_str(),
                "queue" | "project" | "account" | "reservation" | "group_name" | "partition" | "qos" | "allocation"
            );
            if is_named {
                let message = format!("`{key}=\"{}\"` is specific to one batch system", value.text);
                diagnostics.push(Diagnostic::at(&value.range, message).help(PROFILE).group(value.text.clone()));
            }
        }
    }
    queue::check(input, diagnostics);
    service::check(input, diagnostics);
    line::check(input, diagnostics);
}

/// Reports whether a value is an HTCondor expression. In programs, it must contain one of its operators.
fn is_classad(setting: &Setting) -> bool {
    let compares = ["=?=", "=!=", "== \"", "== \\\"", "regexp("];
    match setting.dialect {
        Dialect::HtCondor => true,
        Dialect::Program => compares.iter().any(|sign| setting.value.text.contains(sign)),
        _ => false,
    }
}

/// Maximum length of the name of a queue in bytes.
const MAX_QUEUE_NAME: usize = 40;

/// Reports `queue = "longcms"` in a program that submits jobs itself.
fn queue_variables(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let submits = |words: &[Word]| {
        words
            .first()
            .is_some_and(|word| matches!(word.text.as_str(), "qsub" | "bsub" | "sbatch" | "srun" | "condor_qsub"))
    };
    if !matches!(input.language, Language::Python | Language::Shell)
        || !input.view.facts.commands.iter().any(|command| submits(&command.words))
    {
        return;
    }
    for span in input.view.spans.iter().filter(|span| span.kind == Kind::Text && span.is_active()) {
        let name = span.name.as_deref().unwrap_or_default();
        let value = &input.view.text[span.range.clone()];
        let is_name = (3..MAX_QUEUE_NAME).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@'));
        if span.call.is_none()
            && span.role == Role::Plain
            && is_name
            && matches!(name.to_ascii_lowercase().as_str(), "queue" | "partition" | "reservation" | "accounting_group")
            && !is_placeholder(value)
        {
            let message = format!("`{name} = {value}` is specific to one batch system");
            diagnostics
                .push(Diagnostic::at(&span.range, message).severity(Severity::Warning).help(PROFILE).group(name));
        }
    }
}

/// Returns the last part of a key in lowercase, without the prefix that marks an attribute.
fn bare_key(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.trim_start_matches(['+', '-', '"']).trim_end_matches('"').to_ascii_lowercase()
}

fn find_setting(setting: &Setting) -> Option<&'static JobSetting> {
    let key = bare_key(&setting.key);
    // In dictionaries of programs, only names that are unique to batch systems count.
    JOB_SETTINGS.iter().find(|job_setting| job_setting.dialects.contains(&setting.dialect) && job_setting.key == key)
}

/// Reports whether a value is empty or a placeholder.
fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let placeholder = |value: &str| {
        value.starts_with('$')
            || value.starts_with('{') && value.ends_with('}')
            || value.starts_with('%')
            || value.starts_with('<')
    };
    value.is_empty()
        || matches!(value, "None" | "null" | "undefined" | "true" | "false" | "default")
        || placeholder(value)
}

fn diagnostic(setting: &Setting, job_setting: &JobSetting) -> Diagnostic {
    let message =
        format!("`{} = {}` is specific to one site: {}", setting.key, excerpt(&setting.value.text), job_setting.what);
    Diagnostic::at(&setting.range, message)
        .severity(job_setting.severity)
        .help(job_setting.help)
        .group(setting.key.clone())
}

/// Returns a diagnostic for requirements that only the machines of one pool can meet.
fn requirements(setting: &Setting) -> Option<Diagnostic> {
    let value = setting.value.text.as_str();
    let lower = value.to_ascii_lowercase();
    let message = |what: &str| format!("`requirements = {}` selects {what}", excerpt(value));
    let hosts =
        ["boscocluster", "boscogroup", "glidein_site", "glidein_cmssite", "utsname", "gridresource", "cloudsite"];
    // `Machine == "node1.example.edu"`, and not `TARGET.Machine =!= LastMatchName1`.
    let has_host = || lower.split('"').skip(1).step_by(2).any(|quoted| quoted.contains('.'));
    let of_site = ["machine", "uiddomain", "filesystemdomain"];
    if hosts.iter().any(|word| lower.contains(word)) || of_site.iter().any(|word| lower.contains(word)) && has_host() {
        return Some(Diagnostic::at(&setting.range, message("machines or gatekeepers of one pool")).help(PROFILE));
    }
    let retired = ["centos7", "centos 7", "sl6", "slcern6", "rhel6", "rhel7", "\"cc7\"", "redhat6", "redhat7"];
    if retired.iter().any(|word| lower.contains(word)) {
        let help = "request a container image instead of an operating system";
        return Some(Diagnostic::at(&setting.range, message("a retired operating system")).help(help));
    }
    // `TARGET.` marks an attribute of the machine. Without it, a name may be an attribute of the job.
    let attributes = lower.match_indices("target.").map(|(offset, word)| {
        let rest = &lower[offset + word.len()..];
        &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())]
    });
    let is_common = |name: &str| MACHINE.contains(&name) || MACHINE_STARTS.iter().any(|start| name.starts_with(start));
    let own = attributes.into_iter().find(|name| !name.is_empty() && !is_common(name))?;
    let what = format!("machines by `{own}`, an attribute that other pools do not define");
    Some(Diagnostic::at(&setting.range, message(&what)).severity(Severity::Warning).help(PROFILE))
}

/// Machine attributes that every pool defines (HTCondor manual, "Machine ClassAd Attributes").
const MACHINE: &[&str] = &[
    "activity",
    "arch",
    "checkpointplatform",
    "clockday",
    "clockmin",
    "condorloadavg",
    "condorversion",
    "consoleidle",
    "cpubusytime",
    "cpufamily",
    "cpuisbusy",
    "cpumodel",
    "cpumodelnumber",
    "cpus",
    "cputime",
    "disk",
    "dynamicslot",
    "enteredcurrentactivity",
    "enteredcurrentstate",
    "filesystemdomain",
    "isdesktop",
    "jobstarts",
    "keyboardidle",
    "kflops",
    "loadavg",
    "machine",
    "memory",
    "microarch",
    "mips",
    "mycurrenttime",
    "name",
    "partitionableslot",
    "rank",
    "requirements",
    "retirementtimeremaining",
    "slotid",
    "slottype",
    "slotweight",
    "start",
    "state",
    "uiddomain",
    "virtualmachineid",
    "virtualmemory",
];
/// Prefixes of other such attributes: systems, accelerators, capabilities, totals over slots.
const MACHINE_STARTS: &[&str] = &["opsys", "gpu", "cuda", "has", "total", "vm_", "ocl"];

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::{RULE, bare_key, is_placeholder};
    use crate::model::finding::Severity::{Error, Warning};

    #[test]
    fn bare_key_removes_prefixes() {
        assert_eq!(bare_key("+DESIRED_Sites"), "desired_sites");
        assert_eq!(bare_key("My.JobFlavour"), "jobflavour");
        assert_eq!(bare_key("--partition"), "partition");
    }

    #[test]
    fn placeholders_are_recognized() {
        assert!(is_placeholder("$PARTITION") && is_placeholder("{partition}") && is_placeholder(""));
        assert!(!is_placeholder("submit,submit-gpu"));
    }

    #[test]
    fn fixed_storage_site_of_crab_task_is_warning() {
        let text = "config.Site.storageSite = 'T2_DE_DESY'\nconfig.Site.blacklist = ['T3_IT_Bologna']\n";
        assert_eq!(severities(&RULE, "run.py", text), [Warning]);
        assert!(severities(&RULE, "run.py", "config.Site.storageSite = site\n").is_empty());
    }

    #[test]
    fn queue_variable_of_submitting_program_is_warning() {
        let submit = "os.system('qsub -q ' + queue + ' run.sh')\n";
        assert_eq!(severities(&RULE, "run.py", &format!("queue = 'shortcms'\n{submit}")), [Warning]);
        assert!(severities(&RULE, "run.py", "queue = 'shortcms'\nprint(queue)\n").is_empty());
    }

    #[test]
    fn partition_of_parsl_provider_is_error() {
        assert_eq!(severities(&RULE, "run.py", "SlurmProvider(partition='all', walltime='1:00')\n"), [Error]);
    }
}
