//! Which cells a check has, without running any.

use std::collections::BTreeSet;

use super::{Options, RunError, analysis, plan, secret, selected};
use crate::config::{Config, Facility};
use crate::error::Error;
use crate::model::matrix::{Matrix, Planned, SCHEMA};
use crate::model::plan::TestCommand;
use crate::model::reference::Reference;
use crate::source::git::tree::Listing;

/// Tops of file systems that a machine shows and no image brings.
const SHOWN: [&str; 7] = ["/cvmfs", "/eos", "/afs", "/pnfs", "/ceph", "/gpfs", "/nfs"];

/// Plans a check: reads the repository and its configuration, and starts nothing.
///
/// # Errors
/// As [`super::check`].
pub fn matrix(options: &Options) -> Result<Matrix, Error> {
    let facilities = selected(options)?;
    let listing = Listing::read(&options.top, options.config.test.git)?;
    let tests = plan::tests(&options.config, &listing);
    if tests.is_empty() {
        return Err(RunError::NoTests { top: options.top.clone() }.into());
    }
    let cells = facilities.iter().map(|facility| planned(facility, &options.config, &tests)).collect();
    Ok(Matrix {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        analysis: analysis(options, &listing, listing.digest()?),
        reference: options.config.reference.clone(),
        tests: tests.into_iter().map(|test| test.run).collect(),
        cells,
    })
}

fn planned(facility: &Facility, config: &Config, tests: &[TestCommand]) -> Planned {
    let id = facility.cell();
    let pull = match &facility.image {
        Reference::Registry(name) | Reference::DockerDaemon(name) => Some(name.clone()),
        _ => None,
    };
    let mut contract = facility.contract.clone();
    secret::redact(&mut contract.env);
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

/// File systems of a machine that a facility shows inside, or that its image or a command names.
fn needs(facility: &Facility, config: &Config, tests: &[TestCommand]) -> Vec<String> {
    let mounts = facility.contract.mounts.iter().map(|mount| mount.source.as_str());
    let commands = facility.contract.prelude.iter().chain(&config.test.setup).map(String::as_str);
    let tests = tests.iter().map(|test| test.run.as_str());
    let texts: Vec<&str> = mounts.chain(commands).chain(tests).chain([facility.written.as_str()]).collect();
    let named = |top: &&&str| texts.iter().any(|text| names(text, top));
    let found: BTreeSet<&str> = SHOWN.iter().filter(named).copied().collect();
    found.into_iter().map(str::to_owned).collect()
}

/// Whether a text names a path at or below `top`: `/cvmfs/x` and `dir:/cvmfs`, not `/my/cvmfs` or `/cvmfs-old`.
fn names(text: &str, top: &str) -> bool {
    text.match_indices(top).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + top.len()..].chars().next();
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        !before.is_some_and(|c| inside(c) || c == '/') && !after.is_some_and(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_file_system_is_named_by_its_top_alone() {
        for (text, expected) in [
            ("source /cvmfs/sft.cern.ch/lcg/views/LCG_106/setup.sh", true),
            ("dir:/cvmfs/unpacked.cern.ch/x", true),
            ("ls /cvmfs", true),
            ("X=/cvmfs; ls", true),
            ("/data/cvmfs/x", false),
            ("/cvmfs-old/x", false),
            ("root://eos//cvmfs", false),
        ] {
            assert_eq!(names(text, "/cvmfs"), expected, "{text}");
        }
    }
}
