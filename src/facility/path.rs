//! Absolute paths: whose they are, where they resolve, what replaces them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Facility, Source};

/// What is known of an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFacts<'a> {
    /// The prefix that was recognised: `/eos/user`.
    pub prefix: &'a str,
    /// What kind of place it is.
    pub kind: PathKind,
    /// The site, for people; empty when it is no site's.
    pub site: &'a str,
    /// Facilities where jobs resolve it.
    pub works: Vec<&'a str>,
    /// Facilities where sessions resolve it and jobs don't.
    pub sessions: Vec<&'a str>,
    /// Facilities where it doesn't resolve. One that stands in no list is not known.
    pub breaks: Vec<&'a str>,
    /// What to write instead of the prefix: another prefix, a URL, a variable.
    pub replacement: Option<&'a str>,
    /// The day it went away everywhere.
    pub retired: Option<&'a str>,
    /// What else is to know.
    pub note: Option<&'a str>,
    /// The user that it belongs to, when the path names one.
    pub owner: Option<&'a str>,
    /// Whether it is mounted at few places although most of its kind are mounted widely.
    pub is_narrow: bool,
    /// Whether what lies there changes daily.
    pub is_nightly: bool,
}

/// What kind of place a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PathKind {
    /// Storage of one site, named so that it can be no other's.
    Site,
    /// A name that several sites use for different things: `/data`.
    Shared,
    /// Homes of a machine.
    Home,
    /// Exists in images.
    Image,
    /// Belongs to one machine for a while.
    Temporary,
    /// Can be read by anybody through a door.
    Public,
    /// A logical name of the grid, `/store/…`: no path of a file system.
    Name,
    /// A repository of CVMFS.
    Software,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PathTableFile {
    source: Source,
    #[serde(default)]
    group: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    site: String,
    places: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    prefix: String,
    kind: PathKind,
    #[serde(default)]
    site: String,
    /// Where the owner's name stands behind the prefix.
    owner: Option<String>,
    replacement: Option<String>,
    retired: Option<String>,
    note: Option<String>,
    /// Facilities that have it beside those whose mounts say so.
    #[serde(default)]
    facilities: Vec<String>,
    /// Facilities that don't have it although they have what lies above.
    #[serde(default)]
    absent: Vec<String>,
    /// Facilities where it is not known.
    #[serde(default)]
    unsure: Vec<String>,
    #[serde(default)]
    narrow: bool,
    #[serde(default)]
    nightly: bool,
}

/// All prefixes and mounts, by the first component of their paths.
#[derive(Debug, Default)]
pub(super) struct PathTable {
    /// Longest prefix first.
    entries: BTreeMap<String, Vec<Entry>>,
    /// Facility and mount, by their places in the lists.
    mounts: HashMap<String, Vec<(usize, usize)>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the table has to have one; a test looks"))]
    source: Source,
}

impl PathTable {
    pub(super) fn new(file: PathTableFile, facilities: &[Facility]) -> Self {
        let mut places = Self { source: file.source, ..Self::default() };
        for group in file.group {
            for mut entry in group.places {
                if entry.site.is_empty() {
                    entry.site.clone_from(&group.site);
                }
                places.entries.entry(first(&entry.prefix).to_owned()).or_default().push(entry);
            }
        }
        for list in places.entries.values_mut() {
            list.sort_by(|a, b| b.prefix.len().cmp(&a.prefix.len()).then_with(|| a.prefix.cmp(&b.prefix)));
        }
        for (at, facility) in facilities.iter().enumerate() {
            for (number, mount) in facility.mounts.iter().enumerate() {
                places.mounts.entry(first(&mount.path).to_owned()).or_default().push((at, number));
            }
        }
        places
    }

    /// The entries whose prefix takes any first part that begins like this one.
    fn stem(&self, first: &str) -> Option<&Vec<Entry>> {
        let mut stems = self.entries.iter().filter_map(|(key, list)| Some((key.strip_suffix('*')?, list)));
        stems.find(|(stem, _)| first.starts_with(stem)).map(|(_, list)| list)
    }

    pub(super) fn roots(&self) -> Vec<&str> {
        let mut roots: Vec<&str> = self.entries.keys().chain(self.mounts.keys()).map(String::as_str).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }
}

/// The first component of a path.
fn first(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    path.split_once('/').map_or(path, |(first, _)| first)
}

/// What lies behind a prefix; none when the path doesn't lie there. A prefix that ends in `-` or `_` may go on within
/// a component (`/eos/home-j`); one that ends in `*` goes on to the end of it (`/scratch*`).
fn behind<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    if let Some(stem) = prefix.strip_suffix('*') {
        let rest = path.strip_prefix(stem)?;
        return Some(&rest[rest.find('/').unwrap_or(rest.len())..]);
    }
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/') || prefix.ends_with(['-', '_'])).then_some(rest)
}

