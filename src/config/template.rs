//! A commented `carnet.toml` from what a repository shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::Config;
use super::ci::{Ci, CiEnvironment};
use crate::model::plan::TestCommand;
use crate::model::reference::Reference;

/// What is known of a repository before it has a configuration.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Name of its directory.
    pub name: String,
    /// Tests that were detected.
    pub tests: Vec<TestCommand>,
    /// Images its Dockerfiles, job descriptions and CI files name, each with the file that does.
    pub images: BTreeMap<String, String>,
    /// What its CI files say.
    pub ci: Ci,
    /// Whether the file is made from CI alone, and names what could not be taken over.
    pub is_from_ci: bool,
    /// Paths of its lock and requirement files.
    pub locks: Vec<String>,
}

/// Bytes at which no more facilities are written: a `carnet.toml` has at most 1 MiB.
const MOST: usize = 512 << 10;
/// Most lines about what was left.
const MOST_LEFT: usize = 100;

/// The text of the file. It is valid as it stands, whatever was shown.
pub fn render(shown: &Shown) -> String {
    let mut facilities = Facilities::default();
    for place in &shown.ci.environments {
        facilities.place(place);
    }
    for (image, file) in &shown.images {
        facilities.image(image, file);
    }
    let mut text = format!(
        "# Where this analysis must run, and how that is tested: `carnet check`.\n\n[analysis]\nname = {}\n",
        quote(&shown.name)
    );
    text.push_str(if facilities.ids.is_empty() {
        "# reference = \"laptop\"        # the cell that the others are compared with; by default the first that passes\n"
    } else {
        "reference = \"laptop\"          # the cell that the others are compared with\n"
    });
    test(&mut text, shown);
    text.push_str(
        "\n# Files that the tests write; their content is compared between facilities.\n# [outputs]\n\
         # \"out/yields.json\" = {}\n\n# Files that the tests read; their content is recorded.\n# [data]\n\
         # inputs = [\"data/dimuon.root\"]\n\n# This machine as it is.\n[[facility]]\nid = \"laptop\"\nengine = \"host\"\n",
    );
    text.push_str(&facilities.text);
    if facilities.ids.is_empty() {
        text.push_str(
            "\n# One table for every other place. Images: docker://NAME:TAG, oci:DIR, docker-archive:FILE, dir:ROOTFS, ...\n\
             # [[facility]]\n# id = \"my-facility\"\n# image = \"docker://ghcr.io/my-group/analysis:2026.1\"\n\
             # user = \"1000:1000\"           # what the place imposes beyond its image\n# read_only = true\n",
        );
    }
    left(&mut text, shown);
    text.push_str(
        "\n# What `carnet scan` looks for, and what it lets pass.\n# [scan]\n# facilities = [\"desy-naf\"]    # by default all of the catalogue\n\
         # ignore = [{ rule = \"site-path\", path = \"docs/**\", reason = \"examples\" }]\n# exclude = [\"data/**\"]\n",
    );
    text
}

fn test(text: &mut String, shown: &Shown) {
    text.push_str("\n[test]\n");
    let detected: Vec<String> = shown.tests.iter().map(|test| quote(&test.run)).collect();
    let agreed = shown.ci.common_test().filter(|run| shown.is_from_ci && is_command(run));
    match (agreed, detected.as_slice()) {
        (Some(run), _) => {
            let _ = writeln!(text, "# As CI runs them.\nrun = {}", quote(run));
        }
        (_, []) => text.push_str("# No tests were found: say how it is tested.\n# run = \"pytest -q tests\"\n"),
        (_, [one]) => {
            let _ = writeln!(text, "run = {one}");
        }
        (_, several) => {
            let _ = writeln!(text, "run = [{}]", several.join(", "));
        }
    }
    if shown.is_from_ci && agreed.is_none() {
        differing(text, &shown.ci);
    }
    if shown.is_from_ci && !shown.ci.installs.is_empty() {
        text.push_str("# CI installs with:\n");
        for install in &shown.ci.installs {
            let _ = writeln!(text, "#   {}", clip(install));
        }
    }
    let requirements = shown.locks.iter().find(|path| path.rsplit('/').next() == Some("requirements.txt"));
    let is_project = shown.locks.iter().any(|path| matches!(path.as_str(), "pyproject.toml" | "setup.py"));
    let setup = match requirements {
        Some(requirements) => Some(format!("python3 -m pip install -r {requirements}")),
        None => is_project.then(|| "python3 -m pip install -e .".to_owned()),
    };
    if let Some(setup) = setup {
        let _ = writeln!(
            text,
            "# Gets the image ready, with network; kept until something changes.\n# setup = {}",
            quote(&setup)
        );
    }
    if !shown.locks.is_empty() {
        let _ = writeln!(text, "# Locked or declared in: {}", one_line(&shown.locks.join(", ")));
    }
    text.push_str("# timeout = \"10m\"              # for each command\n# network = false              # whether tests may use it\n");
}

