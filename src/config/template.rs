//! A commented `carnet.toml` from what a repository shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::model::plan::TestCommand;
use crate::model::reference::Reference;

/// What is known of a repository before it has a configuration.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Name of its directory.
    pub name: String,
    /// Tests that were detected.
    pub tests: Vec<TestCommand>,
    /// Images its CI files and Dockerfiles name, each with the file that does.
    pub images: BTreeMap<String, String>,
    /// Paths of its lock and requirement files.
    pub locks: Vec<String>,
}

/// The text of the file. It is valid as it stands, whatever was shown.
pub fn render(shown: &Shown) -> String {
    let mut text = format!(
        "# Where this analysis must run, and how that is tested: `carnet check`.\n\n[analysis]\nname = {}\n",
        quote(&shown.name)
    );
    text.push_str(if shown.images.is_empty() {
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
    let mut ids = vec!["laptop".to_owned()];
    for (image, file) in &shown.images {
        facility(&mut text, image, file, &mut ids);
    }
    if shown.images.is_empty() {
        text.push_str(
            "\n# One table for every other place. Images: docker://NAME:TAG, oci:DIR, docker-archive:FILE, dir:ROOTFS, ...\n\
             # [[facility]]\n# id = \"my-facility\"\n# image = \"docker://ghcr.io/my-group/analysis:2026.1\"\n\
             # user = \"1000:1000\"           # what the place imposes beyond its image\n# read_only = true\n",
        );
    }
    text.push_str(
        "\n# What `carnet scan` looks for, and what it lets pass.\n# [scan]\n# facilities = [\"desy-naf\"]    # by default all of the catalogue\n\
         # ignore = [{ rule = \"site-path\", path = \"docs/**\", reason = \"examples\" }]\n# exclude = [\"data/**\"]\n",
    );
    text
}

fn test(text: &mut String, shown: &Shown) {
    text.push_str("\n[test]\n");
    match shown.tests.as_slice() {
        [] => text.push_str("# No tests were found: say how it is tested.\n# run = \"pytest -q tests\"\n"),
        [one] => {
            let _ = writeln!(text, "run = {}", quote(&one.run));
        }
        several => {
            let commands: Vec<String> = several.iter().map(|test| quote(&test.run)).collect();
            let _ = writeln!(text, "run = [{}]", commands.join(", "));
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

fn facility(text: &mut String, image: &str, file: &str, ids: &mut Vec<String>) {
    let reference = format!("docker://{image}");
    if Reference::parse(&reference, Path::new("")).is_err() {
        return;
    }
    let stem = slug(image);
    let free = |id: &String| !ids.contains(id);
    let numbered = (2..).map(|n| format!("{stem}-{n}"));
    let Some(id) = std::iter::once(stem.clone()).chain(numbered).find(free) else { return };
    let _ = write!(
        text,
        "\n# Named in {}.\n[[facility]]\nid = {}\nimage = {}\n",
        one_line(file),
        quote(&id),
        quote(&reference)
    );
    ids.push(id);
}

/// An identifier from an image's name: `coffeateam/coffea-dask-almalinux8:2025.1` gives `coffea-dask-almalinux8`.
fn slug(image: &str) -> String {
    let name = image.split('@').next().unwrap_or(image).rsplit('/').next().unwrap_or(image);
    let name = name.split(':').next().unwrap_or(name);
    let fine = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let slug: String = name.chars().map(fine).take(40).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "image".to_owned() } else { slug.to_owned() }
}

/// A TOML string.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
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
        }
    }

    #[test]
    fn images_become_facilities() {
        let text = render(&shown("dimuon", "coffeateam/Coffea_Dask:2025.1", ".gitlab-ci.yml"));
        let config = Config::parse(&text, Path::new("/a/carnet.toml")).expect("valid");
        let ids: Vec<&str> = config.facilities.iter().map(|facility| facility.id.as_str()).collect();
        assert_eq!(ids, ["laptop", "laptop-2", "coffea-dask"]);
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
