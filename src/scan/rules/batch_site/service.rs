//! Batch systems in settings of REANA, law and CRAB.

use super::super::Diagnostic;
use super::super::context::FileInput;
use super::{PROFILE, bare_key, is_placeholder};
use crate::model::finding::Severity;
use crate::model::text::excerpt;
use crate::source::lang::fact::{Dialect, Setting};
use crate::source::lang::span::Span;

pub(super) fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let settings = input.view.facts.settings.iter();
    diagnostics.extend(settings.filter(|setting| !is_placeholder(&setting.value.text)).filter_map(setting_diagnostic));
    for span in input.view.spans.iter().filter(|span| span.is_active()) {
        let covers = |diagnostic: &Diagnostic| {
            diagnostic
                .range
                .as_ref()
                .is_some_and(|range| range.start <= span.range.start && span.range.end <= range.end)
        };
        if let Some(diagnostic) = span_diagnostic(input, span).filter(|_| !diagnostics.iter().any(covers)) {
            diagnostics.push(diagnostic);
        }
    }
}

fn setting_diagnostic(setting: &Setting) -> Option<Diagnostic> {
    if !matches!(setting.dialect, Dialect::Config | Dialect::Program) {
        return None;
    }
    let value = setting.value.text.trim_matches(['"', '\'']);
    let (severity, what) = match bare_key(&setting.key).as_str() {
        // REANA backends that exist only at CERN: `htcondorcern`, `slurmcern`.
        "compute_backend" if value.ends_with("cern") => (Severity::Error, "a REANA backend that exists only at CERN"),
        "htcondor_max_runtime" if value.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            (Severity::Warning, "a job flavour of CERN's pool")
        }
        "htcondor_flavor" | "slurm_flavor" | "htcondor_pool" | "htcondor_scheduler"
            if setting.dialect == Dialect::Config =>
        {
            (Severity::Warning, "the batch system of one site")
        }
        _ => return None,
    };
    let message = format!("`{} = {}` is specific to one site: {what}", setting.key, excerpt(&setting.value.text));
    Some(Diagnostic::at(&setting.range, message).severity(severity).help(PROFILE).group(setting.key.clone()))
}

/// Reports `config.Site.storageSite = "T2_DE_DESY"`, where only the author may write, and `sites` of HTCondor jobs.
fn span_diagnostic(input: &FileInput<'_>, span: &Span) -> Option<Diagnostic> {
    let name = span.name.as_deref()?.rsplit('.').next()?;
    let is_named = matches!(name, "storageSite" | "whitelist" | "storage_element" | "sites" | "desired_sites");
    let text = input.view.text.get(span.range.clone())?;
    let is_site = |name: &str| {
        let name = name.trim().as_bytes();
        matches!(name, [b'T', b'0'..=b'3', b'_', b'A'..=b'Z', b'A'..=b'Z', b'_', _, ..])
    };
    (is_named && text.split(',').all(is_site)).then(|| {
        let message = format!("`{name} = {}` sends jobs or their output to one grid site", excerpt(text));
        Diagnostic::at(&span.range, message).severity(Severity::Warning).help(PROFILE).group(name)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::severities;
    use super::super::RULE;
    use crate::model::finding::Severity::{Error, Warning};

    #[test]
    fn reana_backend_of_cern_is_error() {
        let step = "steps:\n  - environment: 'a/b:1'\n    compute_backend: slurmcern\n";
        assert_eq!(severities(&RULE, "reana.yaml", step), [Error]);
        assert_eq!(severities(&RULE, "reana.yaml", "steps:\n  - compute_backend: kubernetes\n"), []);
        let rule = "rule a:\n    resources:\n        compute_backend=\"htcondorcern\"\n";
        assert_eq!(severities(&RULE, "workflow/Snakefile", rule), [Error]);
    }

    #[test]
    fn law_flavors_and_crab_sites_are_warnings() {
        assert_eq!(severities(&RULE, "law.cfg", "[job]\nhtcondor_flavor: naf_el9\n"), [Warning]);
        assert_eq!(severities(&RULE, "law.cfg", "[job]\nhtcondor_flavor: $FLAVOR\n"), []);
        assert_eq!(severities(&RULE, "crab.py", "config.Site.storageSite = 'T2_DE_DESY'\n"), [Warning]);
        assert_eq!(severities(&RULE, "crab.py", "config.Site.blacklist = ['T2_DE_DESY']\n"), []);
        assert_eq!(severities(&RULE, "submit.py", "task(submit={\"sites\": \"T2_US_UCSD\", \"a\": 1})\n"), [Warning]);
        assert_eq!(severities(&RULE, "submit.py", "task(sites='T2_US_UCSD,T2_US_MIT')\n"), [Warning]);
        assert_eq!(severities(&RULE, "plot.py", "sites = 'T2_of_all'\ndoors = {'T2_US_UCSD': 'a'}\n"), []);
    }

    #[test]
    fn machine_attribute_of_one_pool_is_warning() {
        let jdl = |requirements: &str| format!("executable = a.sh\nrequirements = {requirements}\nqueue\n");
        assert_eq!(severities(&RULE, "a.jdl", &jdl("(Target.ProvidesIO == True) && TARGET.Cpus > 1")), [Warning]);
        assert_eq!(severities(&RULE, "a.jdl", &jdl("TARGET.ProvidesDesk")), [Warning]);
        let common = "TARGET.Arch == \"X86_64\" && TARGET.HasSingularity && (TARGET.OpSysMajorVer >= 8)";
        assert_eq!(severities(&RULE, "a.jdl", &jdl(common)), []);
        let domain = "(TARGET.UidDomain == \"hep.example.edu\" && TARGET.HAS_HDFS)";
        assert_eq!(severities(&RULE, "a.jdl", &jdl(domain)), [Error]);
        assert_eq!(severities(&RULE, "a.py", &format!("config['Requirements'] = '{domain}'\n")), [Error]);
        assert_eq!(severities(&RULE, "a.jdl", &jdl("TARGET.UidDomain == MY.UidDomain")), []);
        assert_eq!(severities(&RULE, "a.jdl", &jdl("MY.Retries < 3 && TARGET.Machine =!= LastMatchName1")), []);
    }

    #[test]
    fn accounting_group_in_configuration_is_error() {
        assert_eq!(severities(&RULE, "a.ini", "[job]\naccounting_group = cms.higgs\n"), [Error]);
        assert_eq!(severities(&RULE, "a.sub", "requirements = TARGET.CloudSite == \"x\"\nqueue\n"), [Error]);
    }
}