/// The tests of jobs that don't agree, a line each.
fn differing(text: &mut String, ci: &Ci) {
    let mut jobs: Vec<(&str, &str, usize)> = Vec::new();
    for tested in &ci.runs {
        match jobs.iter_mut().find(|(job, ..)| *job == tested.job) {
            Some((_, _, count)) => *count += 1,
            None => jobs.push((&tested.job, &tested.run, 1)),
        }
    }
    if !jobs.is_empty() {
        text.push_str("# CI tests in more than one way:\n");
    }
    for (job, run, count) in jobs.iter().take(20) {
        let lines: Vec<&str> = run.lines().filter(|line| !matches!(*line, "set -e" | "(" | ")")).collect();
        let varies = if *count > 1 { ", different for each of its combinations" } else { "" };
        let _ = writeln!(text, "# {}{varies}:\n#   {}", sentence(job).trim_end_matches('.'), clip(&lines.join("; ")));
    }
    if jobs.len() > 20 {
        let _ = writeln!(text, "# And {} more jobs.", jobs.len() - 20);
    }
}

/// Whether a command of CI can stand in a `carnet.toml`.
fn is_command(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains('\0') && text.len() < MOST / 4
}

/// What CI says that stands in no facility.
fn left(text: &mut String, shown: &Shown) {
    let left = &shown.ci.unsupported;
    if left.is_empty() {
        return;
    }
    if !shown.is_from_ci {
        let _ = writeln!(
            text,
            "\n# Not everything in CI files was taken over: `carnet init --from-ci --print` names the rest."
        );
        return;
    }
    let mut by_why: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in left {
        match by_why.iter_mut().find(|(why, _)| *why == entry.reason) {
            Some((_, places)) => places.push(&entry.location),
            None => by_why.push((&entry.reason, vec![&entry.location])),
        }
    }
    text.push_str("\n# Not taken over from CI:\n");
    for (why, places) in by_why.iter().take(MOST_LEFT) {
        let more = places.len().saturating_sub(6);
        let mut named = places.iter().take(6).map(|place| one_line(place)).collect::<Vec<_>>().join(", ");
        if more > 0 {
            let _ = write!(named, " and {more} more");
        }
        let _ = writeln!(text, "# - {named}: {}", one_line(why));
    }
    if by_why.len() > MOST_LEFT {
        let _ = writeln!(text, "# - and {} more", by_why.len() - MOST_LEFT);
    }
}

/// Tables of facilities, each valid and with an id of its own.
#[derive(Debug, Default)]
struct Facilities {
    text: String,
    ids: Vec<String>,
}

impl Facilities {
    fn image(&mut self, image: &str, file: &str) {
        let reference = format!("docker://{image}");
        if Reference::parse(&reference, Path::new("")).is_ok() {
            let comment = format!("# Named in {}.\n", one_line(file));
            self.add(image, &comment, &format!("image = {}\n", quote(&reference)));
        }
    }

    fn place(&mut self, place: &CiEnvironment) {
        let mut comment = String::new();
        for job in place.jobs.iter().take(8) {
            let _ = writeln!(comment, "# {}", sentence(job));
        }
        if place.jobs.len() > 8 {
            let _ = writeln!(comment, "# And {} more jobs.", place.jobs.len() - 8);
        }
        for note in place.notes.iter().take(20) {
            let _ = writeln!(comment, "# {}", sentence(note));
        }
        if !place.commands.is_empty() {
            comment.push_str("# It runs:\n");
            for line in &place.commands {
                let _ = writeln!(comment, "#   {}", clip(line));
            }
        }
        let mut table = format!("image = {}\n", quote(&place.image));
        if !place.setup.is_empty() {
            let _ = writeln!(table, "setup = {}", quote(&place.setup.join("\n")));
        }
        if !place.env.is_empty() {
            let pairs: Vec<String> =
                place.env.iter().map(|(name, value)| format!("{} = {}", key(name), quote(value))).collect();
            let _ = writeln!(table, "env = {{ {} }}", pairs.join(", "));
        }
        if !place.mounts.is_empty() {
            let mounts: Vec<String> = place.mounts.iter().map(|mount| quote(mount)).collect();
            let _ = writeln!(table, "mounts = [{}]", mounts.join(", "));
        }
        for (key, value) in &place.settings {
            let _ = writeln!(table, "{key} = {value}");
        }
        self.add(&place.name, &comment, &table);
    }

