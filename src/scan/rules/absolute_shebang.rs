//! Interpreter lines with a path that does not exist on every machine.

use super::context::FileInput;
use super::{Check, Diagnostic, Edit, Rule};
use crate::model::finding::{Confidence, Severity};

/// The rule `absolute-shebang`: `#!/usr/bin/python`, `#!/home/jane/venv/bin/python`.
pub(super) static RULE: Rule = Rule {
    id: "absolute-shebang",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "interpreter path that does not exist on every machine",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds interpreter lines with a path that does not exist on every machine: `/usr/bin/python`, a virtual environment, a conda
installation, a home directory, a release on `/cvmfs`. Also finds lines without an absolute path, such as `#!env python`.

## Why it breaks elsewhere

`/usr/bin/python` is Python 2 on old systems, Python 3 on others, and missing on Debian and EL8. In an image, the Python with the
packages of the analysis is rarely the system's. A path into a user's environment exists only for that user.

## Example

```python
#!/usr/bin/python
```

## How to fix

Write `#!/usr/bin/env python3`. It starts the first Python on the `PATH`, which is the one that the setup of each facility selects.

## Limits

`/bin/sh` and `/bin/bash` are assumed to exist everywhere. A script that is only ever started as `python x.py` is reported too,
although its interpreter line has no effect.
";

/// Interpreters that exist on all systems of interest.
const EVERYWHERE: &[&str] = &[
    "/bin/bash",
    "/bin/csh",
    "/bin/dash",
    "/bin/sh",
    "/bin/tcsh",
    "/bin/zsh",
    "/usr/bin/awk",
    "/usr/bin/bash",
    "/usr/bin/env",
    "/usr/bin/perl",
    "/usr/bin/python3",
    "/usr/bin/sed",
    "/usr/bin/sh",
    "/usr/bin/make",
    "/bin/sed",
    "/bin/awk",
    "/usr/bin/zsh",
    "/bin/env",
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(line) = &input.view.facts.shebang else { return };
    let Some(interpreter) = line.text.split_whitespace().next() else { return };
    if EVERYWHERE.contains(&interpreter) || interpreter.contains(['$', '{', '@']) {
        return;
    }
    let name = interpreter.rsplit('/').next().unwrap_or(interpreter);
    let is_python = name.starts_with("python");
    let personal = ["/home/", "/afs/", "/eos/", "/Users/", "/uscms", "/nfs", "/depot", "/data", "/cvmfs/"];
    let (severity, message) = if !interpreter.starts_with('/') {
        (Severity::Warning, format!("`#!{}` is not an absolute path, so the script cannot be started", line.text))
    } else if personal.iter().any(|prefix| interpreter.starts_with(prefix)) {
        (Severity::Error, format!("interpreter `{interpreter}` exists at only one site"))
    } else {
        let message = "is missing on some systems and a different version on others";
        (Severity::Warning, format!("interpreter `{interpreter}` {message}"))
    };
    // The program of `#!env python` is the second word.
    let intended = if name == "env" { line.text.split_whitespace().nth(1).unwrap_or(name) } else { name };
    let program = if intended.starts_with("python") { "python3" } else { intended };
    let mut diagnostic =
        Diagnostic::at(&line.range, message).severity(severity).help(format!("write `#!/usr/bin/env {program}`"));
    // A Python 2 script needs another interpreter, and `env` does not pass options on.
    let is_alone = line.text.trim() == interpreter;
    if interpreter.starts_with('/') && is_alone && is_python && input.view.facts.python2.is_none() {
        let title = "use `/usr/bin/env`".to_owned();
        diagnostic =
            diagnostic.edit(Edit { range: line.range.clone(), replacement: "/usr/bin/env python3".to_owned(), title });
    }
    diagnostics.push(diagnostic);
}
