//! The commented `carnet.toml` that `carnet init` writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Config;
use super::ci::{Ci, CiEnvironment};
use crate::model::plan::TestCommand;
use crate::model::reference::Reference;
use crate::model::text;

/// Facts about a repository without a configuration.
#[derive(Debug, Clone, Default)]
pub struct Detected {
    /// Name of the directory.
    pub name: String,
    /// Detected tests.
    pub tests: Vec<TestCommand>,
    /// Images in Dockerfiles, job descriptions and CI files, each with the file that references it.
    pub images: BTreeMap<String, String>,
    /// Environments and tests in CI files.
    pub ci: Ci,
    /// Whether the file is generated only from CI files, and lists everything that was not converted.
    pub is_from_ci: bool,
    /// Paths of lock and requirements files.
    pub locks: Vec<String>,
}

/// Size in bytes after which no more facilities are added: a `carnet.toml` has at most 1 MiB.
const MAX_SIZE: usize = 512 << 10;
/// Maximum number of lines about parts of CI files that were not converted.
const MAX_UNSUPPORTED: usize = 100;

/// Returns the text of the file, which is always valid.
pub fn render(detected: &Detected) -> String {
    let mut facilities = Facilities::default();
    for environment in &detected.ci.environments {
        facilities.environment(environment);
    }
    for (image, file) in &detected.images {
        facilities.image(image, file);
    }
    let mut text = format!(
        "# Configuration of carnet: where this analysis must run and how it is tested.\n\n[analysis]\nname = {}\n",
        quote(&detected.name)
    );
    text.push_str(if facilities.ids.is_empty() {
        "# reference = \"laptop\"        # cell that the other cells are compared with; by default the first that passes\n"
    } else {
        "reference = \"laptop\"          # cell that the other cells are compared with\n"
    });
    test(&mut text, detected);
    text.push_str(
        "\n# Output files of the tests; their content is compared between facilities.\n# [outputs]\n\
         # \"out/yields.json\" = {}\n\n# Input files of the tests; their content is recorded.\n# [data]\n\
         # inputs = [\"data/dimuon.root\"]\n\n# This machine, without an image.\n[[facility]]\nid = \"laptop\"\nengine = \"host\"\n",
    );
    text.push_str(&facilities.text);
    if facilities.ids.is_empty() {
        text.push_str(
            "\n# One table per facility. Images: docker://NAME:TAG, oci:DIR, docker-archive:FILE, dir:ROOTFS, ...\n\
             # [[facility]]\n# id = \"my-facility\"\n# image = \"docker://ghcr.io/my-group/analysis:2026.1\"\n\
             # user = \"1000:1000\"           # constraints of the facility in addition to its image\n# read_only = true\n",
        );
    }
    unsupported(&mut text, detected);
    text.push_str(
        "\n# Options of `carnet scan`.\n# [scan]\n# facilities = [\"desy-naf\"]    # by default all facilities of the catalogue\n\
         # ignore = [{ rule = \"site-path\", path = \"docs/**\", reason = \"examples\" }]\n# exclude = [\"data/**\"]\n",
    );
    text
}

fn test(text: &mut String, detected: &Detected) {
    text.push_str("\n[test]\n");
    let commands: Vec<String> = detected.tests.iter().map(|test| quote(&test.run)).collect();
    let agreed = detected.ci.common_test().filter(|run| detected.is_from_ci && is_command(run));
    match (agreed, commands.as_slice()) {
        (Some(run), _) => {
            let _ = writeln!(text, "# As in CI.\nrun = {}", quote(run));
        }
        (_, []) => text.push_str("# No tests were detected; set the test command.\n# run = \"pytest -q tests\"\n"),
        (_, [one]) => {
            let _ = writeln!(text, "run = {one}");
        }
        (_, several) => {
            let _ = writeln!(text, "run = [{}]", several.join(", "));
        }
    }
    if detected.is_from_ci && agreed.is_none() {
        differing(text, &detected.ci);
    }
    if detected.is_from_ci && !detected.ci.installs.is_empty() {
        text.push_str("# CI installs with:\n");
        for install in &detected.ci.installs {
            let _ = writeln!(text, "#   {}", comment_line(install));
        }
    }
    let requirements = detected.locks.iter().find(|path| path.rsplit('/').next() == Some("requirements.txt"));
    let is_project = detected.locks.iter().any(|path| matches!(path.as_str(), "pyproject.toml" | "setup.py"));
    let setup = match requirements {
        Some(requirements) => Some(format!("python3 -m pip install -r {requirements}")),
        None => is_project.then(|| "python3 -m pip install -e .".to_owned()),
    };
    if let Some(setup) = setup {
        let _ = writeln!(
            text,
            "# Prepares the image and may use the network; the result is cached.\n# setup = {}",
            quote(&setup)
        );
    }
    if !detected.locks.is_empty() {
        let _ = writeln!(text, "# Dependencies are declared in: {}", comment_line(&detected.locks.join(", ")));
    }
    text.push_str("# timeout = \"10m\"              # per command\n# network = false              # whether the tests may use the network\n");
}

