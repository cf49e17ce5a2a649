//! The catalogue of facilities: their mounts, the XRootD doors of their storage, and how jobs run.
//!
//! `data/` contains one file per facility, `table/` the storage paths and doors of all sites. Every fact has a source
//! and the date when it was read.

mod builtin;
mod contract;
pub mod door;
mod file;
pub mod path;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use door::{Door, Doors};
pub use file::CatalogueError;
use path::{PathFacts, PathTable};

/// All facilities, storage paths and doors.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Sorted by id.
    pub facilities: Vec<Facility>,
    paths: PathTable,
    doors: Doors,
}

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    file::catalogue(builtin::FACILITIES, builtin::STORAGE, builtin::DOORS).expect("a test parses every built-in file")
});

impl Catalogue {
    /// Returns the catalogue that is compiled into this program.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Returns the facility with an id.
    pub fn facility(&self, id: &str) -> Option<&Facility> {
        let index = self.facilities.binary_search_by(|facility| facility.id.as_str().cmp(id)).ok()?;
        self.facilities.get(index)
    }

    /// Returns the facts about an absolute path; the longest known prefix applies. `None` if there are none, as for
    /// `/usr`.
    pub fn path_facts<'a>(&'a self, path: &'a str) -> Option<PathFacts<'a>> {
        path::find(&self.paths, &self.facilities, path)
    }

    /// Returns the facts about a file server, given with or without a port. A host that is not listed is identified by
    /// the domain of its site.
    pub fn door(&self, host: &str) -> Option<Door<'_>> {
        self.doors.find(host)
    }

    /// Reports whether a host is listed as a door by its name, not only by its domain.
    pub fn is_door(&self, host: &str) -> bool {
        self.doors.is_listed(host)
    }

    /// Returns the site of a domain or of a host in it.
    pub fn domain(&self, host: &str) -> Option<Door<'_>> {
        self.doors.domain(host)
    }

    /// Returns the first components of all known paths, without slashes, sorted: `eos`, `uscms_data`.
    pub fn roots(&self) -> Vec<&str> {
        self.paths.roots()
    }
}

/// One facility.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Facility {
    /// Identifier: lowercase letters, digits and hyphens.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Site: the grid name, if it has one.
    pub site: String,
    /// Supported experiments.
    pub experiments: Vec<String>,
    /// Whether the main facts come from a documented source.
    pub confirmed: bool,
    /// Unconfirmed facts of a confirmed facility.
    #[serde(default)]
    pub unconfirmed: Vec<String>,
    /// Images used there, as references or paths in `/cvmfs`; the default image first.
    #[serde(default)]
    pub images: Vec<String>,
    /// The image of workers, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_image: Option<String>,
    /// Directory with unpacked images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_root: Option<String>,
    /// Container engine: `docker`, `apptainer`, `kubernetes` or `shifter`; `none` if software is used without an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Whether jobs run the entrypoint of an image.
    pub entrypoint_runs: bool,
    /// Architectures, as printed by `uname -m`.
    #[serde(default)]
    pub arch: Vec<String>,
    /// Operating system of the image, or of the nodes if there is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Oldest glibc version of its images and nodes: `(2, 34)`.
    #[serde(default, with = "file::version::one", skip_serializing_if = "Option::is_none")]
    pub glibc: Option<(u8, u8)>,
    /// Python versions of its images and nodes: `(3, 12)`; empty if unknown or chosen by the user.
    #[serde(default, with = "file::version::many")]
    pub pythons: Vec<(u8, u8)>,
    /// Source of ROOT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Batch systems: `htcondor`, `slurm`, `kubernetes`.
    #[serde(default)]
    pub schedulers: Vec<String>,
    /// Executors used there: `dask:LPCCondorCluster`.
    #[serde(default)]
    pub executors: Vec<String>,
    /// Whether workers share a file system with the submit node.
    pub shared_fs: bool,
    /// User and group of processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Environment variables that are set or expected.
    #[serde(default)]
    pub env: Vec<String>,
    /// Supported attributes of job descriptions.
    #[serde(default)]
    pub submit_keys: Vec<String>,
    /// Ports available to analyses.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Login and submit hosts; `*` matches any part of a name.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Domains of its hosts.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Python modules that only work there: `lpcjobqueue`.
    #[serde(default)]
    pub modules: Vec<String>,
    /// Commands that only some facilities have.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Queues or job flavours.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Partitions of Slurm.
    #[serde(default)]
    pub partitions: Vec<String>,
    /// Accounts and projects of jobs.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Doors used there, the default first: `host` or `host:port`.
    #[serde(default)]
    pub doors: Vec<String>,
    /// Source of the facts.
    pub source: Source,
    /// Sources of facts from a different source, by field name.
    #[serde(default, rename = "fact")]
    pub facts: BTreeMap<String, Source>,
    /// Mounted directories.
    #[serde(default, rename = "mount")]
    pub mounts: Vec<Mount>,
}

