//! Commands that only some facilities provide.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Command, Host};

/// The rule `site-command`: commands of batch systems, of grids and of one laboratory.
pub(super) static RULE: Rule = Rule {
    id: "site-command",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "command that only some facilities provide",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds commands of one batch system, one laboratory or the grid user interface in shell scripts, Makefiles and notebooks, and in
strings that a program passes to a shell.

## Why it breaks elsewhere

`condor_submit` does not exist at Slurm sites. `eos` and `klist` exist at CERN and few other sites. `lsetup` and `cmsenv` are
functions that a setup script on `/cvmfs` defines. Containers provide none of these commands.

## Example

```sh
condor_submit jobs.sub
eos cp out.root /eos/user/j/jane/
```

## How to fix

Separate job submission from the analysis, so that the analysis runs without it. Copy files with `xrdcp` or inside the program.
Document the required setup in the README.

## Limits

A function of the script with the same name is treated as the command. Commands in image builds are not reported.
";

/// A command, the software that provides it, and the severity.
struct SiteCommand(&'static str, &'static str, Severity);

const COMMANDS: &[SiteCommand] = &[
    SiteCommand("LbLogin", "the LHCb software on /cvmfs", Severity::Warning),
    SiteCommand("aklog", "AFS", Severity::Warning),
    SiteCommand("alien.py", "AliEn", Severity::Warning),
    SiteCommand("alien_cp", "AliEn", Severity::Warning),
    SiteCommand("alienv", "the ALICE software", Severity::Warning),
    SiteCommand("aliroot", "the ALICE software", Severity::Note),
    SiteCommand("arcproxy", "the grid user interface", Severity::Warning),
    SiteCommand("arcsub", "ARC", Severity::Warning),
    SiteCommand("asetup", "the ATLAS software on /cvmfs", Severity::Warning),
    SiteCommand("b2setup", "the Belle II software on /cvmfs", Severity::Warning),
    SiteCommand("basf2", "the Belle II software", Severity::Note),
    SiteCommand("bjobs", "LSF", Severity::Warning),
    SiteCommand("bkill", "LSF", Severity::Warning),
    SiteCommand("bsub", "LSF, which CERN retired", Severity::Warning),
    SiteCommand("cmsRun", "CMSSW", Severity::Note),
    SiteCommand("cmsenv", "CMSSW", Severity::Warning),
    SiteCommand("cmsrel", "CMSSW", Severity::Warning),
    SiteCommand("combine", "CMSSW's Combine", Severity::Note),
    SiteCommand("condor_history", "HTCondor", Severity::Warning),
    SiteCommand("condor_q", "HTCondor", Severity::Warning),
    SiteCommand("condor_release", "HTCondor", Severity::Warning),
    SiteCommand("condor_rm", "HTCondor", Severity::Warning),
    SiteCommand("condor_status", "HTCondor", Severity::Warning),
    SiteCommand("condor_submit", "HTCondor", Severity::Warning),
    SiteCommand("condor_submit_dag", "HTCondor", Severity::Warning),
    SiteCommand("condor_transfer_data", "HTCondor", Severity::Warning),
    SiteCommand("condor_wait", "HTCondor", Severity::Warning),
    SiteCommand("crab", "CRAB, the CMS grid client", Severity::Warning),
    SiteCommand("crabsub", "CRAB, the CMS grid client", Severity::Warning),
    SiteCommand("dasgoclient", "the client of the CMS data catalogue", Severity::Warning),
    SiteCommand("eos", "EOS at CERN", Severity::Warning),
    SiteCommand("eosls", "EOS at Fermilab", Severity::Warning),
    SiteCommand("fs", "AFS", Severity::Note),
    SiteCommand("gaudirun.py", "software built on Gaudi", Severity::Note),
    SiteCommand("gbasf2", "the Belle II grid client", Severity::Warning),
    SiteCommand("gfal-copy", "the grid user interface", Severity::Warning),
    SiteCommand("gfal-ls", "the grid user interface", Severity::Warning),
    SiteCommand("gfal-mkdir", "the grid user interface", Severity::Warning),
    SiteCommand("gfal-rm", "the grid user interface", Severity::Warning),
    SiteCommand("gfal-stat", "the grid user interface", Severity::Warning),
    SiteCommand("globus-url-copy", "the grid user interface", Severity::Warning),
    SiteCommand("grid-proxy-init", "the grid user interface", Severity::Warning),
    SiteCommand("htgettoken", "Fermilab's token tools", Severity::Warning),
    SiteCommand("ifdh", "Fermilab's tools", Severity::Warning),
    SiteCommand("jobsub", "Fermilab's tools", Severity::Warning),
    SiteCommand("jobsub_fetchlog", "Fermilab's tools", Severity::Warning),
    SiteCommand("jobsub_q", "Fermilab's tools", Severity::Warning),
    SiteCommand("jobsub_rm", "Fermilab's tools", Severity::Warning),
    SiteCommand("jobsub_submit", "Fermilab's tools", Severity::Warning),
    SiteCommand("kinit", "Kerberos", Severity::Warning),
    SiteCommand("klist", "Kerberos", Severity::Warning),
    SiteCommand("lb-dev", "the LHCb software on /cvmfs", Severity::Warning),
    SiteCommand("lb-dirac", "the LHCb software on /cvmfs", Severity::Warning),
    SiteCommand("lb-run", "the LHCb software on /cvmfs", Severity::Warning),
    SiteCommand("lb-set-platform", "the LHCb software on /cvmfs", Severity::Warning),
    SiteCommand("lcg-cp", "the old grid user interface", Severity::Warning),
    SiteCommand("lhcb-proxy-init", "the LHCb software on /cvmfs", Severity::Warning),
    SiteCommand("lsetup", "the ATLAS software on /cvmfs", Severity::Warning),
    SiteCommand("module", "environment modules", Severity::Warning),
    SiteCommand("mrb", "Fermilab's UPS", Severity::Warning),
    SiteCommand("mrbsetenv", "Fermilab's UPS", Severity::Warning),
    SiteCommand("mrbslp", "Fermilab's UPS", Severity::Warning),
    SiteCommand("myproxy-init", "the grid user interface", Severity::Warning),
    SiteCommand("pathena", "PanDA", Severity::Warning),
    SiteCommand("prun", "PanDA", Severity::Warning),
    SiteCommand("qdel", "PBS or Grid Engine", Severity::Warning),
    SiteCommand("qstat", "PBS or Grid Engine", Severity::Warning),
    SiteCommand("qsub", "PBS or Grid Engine", Severity::Warning),
    SiteCommand("rucio", "the Rucio client", Severity::Warning),
    SiteCommand("sacct", "Slurm", Severity::Warning),
    SiteCommand("samweb", "Fermilab's tools", Severity::Warning),
    SiteCommand("sbatch", "Slurm", Severity::Warning),
    SiteCommand("scancel", "Slurm", Severity::Warning),
    SiteCommand("scontrol", "Slurm", Severity::Warning),
    SiteCommand("scram", "CMSSW", Severity::Warning),
    SiteCommand("scramv1", "CMSSW", Severity::Warning),
    SiteCommand("setupATLAS", "the ATLAS software on /cvmfs", Severity::Warning),
    SiteCommand("setup_fnal_security", "Fermilab's tools", Severity::Warning),
    SiteCommand("sinfo", "Slurm", Severity::Warning),
    SiteCommand("squeue", "Slurm", Severity::Warning),
    SiteCommand("srm-copy", "the old grid user interface", Severity::Warning),
    SiteCommand("srmcp", "the old grid user interface", Severity::Warning),
    SiteCommand("srun", "Slurm", Severity::Warning),
    SiteCommand("voms-proxy-info", "VOMS", Severity::Note),
    SiteCommand("voms-proxy-init", "VOMS", Severity::Warning),
    SiteCommand("xrdcp", "the XRootD client", Severity::Note),
    SiteCommand("xrdfs", "the XRootD client", Severity::Note),
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for command in &input.view.facts.commands {
        if command.host == Host::Build {
            continue;
        }
        let Some(word) = command.words.first() else { continue };
        let Some(site_command) = site_command(command) else { continue };
        let message = format!("command `{}` is part of {}", site_command.0, site_command.1);
        let help = "separate its use from the analysis, and document its setup in the README";
        diagnostics
            .push(Diagnostic::at(&word.range, message).severity(site_command.2).help(help).group(site_command.0));
    }
}

fn site_command(command: &Command) -> Option<&'static SiteCommand> {
    let name = command.words.first()?.text.rsplit('/').next()?;
    COMMANDS.iter().find(|site_command| site_command.0 == name)
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::{COMMANDS, RULE};
    use crate::model::finding::Severity::Warning;

    #[test]
    fn commands_of_laboratories_and_collaborations_are_reported() {
        let script = "#!/bin/sh\nifdh cp a b\nlb-dev Urania/v10r1\nCP=\"ifdh cp\"\ngbasf2 -p x run.py\n";
        assert_eq!(severities(&RULE, "run.sh", script), [Warning; 3]);
        let program = "cmd = 'jobsub_submit --group dune -N ' + str(n)\nos.popen(cmd).read()\n";
        assert_eq!(severities(&RULE, "run.py", program), [Warning]);
    }

    #[test]
    fn table_is_sorted_without_duplicates() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