    /// Adds a table; one that would not be valid stands as a comment.
    fn add(&mut self, name: &str, comment: &str, table: &str) {
        if self.text.len() + comment.len() + table.len() > MOST {
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
                let _ = write!(self.text, "\n{comment}# It can't stand as a facility:\n");
                for line in table.lines() {
                    let _ = writeln!(self.text, "# {}", clip(line));
                }
            }
        }
    }

    /// An identifier that nothing has yet: of the name, of the name with the tag, or with a number.
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

/// An identifier from an image's name: `coffeateam/coffea-dask-almalinux8:2025.1` gives `coffea-dask-almalinux8`.
fn slug(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let (group, name) = image.rsplit_once('/').map_or((None, image), |(group, name)| (group.rsplit('/').next(), name));
    let name = name.split(':').next().unwrap_or(name);
    let fine = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(fine).take(40).collect();
    let slug = slug.trim_matches('-');
    // `el9` alone says little: `cmssw-el9`.
    if let Some(group) = group
        && slug.len() < 5
        && !group.contains(['.', ':'])
        && !group.is_empty()
    {
        return format!("{}-{slug}", self::slug(group)).trim_end_matches('-').to_owned();
    }
    if slug.is_empty() { "image".to_owned() } else { slug.to_owned() }
}

/// A TOML key.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { name.to_owned() } else { quote(name) }
}

/// A TOML string.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One line of at most 160 characters.
fn clip(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// One line as a sentence.
fn sentence(text: &str) -> String {
    let line = clip(text);
    let mut chars = line.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::{prop_assert, proptest};

    use super::{Shown, render};
    use crate::config::Config;
    use crate::model::plan::{TestCommand, TestKind};

    fn shown(name: &str, image: &str, file: &str) -> Shown {
        Shown {
            name: name.to_owned(),
            tests: vec![TestCommand { name: "t".to_owned(), kind: TestKind::Pytest, run: format!("pytest {name}x") }],
            images: [(image.to_owned(), file.to_owned()), ("a/laptop:1".to_owned(), file.to_owned())].into(),
            locks: vec![format!("{file}/requirements.txt")],
            ..Shown::default()
        }
    }

    #[test]
    fn images_become_facilities() {
        let text = render(&shown("dimuon", "coffeateam/Coffea_Dask:2025.1", ".gitlab-ci.yml"));
        let config = Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid");
        let ids: Vec<&str> = config.facilities.iter().map(|facility| facility.id.as_str()).collect();
        assert_eq!(ids, ["laptop", "laptop-1", "coffea-dask"]);
        assert_eq!(config.test.run[0].1, "pytest dimuonx");
    }

    #[test]
    fn what_is_no_image_becomes_no_facility() {
        let text = render(&shown("dimuon", "/", "ci.yml"));
        assert_eq!(Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid").facilities.len(), 2);
    }

    #[test]
    fn a_project_is_offered_to_be_installed() {
        let locks = |paths: &[&str]| {
            render(&Shown {
                name: "x".to_owned(),
                locks: paths.iter().map(|path| (*path).to_owned()).collect(),
                ..Shown::default()
            })
        };
        assert!(locks(&["pyproject.toml"]).contains("# setup = \"python3 -m pip install -e .\"\n"));
        assert!(locks(&["pyproject.toml", "requirements.txt"]).contains("install -r requirements.txt\"\n"));
        assert!(!locks(&["environment.yml"]).contains("# setup"));
    }

    #[test]
    fn nothing_shown_is_valid_too() {
        let text = render(&Shown { name: "x".to_owned(), ..Shown::default() });
        assert_eq!(Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid").facilities.len(), 1);
    }

    proptest! {
        #[test]
        fn odd_names_can_not_break_the_file(name in "[^\\p{Cc} ][^\\p{Cc}]{0,20}", image in "[a-zA-Z0-9./_-]{1,30}", file in "\\PC{1,20}") {
            let text = render(&shown(&name, &image, &file));
            let parsed = Config::parse(&text, Path::new("/a/carnet.toml"));
            prop_assert!(parsed.is_ok(), "{}\n{:?}", text, parsed.err().map(|e| e.to_string()));
        }
    }
}
