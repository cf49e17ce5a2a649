//! URLs of services that were shut down.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::language::Language;
use crate::source::lang::matcher::Form;

/// The rule `dead-url`: servers of the field that were shut down.
pub(super) static RULE: Rule = Rule {
    id: "dead-url",
    severity: Severity::Error,
    confidence: Confidence::High,
    summary: "URL of a service that was shut down",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds URLs of servers and protocols that no longer exist: `root.cern.ch/git`, CERN's Subversion, `git://` on GitHub, CentOS mirrors
of retired releases, and retired Docker and conda servers.

## Why it breaks elsewhere

The command works only where its result is cached: in the author's clone, or in an image that was built years ago.

## Example

```dockerfile
RUN git clone http://root.cern.ch/git/root.git
```

## How to fix

Use the current URL. The finding's help shows it, if there is one.

## Limits

Only URLs that are known to be gone are reported. The rule does not access the network.
";

/// Prefixes of URLs without their scheme, and their replacements.
const RETIRED_URLS: &[(&str, &str)] = &[
    ("root.cern.ch/git", "https://github.com/root-project/root"),
    ("root.cern.ch/svn", "https://github.com/root-project/root"),
    ("svn.cern.ch/", "the project's repository on gitlab.cern.ch or github.com"),
    ("svnweb.cern.ch/", "the project's repository on gitlab.cern.ch or github.com"),
    ("cmssw.cvs.cern.ch", "https://github.com/cms-sw/cmssw"),
    ("isscvs.cern.ch", "the project's repository on gitlab.cern.ch or github.com"),
    ("mirror.centos.org/", "an EL8 or EL9 image, or vault.centos.org"),
    ("mirrorlist.centos.org/", "an EL8 or EL9 image, or vault.centos.org"),
    ("cms-project-sdtgit.web.cern.ch", "https://github.com/cms-sw"),
    ("linuxsoft.cern.ch/cern/slc6", "an EL8 or EL9 image"),
    ("bintray.com/", "the releases of the project"),
    ("dl.bintray.com/", "the releases of the project"),
    ("afs.cern.ch/sw/lcg", "/cvmfs/sft.cern.ch/lcg"),
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !input.language.is_code() || input.language == Language::Requirements {
        return;
    }
    for found in input.matches.iter().filter(|found| found.form == Form::Url) {
        let is_inert = input.view.span_at(found.range.start).is_some_and(|span| {
            use crate::source::lang::span::{Kind, Role};
            matches!(span.kind, Kind::Comment | Kind::Docstring | Kind::Prose)
                || matches!(span.role, Role::Shown | Role::Guard | Role::Pattern)
        });
        let url = &input.view.text[found.range.clone()];
        let Some((scheme, rest)) = url.split_once("://").filter(|_| !is_inert) else { continue };
        let retired = RETIRED_URLS.iter().find(|(begin, _)| rest.trim_start_matches("www.").starts_with(begin));
        if let Some((_, instead)) = retired {
            let message = format!("`{scheme}://{}` was shut down", host(rest));
            diagnostics.push(Diagnostic::at(&found.range, message).help(format!("use {instead}")).group(host(rest)));
        } else if scheme == "git" && rest.starts_with("github.com/") {
            let message = "GitHub has shut down the git:// protocol";
            diagnostics.push(Diagnostic::at(&found.range, message).help("use https://github.com/…"));
        }
    }
}

fn host(rest: &str) -> &str {
    rest.split('/').next().unwrap_or(rest)
}
