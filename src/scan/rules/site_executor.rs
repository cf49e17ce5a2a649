//! Executors that work at one facility only.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Call, Import};

/// The rule `site-executor`: cluster classes and modules of one facility.
pub(super) static RULE: Rule = Rule {
    id: "site-executor",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "executor that works at only one facility",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds modules and cluster classes that one facility provides (`lpcjobqueue`, `dask_lxplus`, `CoffeaCasaCluster`), and fixed
addresses of a scheduler. An executor that is one of several options is reported as a warning.

## Why it breaks elsewhere

The module is usually not installed elsewhere. Even if it is, the batch system that it submits to does not exist there.

## Example

```python
from lpcjobqueue import LPCCondorCluster
cluster = LPCCondorCluster()
```

## How to fix

Select the executor with an argument. Use one that works everywhere as the default (`futures`, `iterative`, a local dask cluster), and
import the site's class in the branch that needs it.

## Limits

An executor from a framework's configuration file is found only if the file contains the name of its class.
";

/// Modules of one facility, with the name of the facility.
const MODULES: &[(&str, &str)] = &[
    ("lpcjobqueue", "the LPC at Fermilab"),
    ("dask_lxplus", "lxplus at CERN"),
    ("coffea_casa", "coffea-casa"),
    ("dask_mit", "MIT"),
    ("distributed_rcac", "Purdue"),
    ("dask_remote_jobqueue", "INFN's analysis facility"),
];

/// Classes of one facility, with the name of the facility.
const CLASSES: &[(&str, &str)] = &[
    ("LPCCondorCluster", "the LPC at Fermilab"),
    ("LPCGateway", "the EAF at Fermilab"),
    ("CernCluster", "lxplus at CERN"),
    ("CoffeaCasaCluster", "coffea-casa"),
    ("PurdueCluster", "Purdue"),
    ("RemoteHTCondor", "INFN's analysis facility"),
];

/// Help for modules and classes.
const HELP: &str = "select the executor with an argument; use one that works everywhere as the default";

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    for import in &facts.imports {
        if let Some((module, facility)) = module_of_facility(import).filter(|(module, _)| !is_of(input.path, module)) {
            let message = format!("module `{module}` exists only at {facility}");
            diagnostics.push(
                Diagnostic::at(&import.range, message)
                    .severity(severity(!import.is_optional && import.runs_at_import))
                    .help(HELP),
            );
        }
    }
    for call in &facts.calls {
        let class = call.name.rsplit('.').next().unwrap_or_default();
        if let Some((class, facility)) = CLASSES.iter().find(|(name, _)| *name == class) {
            let message = format!("`{class}` works only at {facility}");
            diagnostics.push(Diagnostic::at(&call.range, message).severity(severity(!call.is_conditional)).help(HELP));
        }
        diagnostics.extend(fixed_address(call));
    }
}

/// Reports whether a file is part of the module itself.
fn is_of(path: &str, module: &str) -> bool {
    path.split('/').rev().skip(1).any(|part| part == module)
}

fn severity(is_certain: bool) -> Severity {
    if is_certain { Severity::Error } else { Severity::Warning }
}

fn module_of_facility(import: &Import) -> Option<(&'static str, &'static str)> {
    let top = import.module.split('.').next().unwrap_or_default();
    MODULES.iter().find(|(name, _)| *name == top).copied()
}

/// Reports a dask client that connects to the scheduler of one machine.
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
    let message = format!("scheduler `{}` can be reached from one facility only", address.text);
    let help = "read the address from an argument or DASK_SCHEDULER_ADDRESS";
    Some(Diagnostic::at(&address.range, message).severity(severity(!call.is_conditional)).help(help))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::RULE;
    use crate::model::finding::Severity::Error;

    #[test]
    fn module_of_facility_may_import_itself() {
        assert_eq!(severities(&RULE, "src/lpcjobqueue/cluster.py", "import lpcjobqueue.patch\n"), []);
        assert_eq!(severities(&RULE, "lpcjobqueue/run.py", "from lpcjobqueue.x import y\n"), []);
        assert_eq!(severities(&RULE, "run.py", "from lpcjobqueue import LPCCondorCluster\n"), [Error]);
    }
}