impl Facility {
    /// Returns the source of a fact, by field name.
    pub fn source_of(&self, field: &str) -> &Source {
        self.facts.get(field).unwrap_or(&self.source)
    }
}

/// The source of facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Repository, page or document.
    pub from: String,
    /// Date when it was read: `2026-11-22`.
    pub read: String,
    /// Date of the version that was read, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
}

/// A directory mounted at a facility.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Absolute path; `<user>` and `<i>` (the first letter of the user name) match any single component.
    pub path: String,
    /// Access mode.
    pub mode: Mode,
    /// Where it is available.
    #[serde(rename = "where")]
    pub seen: Seen,
    /// Additional information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Date when it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<String>,
    /// Source, if it differs from that of the facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// Access mode of a mounted directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Readable and writable.
    Rw,
    /// Readable.
    Ro,
    /// Not available anymore.
    None,
    /// Readable and writable until the session or job ends.
    Ephemeral,
}

/// Where a mounted directory is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// On login nodes.
    Login,
    /// In notebooks and sessions.
    Notebook,
    /// In jobs and on workers.
    Job,
    /// Everywhere.
    Both,
}

impl Mount {
    /// Reports whether it is available.
    pub fn is_usable(&self) -> bool {
        self.mode != Mode::None && self.retired.is_none()
    }

    /// Reports whether it is available to jobs.
    pub fn is_seen_by_jobs(&self) -> bool {
        matches!(self.seen, Seen::Job | Seen::Both)
    }

    /// Reports whether a path is in it, or is one of its parent directories: `/eos/user` for `/eos/user/<i>/<user>`.
    pub fn contains(&self, path: &str) -> bool {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        for expected in self.path.split('/').filter(|part| !part.is_empty()) {
            let literal = expected.split_once('<').map(|(literal, _)| literal);
            match parts.next() {
                Some(part) if literal.is_some_and(|literal| part.starts_with(literal)) => {}
                Some(part) if part == expected => {}
                Some(_) => return false,
                None => return true,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_are_sorted_and_have_dated_sources() {
        let catalogue = Catalogue::builtin();
        let ids: Vec<_> = catalogue.facilities.iter().map(|facility| facility.id.as_str()).collect();
        assert!(ids.is_sorted() && ids.contains(&"desy-naf"), "{ids:?}");
        for facility in &catalogue.facilities {
            let sources =
                facility.facts.values().chain(facility.mounts.iter().filter_map(|mount| mount.source.as_ref()));
            for source in sources.chain([&facility.source]) {
                assert!(!source.from.is_empty(), "{}", facility.id);
                let dates = [Some(&source.read), source.as_of.as_ref()];
                assert!(dates.into_iter().flatten().all(|date| is_date(date)), "{}: {source:?}", facility.id);
            }
        }
    }

    fn is_date(text: &str) -> bool {
        text.len() == 10 && jiff::civil::Date::strptime("%Y-%m-%d", text).is_ok()
    }

    #[test]
    fn every_mount_is_an_absolute_path_without_trailing_slash() {
        for facility in &Catalogue::builtin().facilities {
            for mount in &facility.mounts {
                let path = &mount.path;
                assert!(
                    path.starts_with('/') && !path.ends_with('/') && !path.contains("//"),
                    "{}: {path}",
                    facility.id
                );
                assert!(mount.retired.as_deref().is_none_or(is_date), "{}: {path}", facility.id);
            }
        }
    }

    #[test]
    fn doors_of_facilities_are_in_the_table_of_doors() {
        let catalogue = Catalogue::builtin();
        for facility in &catalogue.facilities {
            for host in &facility.doors {
                assert!(catalogue.is_door(host), "{}: {host} is not in the table", facility.id);
            }
        }
    }

    #[test]
    fn mount_matches_its_content_and_its_parent_directories() {
        let mount = Mount {
            path: "/eos/user/<i>/<user>".to_owned(),
            mode: Mode::Rw,
            seen: Seen::Both,
            note: None,
            retired: None,
            source: None,
        };
        assert!(mount.contains("/eos/user/j/jane/file.root"));
        assert!(mount.contains("/eos/user"));
        assert!(mount.contains("//eos/user/"));
        assert!(mount.contains("/eos"), "a parent directory");
        assert!(!mount.contains("/eos/cms/store"));
    }

    #[test]
    fn facility_is_found_by_its_id() {
        let catalogue = Catalogue::builtin();
        assert_eq!(catalogue.facility("desy-naf").map(|facility| facility.glibc), Some(Some((2, 34))));
        assert_eq!(catalogue.facility("unl-coffea-casa").expect("a facility").pythons, [(3, 11), (3, 12)]);
        assert!(catalogue.facility("nowhere").is_none());
    }
}
