//! A package of which any version will do.

use std::ops::Range;

use super::context::FileInput;
use super::install::{Manager, packages};
use super::{Check, Diagnostic, Edit, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::inventory::{Index, Locked, Requirement};
use crate::source::lang::fact::{Command, Host, Word};
use crate::source::manifest::{is_exact_conda, normalized};

/// `coffea` in a list of requirements, `pip install coffea` in a script.
pub(super) static RULE: Rule = Rule {
    id: "unpinned-dependency",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "a package is asked for without saying which version",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds packages in requirement files, projects, conda environments and install commands that name no version, or only the oldest one
that will do, while no lock file of the repository fixes them. A range with an upper bound is worth a note.

## Why it breaks elsewhere

Each place resolves the list on the day it is installed. Two facilities, or two months, give two sets of packages: coffea 0.7 and
coffea 2025 have the same name, and so have numpy 1 and numpy 2. What is taken from a branch (`git+https://…@master`, `master.zip`)
changes without any new version.

## Example

```text
coffea
uproot>=4
```

## How to fix

Write the versions that the analysis was run with (`coffea==2025.7.3`), or keep a lock file (`uv lock`, `pip-compile`, `conda-lock`,
`pixi lock`) beside the list. From a branch, name the commit.

## Limits

Versions that come from variables are not seen. pip, setuptools and wheel are left alone.
";

/// What every environment has: its version decides little.
const TOOLS: &[&str] = &["pip", "setuptools", "wheel", "conda", "mamba", "virtualenv", "uv"];

/// How loosely a package is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looseness {
    /// No version at all.
    Any,
    /// Only the oldest one that will do.
    From,
    /// A range with an end.
    Range,
    /// A branch.
    Branch,
    Exact,
}

fn check(input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let own: Vec<&Requirement> = input.world.requirements_of(input.path).filter(|one| one.line > 0).collect();
    if !own.is_empty() {
        let lines = lines(&input.view.text);
        for requirement in own {
            if let Some(range) = lines.get(requirement.line as usize - 1) {
                reports.extend(of_requirement(requirement, range, input));
            }
        }
    }
    for command in &input.view.facts.commands {
        of_command(command, input, reports);
    }
}

/// Bytes of each line, without blanks around it.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let begin = start + (line.len() - line.trim_start().len()).min(line.len());
        found.push(begin..begin + trimmed.len());
        start += line.len();
    }
    found
}

fn of_requirement(one: &Requirement, range: &Range<usize>, input: &FileInput<'_>) -> Option<Diagnostic> {
    let is_constraint =
        input.world.inventory.files.iter().any(|file| file.path == one.path && file.format == "constraints");
    if is_constraint || TOOLS.contains(&one.name.as_str()) || one.source.as_deref().is_some_and(is_local_source) {
        return None;
    }
    let looseness = match &one.source {
        Some(source) => of_source(source),
        None if one.exact => Looseness::Exact,
        None => of_constraint(&one.constraint),
    };
    let is_same = |locked: &&Locked| locked.index == one.index || one.index != Index::System;
    let fixed = input.world.locked(&one.name).find(is_same);
    if looseness == Looseness::Exact || fixed.is_some() && looseness != Looseness::Any {
        return None;
    }
    let is_aside = one.group.is_some() && !(one.path.ends_with("setup.py") && one.group.as_deref() == Some("build"));
    let severity = match looseness {
        _ if fixed.is_some() || is_aside => Severity::Note,
        Looseness::Range => Severity::Note,
        Looseness::Any | Looseness::From | Looseness::Branch | Looseness::Exact => Severity::Warning,
    };
    let mut report = Diagnostic::at(range, message(&one.name, &one.constraint, looseness))
        .severity(severity)
        .group(one.path.clone());
    report = match fixed {
        Some(locked) => report.help(format!("{} fixes it at {}; say so here too", locked.path, locked.version)),
        None => report.help(match looseness {
            Looseness::Branch => "name the commit or the tag that the analysis was run with",
            _ => "write the version that the analysis was run with, or keep a lock file",
        }),
    };
    let edit = fixed.and_then(|locked| pin(one, &locked.version, range, input));
    Some(match edit {
        Some(edit) => report.edit(edit),
        None => report,
    })
}

/// `coffea` becomes `coffea==2025.7.3` where the line is the bare name, as the lock has it.
fn pin(one: &Requirement, version: &str, range: &Range<usize>, input: &FileInput<'_>) -> Option<Edit> {
    let line = input.view.text.get(range.clone())?;
    let entry = line.split(" #").next()?.trim_end();
    let (entry, skipped) = match entry.strip_prefix("- ") {
        Some(entry) => (entry.trim_start(), entry.len() - entry.trim_start().len() + 2),
        None => (entry, 0),
    };
    let is_plain = version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '!' | '-' | '_'));
    let is_listed = one.path.ends_with(".txt")
        || one.path.ends_with(".in")
        || one.path.ends_with(".yml")
        || one.path.ends_with(".yaml");
    if version.is_empty() || !is_plain || !is_listed || normalized(entry) != normalized(&one.name) {
        return None;
    }
    let end = range.start + skipped + entry.len();
    let sign = if one.index == Index::Conda { "=" } else { "==" };
    Some(Edit {
        range: end..end,
        replacement: format!("{sign}{version}"),
        title: format!("pin {} to {version}", one.name),
    })
}

