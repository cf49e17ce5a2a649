//! Job descriptions that name what one batch system alone has.

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

/// Partitions, accounts, sites and hosts of one batch system.
pub(super) static RULE: Rule = Rule {
    id: "batch-site",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "a job asks for a partition, account, site or host of one batch system",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds settings of batch jobs that only one batch system understands: Slurm partitions, accounts, reservations and QOS, HTCondor
accounting groups, `+DESIRED_Sites`, requirements on host names, gatekeepers and attributes that other machines don't have, and
the job flavours of CERN. They are seen in job
descriptions, in `#SBATCH` and `#PBS` lines, on command lines, in dictionaries, in keyword arguments of dask-jobqueue and Parsl, in
configuration where resources of a job stand beside them, and in templates inside of strings. A default of an option is a warning. So are the storage site of a
CRAB task and a variable `queue` of a program that calls `qsub`.

## Why it breaks elsewhere

Another Slurm has other partitions and refuses the job (`invalid partition specified`). Another HTCondor pool ignores the attribute
or never matches the job, which then waits forever.

## Example

```text
#SBATCH --partition=submit
+DESIRED_Sites = \"T2_US_MIT\"
accounting_group = analysis.jane
```

## How to fix

Take the value from a profile or an environment variable, with no default, or leave it out and let the site's default be used. Keep
one small file for each site.

## Limits

A value that is put together at run time is not seen.
";

/// How one setting is told from the others.
struct Known {
    dialects: &'static [Dialect],
    /// The last part of the key, lowercase, without `+`, `My.` and dashes.
    key: &'static str,
    severity: Severity,
    what: &'static str,
    help: &'static str,
}

const BATCH: &[Dialect] = &[Dialect::Batch];
const CONDOR: &[Dialect] = &[Dialect::Condor];
const ANY_CONDOR: &[Dialect] = &[Dialect::Condor, Dialect::Program, Dialect::Batch];
const ANY: &[Dialect] = &[Dialect::Condor, Dialect::Program, Dialect::Batch, Dialect::Config];
const PROFILE: &str = "take it from a profile of the site, or leave it out where the default serves";

const KNOWN: &[Known] = &[
    Known { dialects: BATCH, key: "partition", severity: Severity::Error, what: "a Slurm partition", help: PROFILE },
    Known { dialects: BATCH, key: "account", severity: Severity::Error, what: "a Slurm account", help: PROFILE },
    Known {
        dialects: BATCH,
        key: "reservation",
        severity: Severity::Error,
        what: "a Slurm reservation",
        help: PROFILE,
    },
    Known { dialects: BATCH, key: "qos", severity: Severity::Error, what: "a Slurm QOS", help: PROFILE },
    Known { dialects: BATCH, key: "nodelist", severity: Severity::Error, what: "nodes of one cluster", help: PROFILE },
    Known {
        dialects: BATCH,
        key: "constraint",
        severity: Severity::Warning,
        what: "a node feature of one cluster",
        help: PROFILE,
    },
    Known {
        dialects: BATCH,
        key: "queue",
        severity: Severity::Error,
        what: "a queue of one batch system",
        help: PROFILE,
    },
    Known {
        dialects: ANY,
        key: "desired_sites",
        severity: Severity::Error,
        what: "sites of the CMS global pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY,
        key: "accountinggroup",
        severity: Severity::Error,
        what: "an accounting group of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY,
        key: "accounting_group",
        severity: Severity::Error,
        what: "an accounting group of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY,
        key: "acctgroup",
        severity: Severity::Error,
        what: "an accounting group of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "acctgroupuser",
        severity: Severity::Error,
        what: "a user of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "accounting_group_user",
        severity: Severity::Warning,
        what: "a user of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "myproject",
        severity: Severity::Error,
        what: "a project of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "wantos",
        severity: Severity::Warning,
        what: "an operating system by a name of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "request_opsysandver",
        severity: Severity::Warning,
        what: "an operating system by a name of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "desiredos",
        severity: Severity::Warning,
        what: "an operating system by a name of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "req_os",
        severity: Severity::Warning,
        what: "an operating system by a name of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "projectname",
        severity: Severity::Warning,
        what: "a project of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "project_name",
        severity: Severity::Warning,
        what: "a project of one pool",
        help: PROFILE,
    },
    Known {
        dialects: ANY_CONDOR,
        key: "jobflavour",
        severity: Severity::Warning,
        what: "a job flavour of CERN's pool",
        help: "other pools ignore it: ask for `max_retries`, memory and time by attributes that all know, and set it from a profile",
    },
    Known {
        dialects: ANY_CONDOR,
        key: "testjobflavour",
        severity: Severity::Warning,
        what: "a job flavour of CERN's pool",
        help: PROFILE,
    },
    Known {
        dialects: CONDOR,
        key: "maxruntime",
        severity: Severity::Note,
        what: "a run time as CERN's pool reads it",
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

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    chosen(input, reports);
    for setting in &input.view.facts.settings {
        if let Some(known) = known(setting)
            && !is_open(&setting.value.text, known.key)
        {
            reports.push(report(setting, known));
        } else if is_classad(setting) && bare(&setting.key) == "requirements" {
            reports.extend(requirements(setting));
        } else if setting.dialect == Dialect::Batch && setting.value.text.contains("filesystems=") {
            let message = format!("`{}` names file systems of one centre", excerpt(&setting.value.text));
            reports.push(Diagnostic::at(&setting.range, message).help(PROFILE).group("filesystems"));
        }
    }
    for call in &input.view.facts.calls {
        let class = call.name.rsplit('.').next().unwrap_or_default();
        if !CLUSTERS.contains(&class) {
            continue;
        }
        for (key, value) in &call.keywords {
            let Some(value) = value.as_ref().filter(|value| !is_open(&value.text, key)) else { continue };
            let is_named = matches!(
                key.as_str(),
                "queue" | "project" | "account" | "reservation" | "group_name" | "partition" | "qos" | "allocation"
            );
            if is_named {
                let message = format!("`{key}=\"{}\"` names what one batch system alone has", value.text);
                reports.push(Diagnostic::at(&value.range, message).help(PROFILE).group(value.text.clone()));
            }
        }
    }
    queue::check(input, reports);
    service::check(input, reports);
    line::check(input, reports);
}

/// Whether a value is an expression of HTCondor: in programs, when it compares as one does.
fn is_classad(setting: &Setting) -> bool {
    let compares = ["=?=", "=!=", "== \"", "== \\\"", "regexp("];
    match setting.dialect {
        Dialect::Condor => true,
        Dialect::Program => compares.iter().any(|sign| setting.value.text.contains(sign)),
        _ => false,
    }
}

/// Longest name of a queue.
const LONGEST_QUEUE: usize = 40;

/// `queue = "longcms"` in a program that starts jobs by itself.
fn chosen(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
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
        let is_name = (3..LONGEST_QUEUE).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@'));
        if span.call.is_none()
            && span.role == Role::Plain
            && is_name
            && matches!(name.to_ascii_lowercase().as_str(), "queue" | "partition" | "reservation" | "accounting_group")
            && !is_open(value, name)
        {
            let message = format!("`{name} = {value}` names what one batch system alone has");
            reports.push(Diagnostic::at(&span.range, message).severity(Severity::Warning).help(PROFILE).group(name));
        }
    }
}

/// The last part of a key, without what marks it as an attribute.
fn bare(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.trim_start_matches(['+', '-', '"']).trim_end_matches('"').to_ascii_lowercase()
}

fn known(setting: &Setting) -> Option<&'static Known> {
    let key = bare(&setting.key);
    // A dictionary of a program must say that it means a job: only attributes whose names nothing else has count there.
    KNOWN.iter().find(|known| known.dialects.contains(&setting.dialect) && known.key == key)
}

