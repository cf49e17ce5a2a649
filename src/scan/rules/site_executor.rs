//! Executors that are tied to one place.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Call, Import};

/// Cluster classes and modules of one facility.
pub(super) static RULE: Rule = Rule {
    id: "site-executor",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "an executor that works at one facility alone",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds modules and cluster classes that one facility provides: `lpcjobqueue`, `dask_lxplus`, `CoffeaCasaCluster` and the like, and
fixed addresses of a scheduler. One that is taken only when the user asks for it, among other executors, is a warning.

## Why it breaks elsewhere

The module isn't installed elsewhere, and where it is, there is no such batch system behind it.

## Example

```python
from lpcjobqueue import LPCCondorCluster
cluster = LPCCondorCluster()
```

## How to fix

Choose the executor by an argument, with one that works everywhere as default (`futures`, `iterative`, a local dask), and import
the site's class in the branch that needs it.

## Limits

An executor that a configuration file of the framework names is seen only when its class is named there.
";

/// Modules of one facility, with its name.
const MODULES: &[(&str, &str)] = &[
    ("lpcjobqueue", "the LPC at Fermilab"),
    ("dask_lxplus", "lxplus at CERN"),
    ("coffea_casa", "coffea-casa"),
    ("dask_mit", "MIT"),
    ("distributed_rcac", "Purdue"),
    ("dask_remote_jobqueue", "INFN's analysis facility"),
];

/// Classes of one facility, with its name.
const CLASSES: &[(&str, &str)] = &[
    ("LPCCondorCluster", "the LPC at Fermilab"),
    ("LPCGateway", "the EAF at Fermilab"),
    ("CernCluster", "lxplus at CERN"),
    ("CoffeaCasaCluster", "coffea-casa"),
    ("PurdueCluster", "Purdue"),
    ("RemoteHTCondor", "INFN's analysis facility"),
];

/// Help for both.
const HELP: &str = "choose the executor by an argument, with one that works everywhere as default";

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    for import in &facts.imports {
        if let Some((module, place)) = of_module(import).filter(|(module, _)| !is_of(input.path, module)) {
            let message = format!("`{module}` is a module of {place}");
            reports.push(
                Diagnostic::at(&import.range, message)
                    .severity(severity(!import.is_optional && import.at_top))
                    .help(HELP),
            );
        }
    }
    for call in &facts.calls {
        let class = call.name.rsplit('.').next().unwrap_or_default();
        if let Some((class, place)) = CLASSES.iter().find(|(name, _)| *name == class) {
            let message = format!("`{class}` works at {place} alone");
            reports.push(Diagnostic::at(&call.range, message).severity(severity(!call.is_conditional)).help(HELP));
        }
        reports.extend(fixed_address(call));
    }
}

/// Whether a file is a part of a module itself.
fn is_of(path: &str, module: &str) -> bool {
    path.split('/').rev().skip(1).any(|part| part == module)
}

fn severity(is_certain: bool) -> Severity {
    if is_certain { Severity::Error } else { Severity::Warning }
}

fn of_module(import: &Import) -> Option<(&'static str, &'static str)> {
    let top = import.module.split('.').next().unwrap_or_default();
    MODULES.iter().find(|(name, _)| *name == top).copied()
}

/// A dask client that connects to one machine's scheduler.
fn fixed_address(call: &Call) -> Option<Diagnostic> {
    let class = call.name.rsplit('.').next().unwrap_or_default();
    if !matches!(class, "Client" | "Gateway") {
        return None;
    }
    let address = call.arguments.first().and_then(Option::as_ref)?;
    let host = address.text.split_once("://")?.1.split([':', '/']).next()?;
    if matches!(host, "localhost" | "127.0.0.1" | "" | "0.0.0.0") || host.contains(['{', '$', '%']) {
        return None;
    }
    let message = format!("the scheduler at `{}` is reached from one facility alone", address.text);
    let help = "take the address from an argument or from DASK_SCHEDULER_ADDRESS";
    Some(Diagnostic::at(&address.range, message).severity(severity(!call.is_conditional)).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::RULE;
    use crate::model::finding::Severity::Error;

    #[test]
    fn a_module_of_a_site_may_import_itself() {
        assert_eq!(severities(&RULE, "src/lpcjobqueue/cluster.py", "import lpcjobqueue.patch\n"), []);
        assert_eq!(severities(&RULE, "lpcjobqueue/run.py", "from lpcjobqueue.x import y\n"), []);
        assert_eq!(severities(&RULE, "run.py", "from lpcjobqueue import LPCCondorCluster\n"), [Error]);
    }
}
