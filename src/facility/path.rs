//! Absolute paths: their site, the facilities where they exist, and their replacement.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Facility, Source};

/// Facts about an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathFacts<'a> {
    /// The known prefix: `/eos/user`.
    pub prefix: &'a str,
    /// Kind of path.
    pub kind: PathKind,
    /// Display name of the site; empty if it does not belong to a site.
    pub site: &'a str,
    /// Facilities where it exists in jobs.
    pub works: Vec<&'a str>,
    /// Facilities where it exists in sessions but not in jobs.
    pub sessions: Vec<&'a str>,
    /// Facilities where it does not exist. For a facility in none of the lists, it is unknown.
    pub breaks: Vec<&'a str>,
    /// Replacement of the prefix: another prefix, a URL or a variable.
    pub replacement: Option<&'a str>,
    /// Date when it was removed everywhere.
    pub retired: Option<&'a str>,
    /// Additional information.
    pub note: Option<&'a str>,
    /// The user that owns it, if the path contains a user name.
    pub owner: Option<&'a str>,
    /// Whether it is mounted at fewer facilities than other paths of this kind.
    pub is_narrow: bool,
    /// Whether its content changes daily.
    pub is_nightly: bool,
}

/// Kind of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PathKind {
    /// Storage of one site, with a unique name.
    Site,
    /// A name that several sites use for different storage: `/data`.
    Shared,
    /// Home directories of a machine.
    Home,
    /// Exists in images.
    Image,
    /// Temporary storage of one machine.
    Temporary,
    /// Publicly readable through a door.
    Public,
    /// A logical file name of the grid, not a path in a file system: `/store/…`.
    Name,
    /// A CVMFS repository.
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
    /// Pattern of the owner after the prefix.
    owner: Option<String>,
    replacement: Option<String>,
    retired: Option<String>,
    note: Option<String>,
    /// Facilities that have it, in addition to those with a matching mount.
    #[serde(default)]
    facilities: Vec<String>,
    /// Facilities that do not have it although they have the parent directory.
    #[serde(default)]
    absent: Vec<String>,
    /// Facilities where it is unknown.
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
    /// Indices of facility and mount.
    mounts: HashMap<String, Vec<(usize, usize)>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "required in the table; checked by a test"))]
    source: Source,
}

impl PathTable {
    pub(super) fn new(file: PathTableFile, facilities: &[Facility]) -> Self {
        let mut table = Self { source: file.source, ..Self::default() };
        for group in file.group {
            for mut entry in group.places {
                if entry.site.is_empty() {
                    entry.site.clone_from(&group.site);
                }
                table.entries.entry(first(&entry.prefix).to_owned()).or_default().push(entry);
            }
        }
        for list in table.entries.values_mut() {
            list.sort_by(|a, b| b.prefix.len().cmp(&a.prefix.len()).then_with(|| a.prefix.cmp(&b.prefix)));
        }
        for (index, facility) in facilities.iter().enumerate() {
            for (number, mount) in facility.mounts.iter().enumerate() {
                table.mounts.entry(first(&mount.path).to_owned()).or_default().push((index, number));
            }
        }
        table
    }

    /// Returns the entries whose prefix ends in `*` and matches this first component.
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

/// Returns the first component of a path.
fn first(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    path.split_once('/').map_or(path, |(first, _)| first)
}

/// Returns the path after a prefix. `None` if the path does not have the prefix. A prefix that ends in `-` or `_` also
/// matches a part of a component (`/eos/home-j`); one that ends in `*` matches the rest of the component (`/scratch*`).
fn behind<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    if let Some(stem) = prefix.strip_suffix('*') {
        let rest = path.strip_prefix(stem)?;
        return Some(&rest[rest.find('/').unwrap_or(rest.len())..]);
    }
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with('/') || prefix.ends_with(['-', '_'])).then_some(rest)
}