/// Adds the tests of jobs that run different commands, one line each.
fn differing(text: &mut String, ci: &Ci) {
    let mut jobs: Vec<(&str, &str, usize)> = Vec::new();
    for tested in &ci.runs {
        match jobs.iter_mut().find(|(job, ..)| *job == tested.job) {
            Some((_, _, count)) => *count += 1,
            None => jobs.push((&tested.job, &tested.run, 1)),
        }
    }
    if !jobs.is_empty() {
        text.push_str("# CI runs different tests:\n");
    }
    for (job, run, count) in jobs.iter().take(20) {
        let lines: Vec<&str> = run.lines().filter(|line| !matches!(*line, "set -e" | "(" | ")")).collect();
        let varies = if *count > 1 { ", different for each matrix combination" } else { "" };
        let _ = writeln!(
            text,
            "# {}{varies}:\n#   {}",
            comment_sentence(job).trim_end_matches('.'),
            comment_line(&lines.join("; "))
        );
    }
    if jobs.len() > 20 {
        let _ = writeln!(text, "# And {} more jobs.", jobs.len() - 20);
    }
}

/// Reports whether a command of CI is valid in a `carnet.toml`.
fn is_command(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('\0') && text.len() < MAX_SIZE / 4
}

/// Adds the parts of CI files that were not converted.
fn unsupported(text: &mut String, detected: &Detected) {
    let entries = &detected.ci.unsupported;
    if entries.is_empty() {
        return;
    }
    if !detected.is_from_ci {
        let _ =
            writeln!(text, "\n# CI files were only partly converted: run `carnet init --from-ci --print` for details.");
        return;
    }
    let mut by_reason: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in entries {
        match by_reason.iter_mut().find(|(why, _)| *why == entry.reason) {
            Some((_, positions)) => positions.push(&entry.location),
            None => by_reason.push((&entry.reason, vec![&entry.location])),
        }
    }
    text.push_str("\n# Not converted from CI:\n");
    for (reason, positions) in by_reason.iter().take(MAX_UNSUPPORTED) {
        let more = positions.len().saturating_sub(6);
        let mut named = positions.iter().take(6).map(|position| comment_line(position)).collect::<Vec<_>>().join(", ");
        if more > 0 {
            let _ = write!(named, " and {more} more");
        }
        let _ = writeln!(text, "# - {named}: {}", comment_line(reason));
    }
    if by_reason.len() > MAX_UNSUPPORTED {
        let _ = writeln!(text, "# - and {} more", by_reason.len() - MAX_UNSUPPORTED);
    }
}

/// Tables of facilities, each valid and with a unique id.
#[derive(Debug, Default)]
struct Facilities {
    text: String,
    ids: Vec<String>,
}

impl Facilities {
    fn image(&mut self, image: &str, file: &str) {
        let reference = format!("docker://{image}");
        if Reference::parse(&reference, Path::new("")).is_ok() {
            let comment = format!("# Referenced in {}.\n", comment_line(file));
            self.add(image, &comment, &format!("image = {}\n", quote(&reference)));
        }
    }

    fn environment(&mut self, environment: &CiEnvironment) {
        let mut comment = String::new();
        for job in environment.jobs.iter().take(8) {
            let _ = writeln!(comment, "# {}", comment_sentence(job));
        }
        if environment.jobs.len() > 8 {
            let _ = writeln!(comment, "# And {} more jobs.", environment.jobs.len() - 8);
        }
        for note in environment.notes.iter().take(20) {
            let _ = writeln!(comment, "# {}", comment_sentence(note));
        }
        if !environment.commands.is_empty() {
            comment.push_str("# Commands of the job:\n");
            for line in &environment.commands {
                let _ = writeln!(comment, "#   {}", comment_line(line));
            }
        }
        let mut table = format!("image = {}\n", quote(&environment.image));
        if !environment.setup.is_empty() {
            let _ = writeln!(table, "setup = {}", quote(&environment.setup.join("\n")));
        }
        if !environment.env.is_empty() {
            let pairs: Vec<String> =
                environment.env.iter().map(|(name, value)| format!("{} = {}", key(name), quote(value))).collect();
            let _ = writeln!(table, "env = {{ {} }}", pairs.join(", "));
        }
        if !environment.mounts.is_empty() {
            let mounts: Vec<String> = environment.mounts.iter().map(|mount| quote(mount)).collect();
            let _ = writeln!(table, "mounts = [{}]", mounts.join(", "));
        }
        for (key, value) in &environment.settings {
            let _ = writeln!(table, "{key} = {value}");
        }
        self.add(&environment.name, &comment, &table);
    }