/// Whether the value is left to somebody else: a placeholder alone, or nothing.
fn is_open(value: &str, key: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let placeholder = |value: &str| {
        value.starts_with('$')
            || value.starts_with('{') && value.ends_with('}')
            || value.starts_with('%')
            || value.starts_with('<')
    };
    let _ = key;
    value.is_empty()
        || matches!(value, "None" | "null" | "undefined" | "true" | "false" | "default")
        || placeholder(value)
}

fn report(setting: &Setting, known: &Known) -> Diagnostic {
    let message = format!("`{} = {}` names {}", setting.key, excerpt(&setting.value.text), known.what);
    Diagnostic::at(&setting.range, message).severity(known.severity).help(known.help).group(setting.key.clone())
}

/// Requirements that only the machines of one pool can meet.
fn requirements(setting: &Setting) -> Option<Diagnostic> {
    let value = setting.value.text.as_str();
    let lower = value.to_ascii_lowercase();
    let message = |what: &str| format!("`requirements = {}` names {what}", excerpt(value));
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
        let help = "ask for a container image instead of the machine's system";
        return Some(Diagnostic::at(&setting.range, message("an operating system that is retired")).help(help));
    }
    // `TARGET.` says that it is the machine's; without it a name may be the job's own.
    let asked = lower.match_indices("target.").map(|(at, word)| {
        let rest = &lower[at + word.len()..];
        &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())]
    });
    let is_common = |name: &str| MACHINE.contains(&name) || MACHINE_STARTS.iter().any(|start| name.starts_with(start));
    let own = asked.into_iter().find(|name| !name.is_empty() && !is_common(name))?;
    let what = format!("an attribute that the machines of one pool have, `{own}`");
    Some(Diagnostic::at(&setting.range, message(&what)).severity(Severity::Warning).help(PROFILE))
}

/// Attributes of machines that every pool has (HTCondor's manual, "Machine ClassAd Attributes").
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
/// Beginnings of others: systems, accelerators, what a machine can do, totals over its slots.
const MACHINE_STARTS: &[&str] = &["opsys", "gpu", "cuda", "has", "total", "vm_", "ocl"];

#[cfg(test)]
mod tests {
    use super::{bare, is_open};

    #[test]
    fn keys_are_compared_without_their_marks() {
        assert_eq!(bare("+DESIRED_Sites"), "desired_sites");
        assert_eq!(bare("My.JobFlavour"), "jobflavour");
        assert_eq!(bare("--partition"), "partition");
    }

    #[test]
    fn placeholders_are_left_to_somebody_else() {
        assert!(is_open("$PARTITION", "partition") && is_open("{partition}", "partition") && is_open("", "partition"));
        assert!(!is_open("submit,submit-gpu", "partition"));
    }
}
