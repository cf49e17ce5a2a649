//! Plans the cells of a check without running them.

use std::collections::BTreeSet;

use super::error::CheckError;
use super::options::Options;
use super::{analysis, plan, redact};
use crate::config::{Config, Facility};
use crate::error::Error;
use crate::model::matrix::{Matrix, Planned, SCHEMA};
use crate::model::plan::TestCommand;
use crate::model::redact::Redact as _;
use crate::model::reference::Reference;
use crate::source::git::tree::Listing;

/// Mount points of file systems that a machine provides and images do not contain.
const MACHINE_MOUNTS: [&str; 7] = ["/cvmfs", "/eos", "/afs", "/pnfs", "/ceph", "/gpfs", "/nfs"];

/// Plans a check from the repository and its configuration.
///
/// # Errors
/// As [`super::check()`].
pub fn matrix(options: &Options) -> Result<Matrix, Error> {
    let facilities = options.selected_facilities()?;
    let listing = Listing::read(&options.top, options.config.test.git)?;
    let tests = plan::tests(&options.config, &listing);
    if tests.is_empty() {
        return Err(CheckError::NoTests { top: options.top.clone() }.into());
    }
    let cells = facilities.iter().map(|facility| planned(facility, &options.config, &tests)).collect();
    let mut matrix = Matrix {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        analysis: analysis::describe(options, &listing, listing.digest()?),
        reference: options.config.reference.clone(),
        tests: tests.into_iter().map(|test| test.run).collect(),
        cells,
    };
    matrix.redact(&redact::redactor(&facilities));
    Ok(matrix)
}

fn planned(facility: &Facility, config: &Config, tests: &[TestCommand]) -> Planned {
    let id = facility.cell();
    let pull = match &facility.image {
        Reference::Registry(name) | Reference::DockerDaemon(name) => Some(name.clone()),
        _ => None,
    };
    let mut contract = facility.contract.clone();
    redact::redact_env(&mut contract.env);
    Planned {
        slug: Planned::slug(&id),
        id,
        facility: facility.id.clone(),
        role: facility.role.clone(),
        engine: facility.engine.clone(),
        image: (facility.image != Reference::Host).then(|| facility.written.clone()),
        pull,
        contract,
        needs: needs(facility, config, tests),
    }
}

/// Returns the machine mounts that the facility mounts, or that its image or a command refers to.
fn needs(facility: &Facility, config: &Config, tests: &[TestCommand]) -> Vec<String> {
    let mounts = facility.contract.mounts.iter().map(|mount| mount.source.as_str());
    let commands = facility.contract.prelude.iter().chain(&config.test.setup).map(String::as_str);
    let tests = tests.iter().map(|test| test.run.as_str());
    let texts: Vec<&str> = mounts.chain(commands).chain(tests).chain([facility.written.as_str()]).collect();
    let is_used = |top: &&&str| texts.iter().any(|text| contains_path(text, top));
    let found: BTreeSet<&str> = MACHINE_MOUNTS.iter().filter(is_used).copied().collect();
    found.into_iter().map(str::to_owned).collect()
}

/// Reports whether a text contains a path at or below `top`: `/cvmfs/x` and `dir:/cvmfs`, but not `/my/cvmfs` or
/// `/cvmfs-old`.
fn contains_path(text: &str, top: &str) -> bool {
    text.match_indices(top).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + top.len()..].chars().next();
        let is_path_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        !before.is_some_and(|c| is_path_char(c) || c == '/') && !after.is_some_and(is_path_char)
    })
}

#[cfg(test)]
mod tests {
    use super::contains_path;

    #[test]
    fn mount_is_found_only_at_the_start_of_a_path() {
        for (text, expected) in [
            ("source /cvmfs/sft.cern.ch/lcg/views/LCG_106/setup.sh", true),
            ("dir:/cvmfs/unpacked.cern.ch/x", true),
            ("ls /cvmfs", true),
            ("X=/cvmfs; ls", true),
            ("/data/cvmfs/x", false),
            ("/cvmfs-old/x", false),
            ("root://eos//cvmfs", false),
        ] {
            assert_eq!(contains_path(text, "/cvmfs"), expected, "{text}");
        }
    }
}
