//! Files that a program reads and that are not in the repository.

use std::collections::{BTreeMap, BTreeSet};

use super::context::RepositoryInput;
use super::relative::{join, parent};
use super::{Check, Diagnostic, Rule};
use crate::model::finding::{Confidence, Severity};
use crate::source::lang::fact::{Reference, Usage};

/// The rule `missing-file`: relative paths of files that are read, included or run but do not exist.
pub(super) static RULE: Rule = Rule {
    id: "missing-file",
    severity: Severity::Warning,
    confidence: Confidence::Medium,
    summary: "file that the program reads but that is not in the repository",
    page: PAGE,
    check: Check::Repository(check),
};

const PAGE: &str = "\
## What it does

Finds relative paths of files that are opened for reading, included, sourced or run, and that are not in the repository: a header, a
script, a list of samples, a table of corrections. Paths with placeholders are skipped. So are files that another line mentions,
because that line may write or download them.

## Why it breaks elsewhere

The file is in the author's directory and was never committed, or it belongs to another checkout next to this one.

## Example

```python
samples = json.load(open(\"../nanocc/samples.json\"))
```

## How to fix

Commit the file, add its repository as a submodule, or download it from a versioned URL.

## Limits

A file that a command outside the repository creates is reported as well. Quoted headers are reported only if their path starts with
`./`, `../` or a directory of the repository, because the headers of experiments are quoted too.
";

/// Names of files and directories that an environment setup or a compiler creates.
const GENERATED_NAMES: &[&str] = &[
    "a.out",
    "venv",
    "env",
    ".venv",
    ".env",
    "activate",
    "build",
    "install",
    "external",
    "CMakeFiles",
    "node_modules",
];

fn check(input: &RepositoryInput<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut reads: BTreeMap<&str, u32> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (_, _, reference) in &input.references {
        *reads.entry(base(&reference.path)).or_default() += 1;
    }
    let suffixes = PathSuffixes::new(&input.context.paths);
    for (path, line, reference) in &input.references {
        let name = base(&reference.path);
        let elsewhere =
            input.mentions.get(name).copied().unwrap_or_default() > reads.get(name).copied().unwrap_or_default();
        // A path outside the repository is missing elsewhere, even if other files mention it.
        let dir = parent(path);
        let is_bare = !reference.path.contains('/');
        let is_certain =
            reference.usage == Usage::Code && !is_bare || !elsewhere || join(dir, &reference.path).is_none();
        if let Some(target) = missing(path, reference, input, &suffixes).filter(|_| is_certain)
            && seen.insert((path.as_str(), *line, reference.path.as_str()))
        {
            // A script that another line mentions may be downloaded or written before it runs.
            let is_made = elsewhere && name.ends_with(".sh");
            let is_code = reference.usage == Usage::Code && target.starts_with('.') && !is_made;
            let message = format!("`{}` is not in the repository", reference.path);
            let severity = if is_code { Severity::Error } else { Severity::Warning };
            let help = "commit it, or download it from a versioned URL";
            diagnostics.push(Diagnostic::in_file(path, *line, message).severity(severity).help(help));
        }
    }
}

fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// Returns the path of a reference if no file of the repository matches it.
fn missing<'a>(
    from: &str,
    reference: &'a Reference,
    input: &RepositoryInput<'_>,
    known: &PathSuffixes<'_>,
) -> Option<&'a str> {
    let path = reference.path.trim();
    let is_plain = !path.contains(['{', '}', '$', '%', '*', '?', '<', '>', ':', '~', '\\', '(', ' ', '=', '`']);
    let name = base(path);
    let is_file = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=8).contains(&extension.len())
            && extension.chars().all(|c| c.is_ascii_alphanumeric())
            && !extension.chars().all(|c| c.is_ascii_digit())
    });
    if !is_plain || path.starts_with('/') || !is_file || path.split('/').any(|part| GENERATED_NAMES.contains(&part)) {
        return None;
    }
    // An image build runs in `WORKDIR`, with files that earlier steps downloaded.
    if reference.usage == Usage::Code && is_recipe(from) {
        return None;
    }
    let relative = path.starts_with("./") || path.starts_with("../");
    let first = path.split('/').next().unwrap_or_default();
    let inside = relative || path.contains('/') && input.context.has_directory(first);
    let is_script = [".h", ".hh", ".hpp", ".hxx", ".icc", ".H"].iter().all(|end| !name.ends_with(end));
    // A script without a directory is searched on the PATH, and a header in the directories of the compiler. An argument of
    // Python in a shell script is a file in the working directory.
    let is_given = path.ends_with(".py") && is_shell(from) && !matches!(path, "setup.py" | "PSet.py");
    if reference.usage == Usage::Code && !inside && (!is_script || !path.contains('/')) && !is_given {
        return None;
    }
    let dir = parent(from);
    let mut directory = Some(dir);
    while let Some(dir) = directory {
        if let Some(joined) = join(dir, path)
            && (input.context.has_file(&joined) || input.context.has_directory(&joined))
        {
            return None;
        }
        directory = if dir.is_empty() { None } else { Some(parent(dir)) };
    }
    // The working directory is unknown: accept any file whose path ends with this one.
    let end = path.trim_start_matches("./").trim_start_matches("../");
    (!known.has(end.trim_start_matches("../"))).then_some(path)
}

