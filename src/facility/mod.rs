//! The catalogue of facilities: what each mounts, which doors reach its storage, how jobs are run there.
//!
//! One facility a file in `data/`; what is known of storage and doors beyond them stands in `table/`. Every fact carries
//! its source and the day it was read.

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

/// All facilities, with what is known of storage and doors.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Sorted by id.
    pub facilities: Vec<Facility>,
    places: PathTable,
    doors: Doors,
}

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    file::catalogue(builtin::FACILITIES, builtin::STORAGE, builtin::DOORS)
        .expect("a test reads every file that is built in")
});

impl Catalogue {
    /// The catalogue that is built into this program.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// A facility, by its id.
    pub fn facility(&self, id: &str) -> Option<&Facility> {
        let at = self.facilities.binary_search_by(|facility| facility.id.as_str().cmp(id)).ok()?;
        self.facilities.get(at)
    }

    /// What is known of an absolute path; none when nothing is, as for `/usr`. The longest prefix in the tables wins.
    pub fn place<'a>(&'a self, path: &'a str) -> Option<PathFacts<'a>> {
        path::find(&self.places, &self.facilities, path)
    }

    /// What is known of a host that serves files, with or without a port. A host that no table names is known by the
    /// domain of its site, or not at all.
    pub fn door(&self, host: &str) -> Option<Door<'_>> {
        self.doors.find(host)
    }

    /// Whether a host is listed as a door by its own name, not only by its domain.
    pub fn is_door(&self, host: &str) -> bool {
        self.doors.is_listed(host)
    }

    /// The site that a domain or a host below it belongs to.
    pub fn domain(&self, host: &str) -> Option<Door<'_>> {
        self.doors.domain(host)
    }

    /// First components of paths that [`Catalogue::place`] knows, without slashes, sorted: `eos`, `uscms_data`.
    pub fn roots(&self) -> Vec<&str> {
        self.places.roots()
    }
}

/// One facility.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Facility {
    /// Identifier: lowercase letters, digits and hyphens.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Site, by its name in the grid where it has one.
    pub site: String,
    /// Experiments it serves.
    pub experiments: Vec<String>,
    /// Whether the main facts come from a named source; else it is a sketch.
    pub confirmed: bool,
    /// What is not confirmed although the rest is.
    #[serde(default)]
    pub unconfirmed: Vec<String>,
    /// Images that are run there, as references or paths below `/cvmfs`; the usual one first.
    #[serde(default)]
    pub images: Vec<String>,
    /// The image of workers, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_image: Option<String>,
    /// Directory that holds images as unpacked trees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_root: Option<String>,
    /// What runs images there: `docker`, `apptainer`, `kubernetes`, `shifter`; `none` where the environment is a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Whether the entry point of an image runs in jobs.
    pub entrypoint_runs: bool,
    /// Architectures, as `uname -m` says them.
    #[serde(default)]
    pub arch: Vec<String>,
    /// Operating system of its image, or of its nodes where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The oldest glibc among its images and nodes: `(2, 34)`.
    #[serde(default, with = "file::version::one", skip_serializing_if = "Option::is_none")]
    pub glibc: Option<(u8, u8)>,
    /// Python versions that its images and nodes have: `(3, 12)`; empty when it is not known, or anybody's choice.
    #[serde(default, with = "file::version::many")]
    pub pythons: Vec<(u8, u8)>,
    /// Where ROOT comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Batch systems: `htcondor`, `slurm`, `kubernetes`.
    #[serde(default)]
    pub schedulers: Vec<String>,
    /// How analyses are run there: `dask:LPCCondorCluster`.
    #[serde(default)]
    pub executors: Vec<String>,
    /// Whether workers see the files of the place where jobs are sent from.
    pub shared_fs: bool,
    /// User and group of processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Environment variables that are set, or expected.
    #[serde(default)]
    pub env: Vec<String>,
    /// Attributes of job descriptions that mean something there.
    #[serde(default)]
    pub submit_keys: Vec<String>,
    /// Ports that are open for analyses.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Hosts to log in at or to send jobs to; `*` stands for any part of a name.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Domains of its hosts.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Python modules that work there alone: `lpcjobqueue`.
    #[serde(default)]
    pub modules: Vec<String>,
    /// Commands that exist there and not everywhere.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Queues or job flavours.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Partitions of Slurm.
    #[serde(default)]
    pub partitions: Vec<String>,
    /// Accounts and projects that jobs are charged to.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Doors that its users read through, the usual one first: `host` or `host:port`.
    #[serde(default)]
    pub doors: Vec<String>,
    /// Where these facts are from.
    pub source: Source,
    /// Facts with another source than the rest, by the name of their field.
    #[serde(default, rename = "fact")]
    pub facts: BTreeMap<String, Source>,
    /// Directories that it mounts.
    #[serde(default, rename = "mount")]
    pub mounts: Vec<Mount>,
}

