//! Interpreters by a path that other machines don't have.

use super::context::FileInput;
use super::{Check, Diagnostic, Edit, Rule};
use crate::model::finding::{Confidence, Severity};

/// `#!/usr/bin/python`, `#!/home/jane/venv/bin/python`.
pub(super) static RULE: Rule = Rule {
    id: "absolute-shebang",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "a script names its interpreter by a path that not every machine has",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds interpreter lines with a path that isn't everywhere: `/usr/bin/python`, a virtual environment, a conda installation, a home
directory, a release on `/cvmfs`; and lines that are no absolute path at all, such as `#!env python`.

## Why it breaks elsewhere

`/usr/bin/python` is Python 2 on old systems, Python 3 on some, and missing on Debian and EL8. In an image the Python with the packages
is seldom the system's. A path into somebody's environment is there for one person.

## Example

```python
#!/usr/bin/python
```

## How to fix

`#!/usr/bin/env python3` takes the first one on the PATH, which is what the set-up of every facility prepares.

## Limits

`/bin/sh` and `/bin/bash` are taken to be everywhere. Scripts that are only ever started as `python x.py` don't mind.
";

/// Interpreters that are where they are said to be on all systems of interest.
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

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let Some(line) = &input.view.facts.shebang else { return };
    let Some(interpreter) = line.text.split_whitespace().next() else { return };
    if EVERYWHERE.contains(&interpreter) || interpreter.contains(['$', '{', '@']) {
        return;
    }
    let name = interpreter.rsplit('/').next().unwrap_or(interpreter);
    let is_python = name.starts_with("python");
    let personal = ["/home/", "/afs/", "/eos/", "/Users/", "/uscms", "/nfs", "/depot", "/data", "/cvmfs/"];
    let (severity, message) = if !interpreter.starts_with('/') {
        (Severity::Warning, format!("`#!{}` is no absolute path, so the system can't start it", line.text))
    } else if personal.iter().any(|place| interpreter.starts_with(place)) {
        (Severity::Error, format!("`{interpreter}` is there at one place alone"))
    } else {
        (Severity::Warning, format!("`{interpreter}` is not everywhere, or is another version"))
    };
    // `#!env python` means the second word.
    let meant = if name == "env" { line.text.split_whitespace().nth(1).unwrap_or(name) } else { name };
    let program = if meant.starts_with("python") { "python3" } else { meant };
    let mut report =
        Diagnostic::at(&line.range, message).severity(severity).help(format!("write #!/usr/bin/env {program}"));
    // Python 2 scripts mean another interpreter by the same name, and options can't be passed through env.
    let is_alone = line.text.trim() == interpreter;
    if interpreter.starts_with('/') && is_alone && is_python && input.view.facts.python2.is_none() {
        let title = "let env find the interpreter".to_owned();
        report = report.edit(Edit { range: line.range.clone(), replacement: "/usr/bin/env python3".to_owned(), title });
    }
    reports.push(report);
}
