//! Addresses that answer no more.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Form;

/// Servers of the field that were switched off.
pub(super) static RULE: Rule = Rule {
    id: "dead-url",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "an address that was switched off",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds addresses of servers and protocols of the field that no longer exist: `root.cern.ch/git`, CERN's Subversion, `git://` at GitHub,
CentOS mirrors of retired releases, old Docker and conda servers.

## Why it breaks elsewhere

The command only still works where its result lies in a cache: in the author's clone, in an image that was built years ago.

## Example

```dockerfile
RUN git clone http://root.cern.ch/git/root.git
```

## How to fix

Take today's address, which the help names where there is one.

## Limits

Only addresses that are known to be gone are reported; none is tried.
";

/// Beginnings of addresses without their scheme, and what replaces them.
const DEAD: &[(&str, &str)] = &[
    ("root.cern.ch/git", "https://github.com/root-project/root"),
    ("root.cern.ch/svn", "https://github.com/root-project/root"),
    ("svn.cern.ch/", "the project's repository at gitlab.cern.ch or github.com"),
    ("svnweb.cern.ch/", "the project's repository at gitlab.cern.ch or github.com"),
    ("cmssw.cvs.cern.ch", "https://github.com/cms-sw/cmssw"),
    ("isscvs.cern.ch", "the project's repository at gitlab.cern.ch or github.com"),
    ("mirror.centos.org/", "an image of EL8 or EL9, or vault.centos.org"),
    ("mirrorlist.centos.org/", "an image of EL8 or EL9, or vault.centos.org"),
    ("cms-project-sdtgit.web.cern.ch", "https://github.com/cms-sw"),
    ("linuxsoft.cern.ch/cern/slc6", "an image of EL8 or EL9"),
    ("bintray.com/", "the project's own releases"),
    ("dl.bintray.com/", "the project's own releases"),
    ("afs.cern.ch/sw/lcg", "/cvmfs/sft.cern.ch/lcg"),
];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    if !input.language.is_code() || input.language == Language::Requirements {
        return;
    }
    for one in input.matches.iter().filter(|one| one.form == Form::Url) {
        let is_inert = input.view.span_at(one.range.start).is_some_and(|span| {
            use crate::source::lang::span::{Kind, Role};
            matches!(span.kind, Kind::Comment | Kind::Docstring | Kind::Prose)
                || matches!(span.role, Role::Shown | Role::Guard | Role::Pattern)
        });
        let url = &input.view.text[one.range.clone()];
        let Some((scheme, rest)) = url.split_once("://").filter(|_| !is_inert) else { continue };
        let known = DEAD.iter().find(|(begin, _)| rest.trim_start_matches("www.").starts_with(begin));
        if let Some((_, instead)) = known {
            let message = format!("`{scheme}://{}` was switched off", host(rest));
            reports.push(Diagnostic::at(&one.range, message).help(format!("take {instead}")).group(host(rest)));
        } else if scheme == "git" && rest.starts_with("github.com/") {
            let message = "GitHub has switched the git:// protocol off";
            reports.push(Diagnostic::at(&one.range, message).help("write https://github.com/…"));
        }
    }
}

fn host(rest: &str) -> &str {
    rest.split('/').next().unwrap_or(rest)
}