    /// Adds a table; an invalid table is added as a comment.
    fn add(&mut self, name: &str, comment: &str, table: &str) {
        if self.text.len() + comment.len() + table.len() > MAX_SIZE {
            return;
        }
        let id = self.id(name);
        let table = format!("[[facility]]\nid = {}\n{table}", quote(&id));
        match Config::parse(&table, Path::new("/carnet.toml")) {
            Ok(_) => {
                let _ = write!(self.text, "\n{comment}{table}");
                self.ids.push(id);
            }
            Err(_) => {
                let _ = write!(self.text, "\n{comment}# Not a valid facility:\n");
                for line in table.lines() {
                    let _ = writeln!(self.text, "# {}", comment_line(line));
                }
            }
        }
    }

    /// Returns an unused identifier: the name, the name with the tag, or the name with a number.
    fn id(&self, name: &str) -> String {
        let stem = slug(name);
        let tag = name.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
        let tagged = tag.map(|tag| format!("{stem}-{}", slug(tag)));
        let numbered = (2..).map(|n| format!("{stem}-{n}"));
        let free = |id: &String| id != "laptop" && !self.ids.contains(id);
        let mut names = std::iter::once(stem.clone()).chain(tagged).chain(numbered);
        names.find(free).unwrap_or(stem.clone())
    }
}

/// Returns an identifier for an image: `coffea-dask-almalinux8` for `coffeateam/coffea-dask-almalinux8:2025.1`.
fn slug(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let (group, name) = image.rsplit_once('/').map_or((None, image), |(group, name)| (group.rsplit('/').next(), name));
    let name = name.split(':').next().unwrap_or(name);
    let replace = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(replace).take(40).collect();
    let slug = slug.trim_matches('-');
    // Short names get the group as a prefix: `cmssw-el9` instead of `el9`.
    if let Some(group) = group
        && slug.len() < 5
        && !group.contains(['.', ':'])
        && !group.is_empty()
    {
        return format!("{}-{slug}", self::slug(group)).trim_end_matches('-').to_owned();
    }
    if slug.is_empty() { "image".to_owned() } else { slug.to_owned() }
}

/// Returns a TOML key.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { name.to_owned() } else { quote(name) }
}

/// Returns a TOML string.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Returns the text as one line that fits in a comment.
fn comment_line(text: &str) -> String {
    text::one_line(text, 160)
}

/// Returns the text as one sentence that fits in a comment.
fn comment_sentence(text: &str) -> String {
    text::sentence(&comment_line(text))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::{prop_assert, proptest};

    use super::{Detected, render};
    use crate::config::Config;
    use crate::model::plan::{TestCommand, TestKind};

    fn detected(name: &str, image: &str, file: &str) -> Detected {
        Detected {
            name: name.to_owned(),
            tests: vec![TestCommand { name: "t".to_owned(), kind: TestKind::Pytest, run: format!("pytest {name}x") }],
            images: [(image.to_owned(), file.to_owned()), ("a/laptop:1".to_owned(), file.to_owned())].into(),
            locks: vec![format!("{file}/requirements.txt")],
            ..Detected::default()
        }
    }

    #[test]
    fn images_become_facilities() {
        let text = render(&detected("dimuon", "coffeateam/Coffea_Dask:2025.1", ".gitlab-ci.yml"));
        let config = Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid");
        let ids: Vec<&str> = config.facilities.iter().map(|facility| facility.id.as_str()).collect();
        assert_eq!(ids, ["laptop", "laptop-1", "coffea-dask"]);
        assert_eq!(config.test.run[0].1, "pytest dimuonx");
    }

    #[test]
    fn invalid_image_is_left_out() {
        let text = render(&detected("dimuon", "/", "ci.yml"));
        assert_eq!(Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid").facilities.len(), 2);
    }

    #[test]
    fn setup_installs_the_project() {
        let locks = |paths: &[&str]| {
            render(&Detected {
                name: "x".to_owned(),
                locks: paths.iter().map(|path| (*path).to_owned()).collect(),
                ..Detected::default()
            })
        };
        assert!(locks(&["pyproject.toml"]).contains("# setup = \"python3 -m pip install -e .\"\n"));
        assert!(locks(&["pyproject.toml", "requirements.txt"]).contains("install -r requirements.txt\"\n"));
        assert!(!locks(&["environment.yml"]).contains("# setup"));
    }

    #[test]
    fn empty_repository_gives_a_valid_file() {
        let text = render(&Detected { name: "x".to_owned(), ..Detected::default() });
        assert_eq!(Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid").facilities.len(), 1);
    }

    proptest! {
        #[test]
        fn unusual_names_give_a_valid_file(name in "[^\\p{Cc} ][^\\p{Cc}]{0,20}", image in "[a-zA-Z0-9./_-]{1,30}", file in "\\PC{1,20}") {
            let text = render(&detected(&name, &image, &file));
            let parsed = Config::parse(&text, Path::new("/a/carnet.toml"));
            prop_assert!(parsed.is_ok(), "{}\n{:?}", text, parsed.err().map(|e| e.to_string()));
        }
    }
}
