//! Packages without a fixed version.

use std::ops::Range;

use super::context::FileInput;
use super::install::{Manager, packages};
use super::{Check, Diagnostic, Edit, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::model::inventory::{Index, Locked, Requirement};
use crate::source::lang::fact::{Command, Host, Word};
use crate::source::manifest::{is_exact_conda, normalized};

/// The rule `unpinned-dependency`: `coffea` in a requirements file, `pip install coffea` in a script.
pub(super) static RULE: Rule = Rule {
    id: "unpinned-dependency",
    severity: Severity::Warning,
    confidence: Confidence::High,
    summary: "package without a version",
    page: PAGE,
    check: Check::File(check),
};

const PAGE: &str = "\
## What it does

Finds packages in requirements files, projects, conda environments and install commands that have no version, or only a minimum
version, and are not pinned by a lock file in the repository. A range with an upper bound is reported as a note.

## Why it breaks elsewhere

The list is resolved on the day of the installation. Two facilities, or the same facility two months later, get different
versions: coffea 0.7 and coffea 2025 have the same name, and so do numpy 1 and numpy 2. A package from a branch
(`git+https://…@master`, `master.zip`) changes without a new version.

## Example

```text
coffea
uproot>=4
```

## How to fix

Write the versions that the analysis was run with (`coffea==2025.7.3`), or add a lock file (`uv lock`, `pip-compile`,
`conda-lock`, `pixi lock`). Replace a branch with a commit.

## Limits

Versions from variables are not found. pip, setuptools and wheel are skipped.
";

/// Packages that every environment contains. Their version is rarely important.
const TOOLS: &[&str] = &["pip", "setuptools", "wheel", "conda", "mamba", "virtualenv", "uv"];

/// How loosely a version is constrained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looseness {
    /// No version at all.
    Any,
    /// Only a minimum version.
    From,
    /// A range with an upper bound.
    Range,
    /// A branch of a repository.
    Branch,
    Exact,
}

fn check(input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let own: Vec<&Requirement> =
        input.context.requirements_of(input.path).filter(|requirement| requirement.line > 0).collect();
    if !own.is_empty() {
        let lines = lines(&input.view.text);
        for requirement in own {
            if let Some(range) = lines.get(requirement.line as usize - 1) {
                diagnostics.extend(check_requirement(requirement, range, input));
            }
        }
    }
    for command in &input.view.facts.commands {
        check_command(command, input, diagnostics);
    }
}

/// Returns the byte range of each line, without surrounding white space.
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

fn check_requirement(requirement: &Requirement, range: &Range<usize>, input: &FileInput<'_>) -> Option<Diagnostic> {
    let is_constraint =
        input.context.inventory.files.iter().any(|file| file.path == requirement.path && file.format == "constraints");
    if is_constraint
        || TOOLS.contains(&requirement.name.as_str())
        || requirement.source.as_deref().is_some_and(is_local_source)
    {
        return None;
    }
    let looseness = match &requirement.source {
        Some(source) => source_looseness(source),
        None if requirement.exact => Looseness::Exact,
        None => constraint_looseness(&requirement.constraint),
    };
    let is_same = |locked: &&Locked| locked.index == requirement.index || requirement.index != Index::System;
    let fixed = input.context.locked(&requirement.name).find(is_same);
    if looseness == Looseness::Exact || fixed.is_some() && looseness != Looseness::Any {
        return None;
    }
    let is_aside = requirement.group.is_some()
        && !(requirement.path.ends_with("setup.py") && requirement.group.as_deref() == Some("build"));
    let severity = match looseness {
        _ if fixed.is_some() || is_aside => Severity::Note,
        Looseness::Range => Severity::Note,
        Looseness::Any | Looseness::From | Looseness::Branch | Looseness::Exact => Severity::Warning,
    };
    let mut diagnostic = Diagnostic::at(range, message(&requirement.name, &requirement.constraint, looseness))
        .severity(severity)
        .group(requirement.path.clone());
    diagnostic = match fixed {
        Some(locked) => diagnostic.help(format!("pin it here too; {} contains {}", locked.path, locked.version)),
        None => diagnostic.help(match looseness {
            Looseness::Branch => "use the commit or tag that the analysis was run with",
            _ => "pin the version that the analysis was run with, or add a lock file",
        }),
    };
    let edit = fixed.and_then(|locked| pin(requirement, &locked.version, range, input));
    Some(match edit {
        Some(edit) => diagnostic.edit(edit),
        None => diagnostic,
    })
}