impl Facility {
    /// Where a fact is from, by the name of its field.
    pub fn source_of(&self, field: &str) -> &Source {
        self.facts.get(field).unwrap_or(&self.source)
    }
}

/// Where facts are from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Repository, page or document.
    pub from: String,
    /// The day it was read: `2026-11-22`.
    pub read: String,
    /// The day of the version that was read, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
}

/// A directory that a facility mounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Absolute path; `<user>` and `<i>` (the first letter of the user) stand for any one component.
    pub path: String,
    /// What may be done there.
    pub mode: Mode,
    /// Where it is seen.
    #[serde(rename = "where")]
    pub seen: Seen,
    /// What else is to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The day it went away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<String>,
    /// Source, where it is another than the facility's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// What may be done in a mounted directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Read and written.
    Rw,
    /// Read.
    Ro,
    /// Nothing: the path was valid once.
    None,
    /// Read and written, until the session or the job ends.
    Ephemeral,
}

/// Where a mounted directory is seen.
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
    /// Whether it can be used.
    pub fn is_usable(&self) -> bool {
        self.mode != Mode::None && self.retired.is_none()
    }

    /// Whether jobs see it.
    pub fn is_seen_by_jobs(&self) -> bool {
        matches!(self.seen, Seen::Job | Seen::Both)
    }

    /// Whether a path lies in it, or is a directory on the way to it: `/eos/user` for `/eos/user/<i>/<user>`.
    pub fn holds(&self, path: &str) -> bool {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        for wanted in self.path.split('/').filter(|part| !part.is_empty()) {
            let literal = wanted.split_once('<').map(|(literal, _)| literal);
            match parts.next() {
                Some(part) if literal.is_some_and(|literal| part.starts_with(literal)) => {}
                Some(part) if part == wanted => {}
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
    fn facilities_are_sorted_named_as_their_files_and_have_sources_with_dates() {
        let catalogue = Catalogue::builtin();
        let ids: Vec<_> = catalogue.facilities.iter().map(|facility| facility.id.as_str()).collect();
        assert!(ids.is_sorted() && ids.len() == builtin::FACILITIES.len(), "{ids:?}");
        assert_eq!(ids.len(), 27);
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
    fn every_mount_is_an_absolute_path_without_an_end_slash() {
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
    fn doors_of_facilities_are_known_to_the_table_of_doors() {
        let catalogue = Catalogue::builtin();
        for facility in &catalogue.facilities {
            for host in &facility.doors {
                assert!(catalogue.is_door(host), "{}: {host} is not in the table", facility.id);
            }
        }
    }

    #[test]
    fn a_mount_holds_what_lies_in_it_and_the_way_that_names_it() {
        let mount = Mount {
            path: "/eos/user/<i>/<user>".to_owned(),
            mode: Mode::Rw,
            seen: Seen::Both,
            note: None,
            retired: None,
            source: None,
        };
        assert!(mount.holds("/eos/user/j/jane/file.root"));
        assert!(mount.holds("/eos/user"));
        assert!(mount.holds("//eos/user/"));
        assert!(mount.holds("/eos"), "it is on the way");
        assert!(!mount.holds("/eos/cms/store"));
    }

    #[test]
    fn a_facility_is_found_by_its_id() {
        let catalogue = Catalogue::builtin();
        assert_eq!(catalogue.facility("desy-naf").map(|facility| facility.glibc), Some(Some((2, 34))));
        assert_eq!(catalogue.facility("unl-coffea-casa").expect("it is there").pythons, [(3, 11), (3, 12)]);
        assert!(catalogue.facility("nowhere").is_none());
    }
}
