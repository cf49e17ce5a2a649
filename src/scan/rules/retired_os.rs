//! Software that is built for a retired operating system.

use super::context::FileInput;
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Host, Word};

/// The rule `retired-os`: `SCRAM_ARCH=slc7_…`, images of CentOS 6 and 7, LCG platforms for them.
pub(super) static RULE: Rule = Rule {
    id: "retired-os",
    severity: Severity::Error,
    confidence: Confidence::Medium,
    summary: "requirement of a retired operating system",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds `SCRAM_ARCH` and platform names of Scientific Linux 5 and 6 and of CentOS 7, and images of these systems. Also finds variables
that contain such an architecture, and commands that run programs built for one.

## Why it breaks elsewhere

CentOS 7 reached its end of life in June 2024 and Scientific Linux 6 in 2020. CERN and the CMS and ATLAS sites have moved to EL8 and
EL9. A release built for the old systems does not find its libraries or valid certificates there. Its container (`cmssw-el7`) still
works at facilities with Apptainer.

## Example

```sh
export SCRAM_ARCH=slc7_amd64_gcc820
```

## How to fix

Use a release for `el9_amd64_gcc…` or `x86_64-el9-…`. If the old release is required, run it in its container.

## Limits

A script that starts itself in a container of the old system is reported as well.
";

/// Prefixes of CMS architectures and of LCG and ATLAS platforms.
const PLATFORMS: &[&str] =
    &["slc5_", "slc6_", "slc7_", "cc7_", "x86_64-slc5-", "x86_64-slc6-", "x86_64-centos7-", "x86_64-cc7-"];
/// Parts of image names.
const IMAGES: &[&str] = &[
    "centos7", "centos:7", "-cc7", "cc7-", "slc6", "-el6", "-el7", "el7:", "el6:", "centos6", "centos:6", "sl6",
    "/slc5",
];

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let facts = &input.view.facts;
    for setting in &facts.settings {
        let is_architecture = is_architecture(&setting.key, &setting.value.text);
        if let Some(platform) = platform(&setting.value.text).filter(|_| is_architecture) {
            let message = format!("`{platform}` is built for a retired operating system");
            diagnostics.push(
                Diagnostic::at(&setting.range, message).help("use a release for el9, or run this one in its container"),
            );
        }
    }
    for command in &facts.commands {
        let sets_up = command
            .words
            .first()
            .is_some_and(|word| matches!(word.text.as_str(), "lsetup" | "asetup" | "source" | "."));
        // A path that is only tested, listed or printed may be one of several.
        let only_reads = command.words.first().is_some_and(|word| READ_COMMANDS.contains(&word.text.as_str()));
        let is_used = |word: &&Word| sets_up || !only_reads && command.host != Host::Build && is_release(&word.text);
        for word in command.words.iter().skip(usize::from(sets_up)).filter(is_used) {
            if let Some(platform) = platform(&word.text) {
                let message = format!("`{platform}` is built for a retired operating system");
                diagnostics.push(
                    Diagnostic::at(&word.range, message)
                        .severity(Severity::Warning)
                        .help("use the el9 build of the release"),
                );
            }
        }
    }
    for image in &facts.images {
        let lower = image.text.to_ascii_lowercase();
        if IMAGES.iter().any(|part| lower.contains(part)) {
            let message = format!("image `{}` is based on a retired operating system", image.text);
            let help =
                "use an EL8 or EL9 image; the old system gets no updates, and its package servers were shut down";
            diagnostics.push(Diagnostic::at(&image.range, message).severity(Severity::Warning).help(help));
        }
    }
}

/// Commands that only test, list, print or remove a path.
const READ_COMMANDS: &[&str] = &["echo", "printf", "ls", "[", "[[", "test", "grep", "rm", "sed"];

/// Reports whether a setting is the architecture of a release: `SCRAM_ARCH`, or a variable with a similar name and value.
fn is_architecture(key: &str, value: &str) -> bool {
    let key = key.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_whole = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    key == "scram_arch" || key.contains("arch") && is_whole && is_scram(value)
}

/// Reports whether a text has the form of a CMSSW architecture: `slc7_amd64_gcc700`.
fn is_scram(text: &str) -> bool {
    text.split_once('_').is_some_and(|(_, rest)| rest.contains("_gcc") || rest.contains("_clang"))
}

/// Reports whether a path is in the build of a release: `$CMSSW_BASE/bin/slc7_amd64_gcc700/x`.
fn is_release(path: &str) -> bool {
    path.contains('/') && path.split('/').any(|part| is_scram(part) && platform(part).is_some())
}

/// Returns the part of a path or value that is a retired platform.
fn platform(text: &str) -> Option<&str> {
    text.split(['/', ' ', '"', '\'', '=']).find(|part| PLATFORMS.iter().any(|platform| part.starts_with(platform)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::severities;
    use super::{RULE, platform};
    use crate::model::finding::Severity::{Error, Warning};

    #[test]
    fn variable_with_architecture_is_found() {
        assert_eq!(
            severities(&RULE, "run.sh", "SCRAMARCH=slc7_amd64_gcc700\nexport SCRAM_ARCH=${SCRAMARCH}\n"),
            [Error]
        );
        assert_eq!(severities(&RULE, "run.sh", "TAG=Zmumu_slc7_gcc\nARCH=el9_amd64_gcc12\n"), []);
        assert_eq!(severities(&RULE, "run.py", "Task(scram_arch='slc6_amd64_gcc530')\n"), [Error]);
    }

    #[test]
    fn program_of_old_release_is_warning() {
        let run = "if timeout 60s ${CMSSW_BASE}/bin/slc7_amd64_gcc900/Morphing --era 2018; then\n  echo ok\nfi\n";
        assert_eq!(severities(&RULE, "fit.sh", run), [Warning]);
        assert_eq!(severities(&RULE, "fit.sh", "$CMSSW_BASE/bin/slc7_amd64_gcc900/Morphing a b\n"), [Warning]);
        let build = "FROM a:1\nRUN chmod +x /opt/cms/slc7_amd64_gcc700/bin/x\n";
        assert_eq!(severities(&RULE, "Dockerfile", build), []);
        assert_eq!(severities(&RULE, "fit.sh", "ls bin/slc7_amd64_gcc900/\necho a/slc7_amd64_gcc900/b\n"), []);
    }

    #[test]
    fn platform_is_found_in_values_and_paths() {
        assert_eq!(platform("slc7_amd64_gcc820"), Some("slc7_amd64_gcc820"));
        assert_eq!(
            platform("/cvmfs/sft.cern.ch/lcg/views/LCG_98/x86_64-centos7-gcc9-opt/setup.sh"),
            Some("x86_64-centos7-gcc9-opt")
        );
        assert_eq!(platform("el9_amd64_gcc12"), None);
    }
}