fn message(name: &str, constraint: &str, looseness: Looseness) -> String {
    match looseness {
        Looseness::Any => format!("`{name}` is asked for in any version"),
        Looseness::From => format!("`{name} {constraint}` has no upper end: each place gets the version of its day"),
        Looseness::Range => format!("`{name} {constraint}` leaves the version open"),
        Looseness::Branch => format!("`{name}` comes from a branch, which moves"),
        Looseness::Exact => format!("`{name}` is fixed"),
    }
}

fn is_local_source(source: &str) -> bool {
    !source.contains("://") && !source.contains('@')
}

/// Whether a URL names something that stays: a commit, a tag, a file of a version.
fn of_source(source: &str) -> Looseness {
    let is_branch = |name: &str| matches!(name, "master" | "main" | "dev" | "devel" | "develop" | "HEAD" | "trunk");
    let after_host = source.split_once("://").map_or(source, |(_, rest)| rest);
    let path = after_host.split_once('/').map_or("", |(_, path)| path);
    let is_git = source.starts_with("git+") || path.trim_end_matches('/').ends_with(".git");
    match path.rsplit_once('@') {
        Some((_, revision)) if is_git && is_branch(revision) => Looseness::Branch,
        Some(_) if is_git => Looseness::Exact,
        None if is_git => Looseness::Branch,
        _ => {
            let last = path.rsplit('/').next().unwrap_or_default();
            let stem = [".zip", ".tar.gz", ".tgz"].iter().find_map(|end| last.strip_suffix(end)).unwrap_or("");
            if is_branch(stem) || path.contains("/refs/heads/") { Looseness::Branch } else { Looseness::Exact }
        }
    }
}

fn of_constraint(constraint: &str) -> Looseness {
    let parts: Vec<&str> = constraint.split([',', '|']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let has_end = |part: &&str| {
        part.starts_with(['<', '~', '=']) || part.starts_with(|c: char| c.is_ascii_digit()) || part.starts_with('@')
    };
    if parts.is_empty() {
        Looseness::Any
    } else if parts.iter().any(has_end) {
        Looseness::Range
    } else {
        Looseness::From
    }
}

fn of_command(command: &Command, input: &FileInput<'_>, reports: &mut Vec<Diagnostic>) {
    let Some((manager, words)) = packages(command) else { return };
    for word in words {
        let (name, looseness) = of_word(word, manager);
        if looseness == Looseness::Exact || TOOLS.contains(&name.as_str()) || name.is_empty() {
            continue;
        }
        let is_fixed =
            manager != Manager::System && input.world.locked(&name).next().is_some() && command.host != Host::Build;
        let severity = match manager {
            Manager::System => Severity::Note,
            Manager::Pip | Manager::Conda if is_fixed || looseness == Looseness::Range => Severity::Note,
            Manager::Pip | Manager::Conda => Severity::Warning,
        };
        let message = match looseness {
            Looseness::Branch => format!("`{name}` is installed from a branch, which moves"),
            _ => format!("`{name}` is installed in the version of the day"),
        };
        reports.push(
            Diagnostic::at(&word.range, message)
                .severity(severity)
                .confidence(Confidence::Medium)
                .group(format!("{manager:?}"))
                .help("write the version, or install from a lock file"),
        );
    }
}

fn of_word(word: &Word, manager: Manager) -> (String, Looseness) {
    let text = word.text.trim_matches(['"', '\'']);
    if text.contains("://") {
        let name = text.split("://").nth(1).unwrap_or(text).to_owned();
        return (name, if manager == Manager::Pip { of_source(text) } else { Looseness::Exact });
    }
    // `$VERSION` may be anything.
    if text.contains('$') {
        return (text.to_owned(), Looseness::Exact);
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | ':' | '/'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.rsplit("::").next().unwrap_or(name);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    // `-c conda-forge` of which the option was not known, `python=3.9`.
    if !is_name || name.contains('/') || name == "python" {
        return (String::new(), Looseness::Exact);
    }
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map_or("", |(_, rest)| rest),
        None => rest,
    };
    let looseness = match manager {
        Manager::Conda if is_exact_conda(rest) => Looseness::Exact,
        Manager::Conda | Manager::System if rest.starts_with('=') => Looseness::Range,
        Manager::System => {
            if rest.is_empty() {
                Looseness::Any
            } else {
                Looseness::Exact
            }
        }
        _ if rest.starts_with("==") && !rest.contains('*') => Looseness::Exact,
        _ => of_constraint(rest),
    };
    (name.to_owned(), looseness)
}

#[cfg(test)]
mod tests {
    use super::{Looseness, of_constraint, of_source};

    #[test]
    fn constraints_are_open_at_the_top_or_not() {
        for (constraint, looseness) in [
            ("", Looseness::Any),
            (">=1.2", Looseness::From),
            (">1,!=1.3", Looseness::From),
            (">=1,<2", Looseness::Range),
            ("~=1.2", Looseness::Range),
            ("==1.*", Looseness::Range),
            ("=1.2", Looseness::Range),
        ] {
            assert_eq!(of_constraint(constraint), looseness, "{constraint}");
        }
    }

    #[test]
    fn branches_move_and_commits_do_not() {
        for source in [
            "git+https://h/o/n",
            "git+https://h/o/n.git@master",
            "https://h/o/n/archive/master.zip",
            "https://h/o/n/archive/refs/heads/x.tar.gz",
        ] {
            assert_eq!(of_source(source), Looseness::Branch, "{source}");
        }
        for source in ["git+https://h/o/n@v1.2", "git+ssh://h/o/n.git@0123abc", "https://h/o/n/archive/v1.zip"] {
            assert_eq!(of_source(source), Looseness::Exact, "{source}");
        }
    }
}