pub(super) fn find<'a>(places: &'a PathTable, facilities: &'a [Facility], path: &'a str) -> Option<PathFacts<'a>> {
    let path = one_slash(path);
    let list = places.entries.get(first(path)).or_else(|| places.stem(first(path)))?;
    let (entry, rest) = list.iter().find_map(|entry| Some((entry, behind(path, &entry.prefix)?)))?;
    let prefix = if entry.prefix.ends_with('*') { &path[..path.len() - rest.len()] } else { entry.prefix.as_str() };
    // In AFS, dCache and CVMFS the second component names the site.
    let cell = matches!(entry.prefix.as_str(), "/afs" | "/pnfs" | "/dpm")
        .then(|| first(rest))
        .filter(|cell| cell.contains('.'));
    let kind = if cell.is_some() { PathKind::Site } else { entry.kind };
    let (mut works, mut sessions) = (Vec::new(), Vec::new());
    if !matches!(kind, PathKind::Home | PathKind::Shared | PathKind::Temporary | PathKind::Name)
        && entry.retired.is_none()
    {
        (works, sessions) = seen(places, facilities, entry, path);
    }
    let is_known = |facility: &&Facility| !facility.mounts.is_empty();
    let others = facilities.iter().filter(is_known).map(|facility| facility.id.as_str());
    let breaks = match kind {
        PathKind::Home | PathKind::Temporary | PathKind::Name => Vec::new(),
        // The same name stands for other things elsewhere: no facility's listing proves anything.
        PathKind::Shared => others.filter(|id| !mounts(places, facilities, path, id)).collect(),
        _ => others
            .filter(|id| {
                !works.contains(id) && !sessions.contains(id) && !entry.unsure.iter().any(|unsure| unsure == id)
            })
            .collect(),
    };
    Some(PathFacts {
        prefix,
        kind,
        site: cell.unwrap_or(&entry.site),
        works,
        sessions,
        breaks,
        replacement: entry.replacement.as_deref(),
        retired: entry.retired.as_deref(),
        note: entry.note.as_deref(),
        owner: owner(entry, rest),
        is_narrow: entry.narrow,
        is_nightly: entry.nightly,
    })
}

/// A path without the second of two slashes at its start.
fn one_slash(path: &str) -> &str {
    let rest = path.trim_start_matches('/');
    &path[path.len() - rest.len() - usize::from(path.len() > rest.len())..]
}

/// Facilities whose jobs see a path, and those where only sessions do.
fn seen<'a>(
    places: &PathTable,
    facilities: &'a [Facility],
    entry: &'a Entry,
    path: &str,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut works, mut sessions) = (Vec::new(), Vec::new());
    for (at, number) in places.mounts.get(first(path)).into_iter().flatten() {
        let (facility, mount) = (&facilities[*at], &facilities[*at].mounts[*number]);
        let is_excluded = entry.absent.contains(&facility.id) || entry.unsure.contains(&facility.id);
        let is_named = entry.kind != PathKind::Site || names(&mount.path, &entry.prefix);
        if !mount.is_usable() || !mount.holds(path) || !is_named || is_excluded || entry.narrow {
            continue;
        }
        let list = if mount.is_seen_by_jobs() { &mut works } else { &mut sessions };
        list.push(facility.id.as_str());
    }
    works.extend(entry.facilities.iter().map(String::as_str));
    works.sort_unstable();
    works.dedup();
    sessions.sort_unstable();
    sessions.dedup();
    sessions.retain(|id| !works.contains(id));
    (works, sessions)
}

/// Whether a mount is the storage that a prefix of one site names, and not only some directory that would hold the path:
/// `/scratch` or `/home/<user>` is no `/scratch/submit` or `/home/submit`. All of `/eos` is mounted as one.
fn names(mount: &str, prefix: &str) -> bool {
    let literal = mount.split("/<").next().unwrap_or(mount);
    let is_deep = literal.matches('/').count() > 1 || prefix.matches('/').count() == 1 || literal == "/eos";
    is_deep && (behind(prefix, literal).is_some() || behind(literal, prefix).is_some())
}

/// Whether a facility mounts something of this name.
fn mounts(places: &PathTable, facilities: &[Facility], path: &str, id: &str) -> bool {
    let mut list = places.mounts.get(first(path)).into_iter().flatten();
    list.any(|(at, number)| facilities[*at].id == id && facilities[*at].mounts[*number].holds(path))
}

