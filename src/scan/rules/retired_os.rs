//! Software that is built for an operating system which no facility runs any more.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Host, Word};

/// `SCRAM_ARCH=slc7_…`, images of CentOS 6 and 7, platforms of LCG views for them.
pub(super) static RULE: Rule = Rule {
    id: "retired-os",
    severity: Severity::Error,
    confidence: Confidence::Medium,
    summary: "something asks for an operating system that is retired",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds `SCRAM_ARCH` and platform names of Scientific Linux 5 and 6 and of CentOS 7, and images of these systems. So are
variables that hold such an architecture, and commands in the build of a release for one.

## Why it breaks elsewhere

CentOS 7 ended in June 2024 and Scientific Linux 6 in 2020; CERN and the CMS and ATLAS sites have moved their nodes to EL8 and EL9.
A release built for the old systems finds neither its libraries nor working certificates there. Its container (`cmssw-el7`) still
works where Apptainer is.

## Example

```sh
export SCRAM_ARCH=slc7_amd64_gcc820
```

## How to fix

Take a release for `el9_amd64_gcc…` or `x86_64-el9-…`. Where the old one is needed, run it in its container.

## Limits

A script that starts itself in a container of the old system is reported as well.
";

/// Beginnings of architectures of CMS software, and platforms of LCG and ATLAS.
const PLATFORMS: &[&str] =
    &["slc5_", "slc6_", "slc7_", "cc7_", "x86_64-slc5-", "x86_64-slc6-", "x86_64-centos7-", "x86_64-cc7-"];
/// Parts of names of images.
const IMAGES: &[&str] = &[
    "centos7", "centos:7", "-cc7", "cc7-", "slc6", "-el6", "-el7", "el7:", "el6:", "centos6", "centos:6", "sl6",
    "/slc5",
];

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    for setting in &facts.settings {
        let is_architecture = is_architecture(&setting.key, &setting.value.text);
        if let Some(platform) = platform(&setting.value.text).filter(|_| is_architecture) {
            let message = format!("`{platform}` is built for a retired operating system");
            reports.push(
                Diagnostic::at(&setting.range, message)
                    .help("take a release for el9, or run this one in its container"),
            );
        }
    }
    for command in &facts.commands {
        let sets_up = command
            .words
            .first()
            .is_some_and(|word| matches!(word.text.as_str(), "lsetup" | "asetup" | "source" | "."));
        // What is tested, listed or shown may be one of several.
        let is_asked = command.words.first().is_some_and(|word| ASKS.contains(&word.text.as_str()));
        let is_used = |word: &&Word| sets_up || !is_asked && command.host != Host::Build && is_release(&word.text);
        for word in command.words.iter().skip(usize::from(sets_up)).filter(is_used) {
            if let Some(platform) = platform(&word.text) {
                let message = format!("`{platform}` is built for a retired operating system");
                reports.push(
                    Diagnostic::at(&word.range, message)
                        .severity(Severity::Warning)
                        .help("take the release's build for el9"),
                );
            }
        }
    }
    for image in &facts.images {
        let lower = image.text.to_ascii_lowercase();
        if IMAGES.iter().any(|part| lower.contains(part)) {
            let message = format!("the image `{}` has a retired operating system", image.text);
            let help = "take an image of EL8 or EL9; the old one gets no updates and its package servers are gone";
            reports.push(Diagnostic::at(&image.range, message).severity(Severity::Warning).help(help));
        }
    }
}

/// Commands that do nothing with a path.
const ASKS: &[&str] = &["echo", "printf", "ls", "[", "[[", "test", "grep", "rm", "sed"];

/// Whether a setting is the architecture of a release: `SCRAM_ARCH`, or a variable of such a name that holds one.
fn is_architecture(key: &str, value: &str) -> bool {
    let key = key.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_whole = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    key == "scram_arch" || key.contains("arch") && is_whole && is_scram(value)
}

/// Whether a text is an architecture as CMSSW names them: `slc7_amd64_gcc700`.
fn is_scram(text: &str) -> bool {
    text.split_once('_').is_some_and(|(_, rest)| rest.contains("_gcc") || rest.contains("_clang"))
}

/// Whether a path leads into the build of a release: `$CMSSW_BASE/bin/slc7_amd64_gcc700/x`.
fn is_release(path: &str) -> bool {
    path.contains('/') && path.split('/').any(|part| is_scram(part) && platform(part).is_some())
}

/// The part of a path or value that names an old platform.
fn platform(text: &str) -> Option<&str> {
    text.split(['/', ' ', '"', '\'', '=']).find(|part| PLATFORMS.iter().any(|platform| part.starts_with(platform)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::{RULE, platform};
    use crate::model::finding::Severity::{Error, Warning};

    #[test]
    fn a_variable_with_an_architecture_in_it_is_one() {
        assert_eq!(
            severities(&RULE, "run.sh", "SCRAMARCH=slc7_amd64_gcc700\nexport SCRAM_ARCH=${SCRAMARCH}\n"),
            [Error]
        );
        assert_eq!(severities(&RULE, "run.sh", "TAG=Zmumu_slc7_gcc\nARCH=el9_amd64_gcc12\n"), []);
        assert_eq!(severities(&RULE, "run.py", "Task(scram_arch='slc6_amd64_gcc530')\n"), [Error]);
    }

    #[test]
    fn a_program_in_the_build_of_an_old_release_is_a_risk() {
        let run = "if timeout 60s ${CMSSW_BASE}/bin/slc7_amd64_gcc900/Morphing --era 2018; then\n  echo ok\nfi\n";
        assert_eq!(severities(&RULE, "fit.sh", run), [Warning]);
        assert_eq!(severities(&RULE, "fit.sh", "$CMSSW_BASE/bin/slc7_amd64_gcc900/Morphing a b\n"), [Warning]);
        let build = "FROM a:1\nRUN chmod +x /opt/cms/slc7_amd64_gcc700/bin/x\n";
        assert_eq!(severities(&RULE, "Dockerfile", build), []);
        assert_eq!(severities(&RULE, "fit.sh", "ls bin/slc7_amd64_gcc900/\necho a/slc7_amd64_gcc900/b\n"), []);
    }

    #[test]
    fn platforms_are_found_in_values_and_paths() {
        assert_eq!(platform("slc7_amd64_gcc820"), Some("slc7_amd64_gcc820"));
        assert_eq!(
            platform("/cvmfs/sft.cern.ch/lcg/views/LCG_98/x86_64-centos7-gcc9-opt/setup.sh"),
            Some("x86_64-centos7-gcc9-opt")
        );
        assert_eq!(platform("el9_amd64_gcc12"), None);
    }
}
