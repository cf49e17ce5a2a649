//! Software that is built for an operating system which no facility runs any more.

use super::input::FileInput;
use super::{Check, Report, Rule};
use crate::model::finding::{Confidence, Severity};

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

Finds `SCRAM_ARCH` and platform names of Scientific Linux 5 and 6 and of CentOS 7, and images of these systems.

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

fn check(input: &FileInput<'_>, reports: &mut Vec<Report>) {
    let facts = &input.view.facts;
    for setting in &facts.settings {
        let is_architecture = setting.key.rsplit('.').next().is_some_and(|key| key.eq_ignore_ascii_case("SCRAM_ARCH"));
        if let Some(platform) = platform(&setting.value.text).filter(|_| is_architecture) {
            let message = format!("`{platform}` is built for a retired operating system");
            reports.push(
                Report::at(&setting.range, message).help("take a release for el9, or run this one in its container"),
            );
        }
    }
    for command in &facts.commands {
        let sets_up = command
            .words
            .first()
            .is_some_and(|word| matches!(word.text.as_str(), "lsetup" | "asetup" | "source" | "."));
        for word in command.words.iter().skip(1).filter(|_| sets_up) {
            if let Some(platform) = platform(&word.text) {
                let message = format!("`{platform}` is built for a retired operating system");
                reports.push(
                    Report::at(&word.range, message)
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
            reports.push(Report::at(&image.range, message).severity(Severity::Warning).help(help));
        }
    }
}

/// The part of a path or value that names an old platform.
fn platform(text: &str) -> Option<&str> {
    text.split(['/', ' ', '"', '\'', '=']).find(|part| PLATFORMS.iter().any(|platform| part.starts_with(platform)))
}

#[cfg(test)]
mod tests {
    use super::platform;

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