/// The user that a path belongs to: by the pattern of its prefix, else by the words that storage uses before names.
fn owner<'a>(entry: &Entry, rest: &'a str) -> Option<&'a str> {
    let mut parts = rest.split('/').filter(|part| !part.is_empty());
    if let Some(pattern) = &entry.owner {
        let mut found = None;
        for wanted in pattern.split('/') {
            match wanted {
                "<i>" => {
                    // `/eos/user/j/jane`: the letter is left out by some.
                    let mut ahead = parts.clone();
                    if ahead.next().is_some_and(|part| part.chars().count() == 1) {
                        parts = ahead;
                    }
                }
                "<user>" => found = parts.next(),
                "*" => drop(parts.next()),
                word => {
                    if parts.next() != Some(word) {
                        break;
                    }
                }
            }
        }
        if let Some(name) = found {
            return is_name(name).then_some(name);
        }
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    let at = parts.iter().position(|part| matches!(*part, "user" | "users" | "u" | "home" | "rucio-user"))?;
    let behind = parts.get(at + 1).filter(|part| part.chars().count() == 1).map_or(at + 1, |_| at + 2);
    parts.get(behind).copied().filter(|name| is_name(name) && !name.contains('.'))
}

/// Whether a component can be the name of a user: no placeholder, no pattern, no word that stands for any user.
pub fn is_name(part: &str) -> bool {
    let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let lower = part.to_ascii_lowercase();
    let general = matches!(
        lower.as_str(),
        "user"
            | "username"
            | "users"
            | "yourname"
            | "your_name"
            | "your-name"
            | "your_username"
            | "yourusername"
            | "me"
            | "myname"
            | "someone"
            | "somebody"
            | "name"
            | "xxx"
            | "foo"
            | "bar"
            | "example"
            | "test"
            | "path"
            | "shared"
            | "public"
            | "common"
            | "data"
            | "store"
            | "cms"
            | "atlas"
            | "group"
            | "groups"
            | "tmp"
            | "mc"
    );
    plain && !part.is_empty() && !general && !part.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    fn place(path: &str) -> PathFacts<'_> {
        Catalogue::builtin().place(path).unwrap_or_else(|| panic!("{path} is not known"))
    }

    #[test]
    fn a_scratch_by_any_name_is_a_directory_of_its_user() {
        let found = place("/scratch_ssd/jane/skims/a.root");
        assert_eq!((found.prefix, found.kind, found.owner), ("/scratch_ssd", PathKind::Shared, Some("jane")));
        let found = place("/scratchnvme/jane/a.root");
        assert_eq!((found.kind, found.site, found.owner), (PathKind::Site, "Pisa", Some("jane")));
        assert_eq!(place("/scratch/jane/a.root").owner, Some("jane"));
        assert_eq!(place("/scratch/shared/a.root").owner, None);
        assert_eq!(place("/scratch365/jane/a.root").site, "Notre Dame");
        assert_eq!(place("/export/scratch/users/jane/a.root").owner, Some("jane"));
    }

    #[test]
    fn mounts_of_sites_that_no_facility_file_describes_are_known() {
        let known = |path: &'static str| (place(path).site.to_owned(), place(path).owner);
        assert_eq!(known("/nfs-3/userdata/stop/a.root").0, "UCSD");
        assert_eq!(known("/net/cms17/cms17r0/pico/a.root").0, "Santa Barbara");
        assert_eq!(known("/pool/ciencias/userstorage/jane/a/"), ("Oviedo".to_owned(), Some("jane")));
        assert_eq!(known("/mnt/t3nfs01/data01/shome/jane/x"), ("PSI".to_owned(), Some("jane")));
        assert_eq!(known("/cmsuf/data/store/user/jane/x"), ("Florida".to_owned(), Some("jane")));
        assert_eq!(known("/opt/exp_soft/cms/t3/t3queue").0, "LLR and other sites of the grid");
        assert_eq!(place("/net/other/x").kind, PathKind::Shared);
        assert_eq!(Catalogue::builtin().place("/opt/conda/bin"), None);
    }

    #[test]
    fn settings_of_the_lpc_are_a_path_of_fermilab() {
        assert_eq!(place("/etc/condor/config.d/01_cmslpc_interactive").site, "Fermilab");
        assert_eq!(Catalogue::builtin().place("/etc/condor/config.d"), None);
    }

    #[test]
    fn the_longest_prefix_wins_and_says_where_it_resolves() {
        let found = place("/home/submit/jane/x.json");
        assert_eq!((found.prefix, found.kind, found.owner), ("/home/submit", PathKind::Site, Some("jane")));
        assert_eq!(found.works, ["mit-submit"]);
        assert!(found.breaks.contains(&"cern-lxplus") && !found.breaks.contains(&"mit-submit"));
        assert!(!found.breaks.contains(&"vispa"), "nothing is known of its mounts");
    }

    #[test]
    fn sessions_and_jobs_are_told_apart() {
        let found = place("/eos/user/j/jane/x.root");
        assert_eq!(found.owner, Some("jane"));
        assert!(found.works.contains(&"cern-lxplus"));
        assert!(found.sessions.contains(&"atlas-uchicago"), "{found:?}");
        assert_eq!(found.replacement, Some("root://eosuser.cern.ch//eos/user"));
    }

    #[test]
    fn the_owner_is_found_with_and_without_the_letter() {
        assert_eq!(place("/eos/user/jane").owner, Some("jane"));
        assert_eq!(place("/afs/cern.ch/work/j/jane/public").owner, Some("jane"));
        assert_eq!(place("/uscms_data/d3/jane/x").owner, Some("jane"));
        assert_eq!(place("/pnfs/desy.de/cms/tier2/store/user/jane/x").owner, Some("jane"));
        assert_eq!(place("/depot/cms/users/jane").owner, Some("jane"));
        assert_eq!(place("/data/dust/user/jane").owner, Some("jane"));
        assert_eq!(place("/home/{user}/x").owner, None);
        assert_eq!(place("/home/submit/$USER/x").owner, None);
        assert_eq!(place("/data/submit/").owner, None);
    }

    #[test]
    fn a_mount_of_another_storage_with_the_same_root_is_no_place_for_it() {
        assert_eq!(place("/scratch/submit/cms/jane").works, ["mit-submit"]);
        assert_eq!(place("/eos/purdue/store").works, ["purdue-af"]);
        assert_eq!((place("/eos/uscms/store").works.len(), place("/eos/uscms/store").sessions), (0, vec!["fnal-lpc"]));
        assert!(
            place("/eos/cms/store").works.contains(&"cern-swan") || place("/eos/cms").sessions.contains(&"cern-swan")
        );
    }

    #[test]
    fn a_path_that_went_away_works_nowhere() {
        let found = place("/nfs/dust/cms/user/jane/x");
        assert_eq!((found.retired, found.works.len()), (Some("2025-01-20"), 0));
        assert_eq!(found.replacement, Some("/data/dust"));
        assert_eq!(found.owner, Some("jane"));
    }

    #[test]
    fn a_prefix_ends_at_a_component() {
        assert_eq!(place("/data/dustbin").prefix, "/data");
        assert_eq!(place("/eos/home-j/jane").prefix, "/eos/home-");
        assert_eq!(place("//eos/cms/store").prefix, "/eos/cms");
        assert_eq!(Catalogue::builtin().place("/usr/bin/env"), None);
        assert_eq!(Catalogue::builtin().place("relative"), None);
    }

    #[test]
    fn a_cell_or_a_domain_names_its_site() {
        let found = place("/afs/example.org/user/j/jane");
        assert_eq!((found.kind, found.site), (PathKind::Site, "example.org"));
        assert_eq!(place("/pnfs/example.org/data").site, "example.org");
        assert_eq!(place("/afs").kind, PathKind::Shared);
    }

    #[test]
    fn a_cvmfs_repository_is_not_at_a_facility_that_lists_others() {
        let found = place("/cvmfs/unpacked.cern.ch/registry.hub.docker.com/a/b:1");
        assert!(found.works.contains(&"fnal-lpc") && found.breaks.contains(&"purdue-af"), "{found:?}");
        assert_eq!(place("/cvmfs/cms.desy.de/x").works, ["desy-naf"]);
        assert!(place("/cvmfs/sft-nightlies.cern.ch/lcg").is_nightly);
    }

    #[test]
    fn every_prefix_is_absolute_unique_and_names_facilities_that_exist() {
        let catalogue = Catalogue::builtin();
        assert!(!catalogue.places.source.from.is_empty());
        let mut prefixes = Vec::new();
        for entry in catalogue.places.entries.values().flatten() {
            assert!(entry.prefix.starts_with('/') && !entry.prefix.ends_with('/'), "{}", entry.prefix);
            let named = entry.facilities.iter().chain(&entry.absent).chain(&entry.unsure);
            for id in named {
                assert!(catalogue.facility(id).is_some(), "{}: {id}", entry.prefix);
            }
            prefixes.push(entry.prefix.clone());
        }
        let count = prefixes.len();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), count);
    }

    #[test]
    fn roots_are_the_first_components() {
        let roots = Catalogue::builtin().roots();
        assert!(
            roots.is_sorted() && roots.contains(&"eos") && roots.contains(&"uscms_data") && roots.contains(&"Users")
        );
    }
}
