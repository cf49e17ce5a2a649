//! XRootD doors: hosts that serve files.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Source;

/// Facts about a host that serves files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door<'a> {
    /// Kind of door.
    pub kind: Kind,
    /// The site, or the users it serves.
    pub site: &'a str,
    /// Ids of the facilities it belongs to.
    pub facilities: &'a [String],
    /// Date when it was removed.
    pub retired: Option<&'a str>,
    /// Additional information.
    pub note: Option<&'a str>,
}

/// Kind of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Serves the files of one site.
    Site,
    /// Redirects to any site that has the file.
    Redirector,
    /// Serves public files.
    Public,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoorFile {
    source: Source,
    #[serde(default)]
    group: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    kind: Kind,
    #[serde(default)]
    doors: Vec<Host>,
    #[serde(default)]
    domains: Vec<Host>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    #[serde(alias = "domain")]
    host: String,
    site: String,
    #[serde(default)]
    facilities: Vec<String>,
    retired: Option<String>,
    note: Option<String>,
}

/// All doors and domains.
#[derive(Debug, Default)]
pub(super) struct Doors {
    hosts: HashMap<String, (Kind, Host)>,
    domains: HashMap<String, (Kind, Host)>,
    #[cfg_attr(not(test), expect(dead_code, reason = "required in the table; checked by a test"))]
    source: Source,
}

impl Doors {
    pub(super) fn new(file: DoorFile) -> Self {
        let mut doors = Self { source: file.source, ..Self::default() };
        for group in file.group {
            doors.hosts.extend(group.doors.into_iter().map(|host| (host.host.clone(), (group.kind, host))));
            doors.domains.extend(group.domains.into_iter().map(|host| (host.host.clone(), (group.kind, host))));
        }
        doors
    }

    pub(super) fn find(&self, host: &str) -> Option<Door<'_>> {
        let name = bare(host);
        self.hosts.get(name.as_str()).map(view).or_else(|| self.domain(&name))
    }

    pub(super) fn is_listed(&self, host: &str) -> bool {
        self.hosts.contains_key(bare(host).as_str())
    }

    pub(super) fn domain(&self, host: &str) -> Option<Door<'_>> {
        let name = bare(host);
        let mut rest = name.as_str();
        loop {
            if let Some(found) = self.domains.get(rest) {
                return Some(view(found));
            }
            rest = rest.split_once('.')?.1;
        }
    }
}

/// Returns the name of a host in lowercase, without user, port and trailing dot.
fn bare(host: &str) -> String {
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    host.trim_end_matches(['.', '/']).to_ascii_lowercase()
}

fn view((kind, host): &(Kind, Host)) -> Door<'_> {
    Door {
        kind: *kind,
        site: &host.site,
        facilities: &host.facilities,
        retired: host.retired.as_deref(),
        note: host.note.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    #[test]
    fn redirectors_public_doors_and_sites_are_distinguished() {
        let catalogue = Catalogue::builtin();
        let kind = |host: &str| catalogue.door(host).map(|door| door.kind);
        assert_eq!(kind("cms-xrd-global.cern.ch"), Some(Kind::Redirector));
        assert_eq!(kind("XROOTD-CMS.infn.it:1094"), Some(Kind::Redirector));
        assert_eq!(kind("eospublic.cern.ch"), Some(Kind::Public));
        assert_eq!(kind("cmseos.fnal.gov"), Some(Kind::Site));
        assert_eq!(kind("xcache"), Some(Kind::Site));
    }

    #[test]
    fn unlisted_host_is_identified_by_its_domain() {
        let catalogue = Catalogue::builtin();
        let door = catalogue.door("t3serv017.mit.edu").expect("a node of MIT");
        assert_eq!((door.site, door.facilities), ("MIT", &["mit-submit".to_owned()][..]));
        assert_eq!(catalogue.door("se.cat.cbpf.br"), None);
        assert_eq!(catalogue.door("notmit.edu"), None);
        assert!(!catalogue.is_door("t3serv017.mit.edu"));
    }

    #[test]
    fn every_door_belongs_to_existing_facilities_and_the_table_has_a_source() {
        let catalogue = Catalogue::builtin();
        assert!(!catalogue.doors.source.from.is_empty());
        let hosts = catalogue.doors.hosts.iter().chain(&catalogue.doors.domains);
        let unknown: Vec<_> = hosts
            .filter(|(_, (_, host))| host.facilities.iter().any(|id| catalogue.facility(id).is_none()))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(unknown, Vec::<&String>::new());
    }
}
