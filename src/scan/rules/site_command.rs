//! Programs that only some facilities have.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Command, Host};

/// Commands of batch systems, of grids and of one laboratory.
pub(super) static RULE: Rule = Rule {
    id: "site-command",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "a command that only some facilities have",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds commands that belong to one batch system, one laboratory or the grid's user interface, in shell scripts, Makefiles, notebooks,
and in strings that a program gives to a shell.

## Why it breaks elsewhere

`condor_submit` isn't there where Slurm is, `eos` and `klist` only at CERN and few other places, `lsetup` and `cmsenv` are functions
that a set-up script from `/cvmfs` defines, and containers have none of them.

## Example

```sh
condor_submit jobs.sub
eos cp out.root /eos/user/j/jane/
```

## How to fix

Keep submission apart from the analysis, so that the analysis runs without it. Copy files with `xrdcp` or from inside of the program.
Say in the README what must be set up first.

## Limits

A function of the script's own with such a name is taken for the command. What runs while an image is built is not reported.
";

/// A command with what it belongs to.
struct Known(&'static str, &'static str, Severity);

const KNOWN: &[Known] = &[
    Known("LbLogin", "the LHCb software on /cvmfs", Severity::Warning),
    Known("aklog", "AFS", Severity::Warning),
    Known("alien.py", "AliEn", Severity::Warning),
    Known("alien_cp", "AliEn", Severity::Warning),
    Known("alienv", "the ALICE software", Severity::Warning),
    Known("aliroot", "the ALICE software", Severity::Note),
    Known("arcproxy", "the grid's user interface", Severity::Warning),
    Known("arcsub", "ARC", Severity::Warning),
    Known("asetup", "the ATLAS software on /cvmfs", Severity::Warning),
    Known("b2setup", "the Belle II software on /cvmfs", Severity::Warning),
    Known("basf2", "the Belle II software", Severity::Note),
    Known("bjobs", "LSF", Severity::Warning),
    Known("bkill", "LSF", Severity::Warning),
    Known("bsub", "LSF, which CERN retired", Severity::Warning),
    Known("cmsRun", "CMSSW", Severity::Note),
    Known("cmsenv", "CMSSW", Severity::Warning),
    Known("cmsrel", "CMSSW", Severity::Warning),
    Known("combine", "CMSSW's Combine", Severity::Note),
    Known("condor_history", "HTCondor", Severity::Warning),
    Known("condor_q", "HTCondor", Severity::Warning),
    Known("condor_release", "HTCondor", Severity::Warning),
    Known("condor_rm", "HTCondor", Severity::Warning),
    Known("condor_status", "HTCondor", Severity::Warning),
    Known("condor_submit", "HTCondor", Severity::Warning),
    Known("condor_submit_dag", "HTCondor", Severity::Warning),
    Known("condor_transfer_data", "HTCondor", Severity::Warning),
    Known("condor_wait", "HTCondor", Severity::Warning),
    Known("crab", "CRAB, the CMS grid client", Severity::Warning),
    Known("crabsub", "CRAB, the CMS grid client", Severity::Warning),
    Known("dasgoclient", "the CMS data catalogue's client", Severity::Warning),
    Known("eos", "EOS at CERN", Severity::Warning),
    Known("eosls", "EOS at Fermilab", Severity::Warning),
    Known("fs", "AFS", Severity::Note),
    Known("gaudirun.py", "software built on Gaudi", Severity::Note),
    Known("gbasf2", "the grid client of Belle II", Severity::Warning),
    Known("gfal-copy", "the grid's user interface", Severity::Warning),
    Known("gfal-ls", "the grid's user interface", Severity::Warning),
    Known("gfal-mkdir", "the grid's user interface", Severity::Warning),
    Known("gfal-rm", "the grid's user interface", Severity::Warning),
    Known("gfal-stat", "the grid's user interface", Severity::Warning),
    Known("globus-url-copy", "the grid's user interface", Severity::Warning),
    Known("grid-proxy-init", "the grid's user interface", Severity::Warning),
    Known("htgettoken", "tokens of Fermilab", Severity::Warning),
    Known("ifdh", "Fermilab", Severity::Warning),
    Known("jobsub", "Fermilab", Severity::Warning),
    Known("jobsub_fetchlog", "Fermilab", Severity::Warning),
    Known("jobsub_q", "Fermilab", Severity::Warning),
    Known("jobsub_rm", "Fermilab", Severity::Warning),
    Known("jobsub_submit", "Fermilab", Severity::Warning),
    Known("kinit", "Kerberos", Severity::Warning),
    Known("klist", "Kerberos", Severity::Warning),
    Known("lb-dev", "the LHCb software on /cvmfs", Severity::Warning),
    Known("lb-dirac", "the LHCb software on /cvmfs", Severity::Warning),
    Known("lb-run", "the LHCb software on /cvmfs", Severity::Warning),
    Known("lb-set-platform", "the LHCb software on /cvmfs", Severity::Warning),
    Known("lcg-cp", "the grid's old user interface", Severity::Warning),
    Known("lhcb-proxy-init", "the LHCb software on /cvmfs", Severity::Warning),
    Known("lsetup", "the ATLAS software on /cvmfs", Severity::Warning),
    Known("module", "environment modules", Severity::Warning),
    Known("mrb", "Fermilab's UPS", Severity::Warning),
    Known("mrbsetenv", "Fermilab's UPS", Severity::Warning),
    Known("mrbslp", "Fermilab's UPS", Severity::Warning),
    Known("myproxy-init", "the grid's user interface", Severity::Warning),
    Known("pathena", "PanDA", Severity::Warning),
    Known("prun", "PanDA", Severity::Warning),
    Known("qdel", "PBS and Grid Engine", Severity::Warning),
    Known("qstat", "PBS and Grid Engine", Severity::Warning),
    Known("qsub", "PBS and Grid Engine", Severity::Warning),
    Known("rucio", "the Rucio client", Severity::Warning),
    Known("sacct", "Slurm", Severity::Warning),
    Known("samweb", "Fermilab", Severity::Warning),
    Known("sbatch", "Slurm", Severity::Warning),
    Known("scancel", "Slurm", Severity::Warning),
    Known("scontrol", "Slurm", Severity::Warning),
    Known("scram", "CMSSW", Severity::Warning),
    Known("scramv1", "CMSSW", Severity::Warning),
    Known("setupATLAS", "the ATLAS software on /cvmfs", Severity::Warning),
    Known("setup_fnal_security", "Fermilab", Severity::Warning),
    Known("sinfo", "Slurm", Severity::Warning),
    Known("squeue", "Slurm", Severity::Warning),
    Known("srm-copy", "the grid's old user interface", Severity::Warning),
    Known("srmcp", "the grid's old user interface", Severity::Warning),
    Known("srun", "Slurm", Severity::Warning),
    Known("voms-proxy-info", "VOMS", Severity::Note),
    Known("voms-proxy-init", "VOMS", Severity::Warning),
    Known("xrdcp", "XRootD's clients", Severity::Note),
    Known("xrdfs", "XRootD's clients", Severity::Note),
];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    for command in &input.view.facts.commands {
        if command.host == Host::Build {
            continue;
        }
        let Some(word) = command.words.first() else { continue };
        let Some(known) = known(command) else { continue };
        let message = format!("`{}` belongs to {}", known.0, known.1);
        let help = "keep what needs it apart from the analysis, and say in the README how it is set up";
        reports.push(Diagnostic::at(&word.range, message).severity(known.2).help(help).group(known.0));
    }
}

fn known(command: &Command) -> Option<&'static Known> {
    let name = command.words.first()?.text.rsplit('/').next()?;
    KNOWN.iter().find(|known| known.0 == name)
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::{KNOWN, RULE};
    use crate::model::finding::Severity::Warning;

    #[test]
    fn commands_of_laboratories_and_collaborations_are_told() {
        let script = "#!/bin/sh\nifdh cp a b\nlb-dev Urania/v10r1\nCP=\"ifdh cp\"\ngbasf2 -p x run.py\n";
        assert_eq!(severities(&RULE, "run.sh", script), [Warning; 3]);
        let program = "cmd = 'jobsub_submit --group dune -N ' + str(n)\nos.popen(cmd).read()\n";
        assert_eq!(severities(&RULE, "run.py", program), [Warning]);
    }

    #[test]
    fn the_table_is_sorted_and_names_each_once() {
        assert!(KNOWN.is_sorted_by(|a, b| a.0 < b.0));
    }
}