pub(super) fn find<'a>(table: &'a PathTable, facilities: &'a [Facility], path: &'a str) -> Option<PathFacts<'a>> {
    let path = one_slash(path);
    let list = table.entries.get(first(path)).or_else(|| table.stem(first(path)))?;
    let (entry, rest) = list.iter().find_map(|entry| Some((entry, behind(path, &entry.prefix)?)))?;
    let prefix = if entry.prefix.ends_with('*') { &path[..path.len() - rest.len()] } else { entry.prefix.as_str() };
    // In AFS and dCache, the second component is the domain of the site.
    let cell = matches!(entry.prefix.as_str(), "/afs" | "/pnfs" | "/dpm")
        .then(|| first(rest))
        .filter(|cell| cell.contains('.'));
    let kind = if cell.is_some() { PathKind::Site } else { entry.kind };
    let (mut works, mut sessions) = (Vec::new(), Vec::new());
    if !matches!(kind, PathKind::Home | PathKind::Shared | PathKind::Temporary | PathKind::Name)
        && entry.retired.is_none()
    {
        (works, sessions) = available_at(table, facilities, entry, path);
    }
    let has_mounts = |facility: &&Facility| !facility.mounts.is_empty();
    let candidates = facilities.iter().filter(has_mounts).map(|facility| facility.id.as_str());
    let breaks = match kind {
        PathKind::Home | PathKind::Temporary | PathKind::Name => Vec::new(),
        // The same name refers to different storage elsewhere, so only facilities without it are certain.
        PathKind::Shared => candidates.filter(|id| !mounts(table, facilities, path, id)).collect(),
        _ => candidates
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

/// Returns a path with a single leading slash.
fn one_slash(path: &str) -> &str {
    let rest = path.trim_start_matches('/');
    &path[path.len() - rest.len() - usize::from(path.len() > rest.len())..]
}

/// Returns the facilities where a path exists in jobs, and those where it only exists in sessions.
fn available_at<'a>(
    table: &PathTable,
    facilities: &'a [Facility],
    entry: &'a Entry,
    path: &str,
) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut works, mut sessions) = (Vec::new(), Vec::new());
    for (index, number) in table.mounts.get(first(path)).into_iter().flatten() {
        let (facility, mount) = (&facilities[*index], &facilities[*index].mounts[*number]);
        let is_excluded = entry.absent.contains(&facility.id) || entry.unsure.contains(&facility.id);
        let is_same_storage = entry.kind != PathKind::Site || names(&mount.path, &entry.prefix);
        if !mount.is_usable() || !mount.contains(path) || !is_same_storage || is_excluded || entry.narrow {
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

/// Reports whether a mount is the storage of a site prefix, not only a directory that would contain the path:
/// `/scratch` or `/home/<user>` is not `/scratch/submit` or `/home/submit`. `/eos` is mounted as a whole.
fn names(mount: &str, prefix: &str) -> bool {
    let literal = mount.split("/<").next().unwrap_or(mount);
    let is_deep = literal.matches('/').count() > 1 || prefix.matches('/').count() == 1 || literal == "/eos";
    is_deep && (behind(prefix, literal).is_some() || behind(literal, prefix).is_some())
}

/// Reports whether a facility has a mount that matches a path.
fn mounts(table: &PathTable, facilities: &[Facility], path: &str, id: &str) -> bool {
    let mut list = table.mounts.get(first(path)).into_iter().flatten();
    list.any(|(index, number)| facilities[*index].id == id && facilities[*index].mounts[*number].contains(path))
}

/// Returns the user that owns a path: from the pattern of its prefix, otherwise from the component after `user` or
/// `home`.
fn owner<'a>(entry: &Entry, rest: &'a str) -> Option<&'a str> {
    let mut parts = rest.split('/').filter(|part| !part.is_empty());
    if let Some(pattern) = &entry.owner {
        let mut found = None;
        for component in pattern.split('/') {
            match component {
                "<i>" => {
                    // The letter in `/eos/user/j/jane` is optional.
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
    let keyword = parts.iter().position(|part| matches!(*part, "user" | "users" | "u" | "home" | "rucio-user"))?;
    let index = parts.get(keyword + 1).filter(|part| part.chars().count() == 1).map_or(keyword + 1, |_| keyword + 2);
    parts.get(index).copied().filter(|name| is_name(name) && !name.contains('.'))
}

/// Reports whether a path component can be a user name: not a placeholder, a pattern or a generic word.
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

    fn facts(path: &str) -> PathFacts<'_> {
        Catalogue::builtin().path_facts(path).unwrap_or_else(|| panic!("{path} is unknown"))
    }

    #[test]
    fn scratch_directories_have_an_owner() {
        let found = facts("/scratch_ssd/jane/skims/a.root");
        assert_eq!((found.prefix, found.kind, found.owner), ("/scratch_ssd", PathKind::Shared, Some("jane")));
        let found = facts("/scratchnvme/jane/a.root");
        assert_eq!((found.kind, found.site, found.owner), (PathKind::Site, "Pisa", Some("jane")));
        assert_eq!(facts("/scratch/jane/a.root").owner, Some("jane"));
        assert_eq!(facts("/scratch/shared/a.root").owner, None);
        assert_eq!(facts("/scratch365/jane/a.root").site, "Notre Dame");
        assert_eq!(facts("/export/scratch/users/jane/a.root").owner, Some("jane"));
    }

    #[test]
    fn paths_of_sites_without_a_facility_are_known() {
        let site_and_owner = |path: &'static str| (facts(path).site.to_owned(), facts(path).owner);
        assert_eq!(site_and_owner("/nfs-3/userdata/stop/a.root").0, "UCSD");
        assert_eq!(site_and_owner("/net/cms17/cms17r0/pico/a.root").0, "Santa Barbara");
        assert_eq!(site_and_owner("/pool/ciencias/userstorage/jane/a/"), ("Oviedo".to_owned(), Some("jane")));
        assert_eq!(site_and_owner("/mnt/t3nfs01/data01/shome/jane/x"), ("PSI".to_owned(), Some("jane")));
        assert_eq!(site_and_owner("/cmsuf/data/store/user/jane/x"), ("Florida".to_owned(), Some("jane")));
        assert_eq!(site_and_owner("/opt/exp_soft/cms/t3/t3queue").0, "LLR and other sites of the grid");
        assert_eq!(facts("/net/other/x").kind, PathKind::Shared);
        assert_eq!(Catalogue::builtin().path_facts("/opt/conda/bin"), None);
    }

    #[test]
    fn lpc_settings_belong_to_fermilab() {
        assert_eq!(facts("/etc/condor/config.d/01_cmslpc_interactive").site, "Fermilab");
        assert_eq!(Catalogue::builtin().path_facts("/etc/condor/config.d"), None);
    }

    #[test]
    fn longest_prefix_applies() {
        let found = facts("/home/submit/jane/x.json");
        assert_eq!((found.prefix, found.kind, found.owner), ("/home/submit", PathKind::Site, Some("jane")));
        assert_eq!(found.works, ["mit-submit"]);
        assert!(found.breaks.contains(&"cern-lxplus") && !found.breaks.contains(&"mit-submit"));
        assert!(!found.breaks.contains(&"vispa"), "its mounts are unknown");
    }

    #[test]
    fn sessions_and_jobs_are_distinguished() {
        let found = facts("/eos/user/j/jane/x.root");
        assert_eq!(found.owner, Some("jane"));
        assert!(found.works.contains(&"cern-lxplus"));
        assert!(found.sessions.contains(&"atlas-uchicago"), "{found:?}");
        assert_eq!(found.replacement, Some("root://eosuser.cern.ch//eos/user"));
    }

    #[test]
    fn owner_is_found_with_and_without_the_letter() {
        assert_eq!(facts("/eos/user/jane").owner, Some("jane"));
        assert_eq!(facts("/afs/cern.ch/work/j/jane/public").owner, Some("jane"));
        assert_eq!(facts("/uscms_data/d3/jane/x").owner, Some("jane"));
        assert_eq!(facts("/pnfs/desy.de/cms/tier2/store/user/jane/x").owner, Some("jane"));
        assert_eq!(facts("/depot/cms/users/jane").owner, Some("jane"));
        assert_eq!(facts("/data/dust/user/jane").owner, Some("jane"));
        assert_eq!(facts("/home/{user}/x").owner, None);
        assert_eq!(facts("/home/submit/$USER/x").owner, None);
        assert_eq!(facts("/data/submit/").owner, None);
    }

    #[test]
    fn mount_of_different_storage_with_the_same_root_does_not_match() {
        assert_eq!(facts("/scratch/submit/cms/jane").works, ["mit-submit"]);
        assert_eq!(facts("/eos/purdue/store").works, ["purdue-af"]);
        assert_eq!((facts("/eos/uscms/store").works.len(), facts("/eos/uscms/store").sessions), (0, vec!["fnal-lpc"]));
        assert!(
            facts("/eos/cms/store").works.contains(&"cern-swan") || facts("/eos/cms").sessions.contains(&"cern-swan")
        );
    }

    #[test]
    fn retired_path_works_nowhere() {
        let found = facts("/nfs/dust/cms/user/jane/x");
        assert_eq!((found.retired, found.works.len()), (Some("2025-01-20"), 0));
        assert_eq!(found.replacement, Some("/data/dust"));
        assert_eq!(found.owner, Some("jane"));
    }

    #[test]
    fn prefix_ends_at_a_component() {
        assert_eq!(facts("/data/dustbin").prefix, "/data");
        assert_eq!(facts("/eos/home-j/jane").prefix, "/eos/home-");
        assert_eq!(facts("//eos/cms/store").prefix, "/eos/cms");
        assert_eq!(Catalogue::builtin().path_facts("/usr/bin/env"), None);
        assert_eq!(Catalogue::builtin().path_facts("relative"), None);
    }

    #[test]
    fn domain_in_a_path_is_its_site() {
        let found = facts("/afs/example.org/user/j/jane");
        assert_eq!((found.kind, found.site), (PathKind::Site, "example.org"));
        assert_eq!(facts("/pnfs/example.org/data").site, "example.org");
        assert_eq!(facts("/afs").kind, PathKind::Shared);
    }

    #[test]
    fn cvmfs_repository_is_not_at_a_facility_that_lists_others() {
        let found = facts("/cvmfs/unpacked.cern.ch/registry.hub.docker.com/a/b:1");
        assert!(found.works.contains(&"fnal-lpc") && found.breaks.contains(&"purdue-af"), "{found:?}");
        assert_eq!(facts("/cvmfs/cms.desy.de/x").works, ["desy-naf"]);
        assert!(facts("/cvmfs/sft-nightlies.cern.ch/lcg").is_nightly);
    }

    #[test]
    fn every_prefix_is_absolute_and_unique_and_has_existing_facilities() {
        let catalogue = Catalogue::builtin();
        assert!(!catalogue.paths.source.from.is_empty());
        let mut prefixes = Vec::new();
        for entry in catalogue.paths.entries.values().flatten() {
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
    fn roots_are_first_components() {
        let roots = Catalogue::builtin().roots();
        assert!(
            roots.is_sorted() && roots.contains(&"eos") && roots.contains(&"uscms_data") && roots.contains(&"Users")
        );
    }
}