/// Returns the edit that adds the locked version to a line with only the name: `coffea` becomes `coffea==2025.7.3`.
fn pin(requirement: &Requirement, version: &str, range: &Range<usize>, input: &FileInput<'_>) -> Option<Edit> {
    let line = input.view.text.get(range.clone())?;
    let entry = line.split(" #").next()?.trim_end();
    let (entry, skipped) = match entry.strip_prefix("- ") {
        Some(entry) => (entry.trim_start(), entry.len() - entry.trim_start().len() + 2),
        None => (entry, 0),
    };
    let is_plain = version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '!' | '-' | '_'));
    let is_listed = requirement.path.ends_with(".txt")
        || requirement.path.ends_with(".in")
        || requirement.path.ends_with(".yml")
        || requirement.path.ends_with(".yaml");
    if version.is_empty() || !is_plain || !is_listed || normalized(entry) != normalized(&requirement.name) {
        return None;
    }
    let end = range.start + skipped + entry.len();
    let sign = if requirement.index == Index::Conda { "=" } else { "==" };
    Some(Edit {
        range: end..end,
        replacement: format!("{sign}{version}"),
        title: format!("pin {} to {version}", requirement.name),
    })
}

fn message(name: &str, constraint: &str, looseness: Looseness) -> String {
    match looseness {
        Looseness::Any => format!("`{name}` has no version"),
        Looseness::From => format!("`{name} {constraint}` has no upper bound"),
        Looseness::Range => format!("`{name} {constraint}` allows several versions"),
        Looseness::Branch => format!("`{name}` is installed from a branch, which can change"),
        Looseness::Exact => format!("`{name}` has a fixed version"),
    }
}

fn is_local_source(source: &str) -> bool {
    !source.contains("://") && !source.contains('@')
}

/// Returns whether a URL refers to a branch or to a fixed version: a commit, a tag, a versioned file.
fn source_looseness(source: &str) -> Looseness {
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

fn constraint_looseness(constraint: &str) -> Looseness {
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

fn check_command(command: &Command, input: &FileInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some((manager, words)) = packages(command) else { return };
    for word in words {
        let (name, looseness) = word_looseness(word, manager);
        if looseness == Looseness::Exact || TOOLS.contains(&name.as_str()) || name.is_empty() {
            continue;
        }
        let is_fixed =
            manager != Manager::System && input.context.locked(&name).next().is_some() && command.host != Host::Build;
        let severity = match manager {
            Manager::System => Severity::Note,
            Manager::Pip | Manager::Conda if is_fixed || looseness == Looseness::Range => Severity::Note,
            Manager::Pip | Manager::Conda => Severity::Warning,
        };
        let message = match looseness {
            Looseness::Branch => format!("`{name}` is installed from a branch, which can change"),
            _ => format!("`{name}` is installed without a fixed version"),
        };
        diagnostics.push(
            Diagnostic::at(&word.range, message)
                .severity(severity)
                .confidence(Confidence::Medium)
                .group(format!("{manager:?}"))
                .help("pin the version, or install from a lock file"),
        );
    }
}

fn word_looseness(word: &Word, manager: Manager) -> (String, Looseness) {
    let text = word.text.trim_matches(['"', '\'']);
    if text.contains("://") {
        let name = text.split("://").nth(1).unwrap_or(text).to_owned();
        return (name, if manager == Manager::Pip { source_looseness(text) } else { Looseness::Exact });
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
    // Skips values of unknown options, and `python=3.9`.
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
        _ => constraint_looseness(rest),
    };
    (name.to_owned(), looseness)
}

#[cfg(test)]
mod tests {
    use super::{Looseness, constraint_looseness, source_looseness};

    #[test]
    fn constraint_looseness_distinguishes_upper_bounds() {
        for (constraint, looseness) in [
            ("", Looseness::Any),
            (">=1.2", Looseness::From),
            (">1,!=1.3", Looseness::From),
            (">=1,<2", Looseness::Range),
            ("~=1.2", Looseness::Range),
            ("==1.*", Looseness::Range),
            ("=1.2", Looseness::Range),
        ] {
            assert_eq!(constraint_looseness(constraint), looseness, "{constraint}");
        }
    }

    #[test]
    fn branches_are_mutable_and_commits_are_fixed() {
        for source in [
            "git+https://h/o/n",
            "git+https://h/o/n.git@master",
            "https://h/o/n/archive/master.zip",
            "https://h/o/n/archive/refs/heads/x.tar.gz",
        ] {
            assert_eq!(source_looseness(source), Looseness::Branch, "{source}");
        }
        for source in ["git+https://h/o/n@v1.2", "git+ssh://h/o/n.git@0123abc", "https://h/o/n/archive/v1.zip"] {
            assert_eq!(source_looseness(source), Looseness::Exact, "{source}");
        }
    }
}