/// Reports whether a file is a shell script, by its extension.
fn is_shell(path: &str) -> bool {
    [".sh", ".bash", ".zsh", ".csh"].iter().any(|end| path.ends_with(end))
}

/// Reports whether a file is an image recipe.
fn is_recipe(path: &str) -> bool {
    let name = base(path);
    name.contains("Dockerfile")
        || name.starts_with("Containerfile")
        || name.starts_with("Singularity")
        || [".def", ".dockerfile", ".docker"].iter().any(|end| name.ends_with(end))
}

/// Paths, sorted for a search by suffix.
struct PathSuffixes<'a>(Vec<&'a str>);

impl<'a> PathSuffixes<'a> {
    fn new(paths: &'a BTreeSet<String>) -> Self {
        let mut paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        paths.sort_unstable_by(|a, b| a.bytes().rev().cmp(b.bytes().rev()));
        Self(paths)
    }

    /// Reports whether a path is equal to `end` or ends with its components.
    fn has(&self, end: &str) -> bool {
        let from = |end: &str| self.0.partition_point(|path| path.bytes().rev().lt(end.bytes().rev()));
        let below = format!("/{end}");
        self.0.get(from(end)).is_some_and(|path| *path == end)
            || self.0.get(from(&below)).is_some_and(|path| path.ends_with(&below))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::context::{RepositoryInput, RuleContext};
    use super::super::testing::nothing;
    use super::{PathSuffixes, check};
    use crate::facility::Catalogue;
    use crate::model::inventory::Inventory;
    use crate::source::lang;
    use crate::source::lang::language::Language;

    /// Returns the messages for missing files.
    fn missing(path: &str, text: &str) -> Vec<String> {
        missing_beside(path, text, &[])
    }

    /// Returns the messages if other lines mention these files.
    fn missing_beside(path: &str, text: &str, mentions: &[&str]) -> Vec<String> {
        let references = lang::read(Language::of(path, text.as_bytes()), text.as_bytes()).facts.references;
        let context = RuleContext::new(Catalogue::builtin(), Vec::new(), BTreeSet::new(), Inventory::default());
        let input = RepositoryInput {
            references: references.into_iter().map(|reference| (path.to_owned(), 1, reference)).collect(),
            mentions: mentions.iter().map(|name| ((*name).to_owned(), 2)).collect(),
            ..nothing(&context)
        };
        let mut diagnostics = Vec::new();
        check(&input, &mut diagnostics);
        diagnostics.into_iter().map(|diagnostic| diagnostic.message).collect()
    }

    #[test]
    fn image_build_may_run_downloaded_scripts() {
        let build = "FROM a:1\nRUN git clone https://example.org/b\nWORKDIR /opt/b\nRUN ./build.sh --all\n";
        assert_eq!(missing("docker/Dockerfile", build), [] as [String; 0]);
        assert_eq!(missing("run.sh", "./build.sh --all\n").len(), 1);
        assert_eq!(missing("run.sh", "g++ a.cpp\n./a.out 1\n"), [] as [String; 0]);
    }

    #[test]
    fn python_argument_in_shell_script_is_local_file() {
        assert_eq!(missing("run.sh", "python3 modify_list.py --a b\n").len(), 1);
        assert_eq!(missing_beside("run.sh", "wget x.org/get.py\npython get.py\n", &["get.py"]), [] as [String; 0]);
        assert_eq!(missing("run.sh", "python -m pip install x\nsource helpers.sh\n"), [] as [String; 0]);
    }

    #[test]
    fn paths_are_found_by_suffix() {
        let paths = BTreeSet::from(["a/b/c.h", "b/d.h", "e.h", "b/xc.h"].map(str::to_owned));
        let suffixes = PathSuffixes::new(&paths);
        assert!(["c.h", "b/c.h", "a/b/c.h", "e.h", "d.h"].iter().all(|end| suffixes.has(end)));
        assert!(!["x/c.h", ".h", "h", "a/e.h", "f.h", ""].iter().any(|end| suffixes.has(end)));
    }
}
