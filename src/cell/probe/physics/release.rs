//! Software releases activated by a setup script, detected from its environment variables.

use std::collections::BTreeSet;

use super::super::ProbeContext;
use super::super::variable::list;
use crate::model::system::Release;

/// Returns the releases of this environment, sorted.
pub(crate) fn releases(context: &ProbeContext) -> Vec<Release> {
    let mut out = BTreeSet::new();
    out.extend(lcg(context));
    out.extend(cmssw(context));
    out.extend(atlas(context));
    out.extend(key4hep(context));
    out.extend(spack(context));
    out.into_iter().collect()
}

fn variable<'a>(context: &'a ProbeContext, name: &str) -> Option<&'a str> {
    context.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Returns LCG views and releases: `/cvmfs/sft.cern.ch/lcg/views/LCG_106/x86_64-el9-gcc13-opt/…`, including nightlies.
fn lcg(context: &ProbeContext) -> Vec<Release> {
    let single = ["ROOTSYS", "LCG_RELEASE_BASE", "VIRTUAL_ENV"]
        .iter()
        .filter_map(|name| variable(context, name))
        .map(str::to_owned);
    let lists = ["PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "CMAKE_PREFIX_PATH"]
        .iter()
        .filter_map(|name| variable(context, name))
        .flat_map(list);
    // A view is what was set up; a release may only appear as a target of links in the view.
    lists.chain(single).find_map(|path| view(&path)).into_iter().collect()
}

fn view(path: &str) -> Option<Release> {
    let at = path.find("/lcg/views/")? + "/lcg/views/".len();
    let parts: Vec<&str> = path[at..].split('/').collect();
    let (version, platform, used) = match parts.as_slice() {
        // Nightlies have the weekday between version and platform.
        [version, day, platform, ..] if !day.contains('-') && platform.contains('-') => (*version, *platform, 3),
        [version, platform, ..] if platform.contains('-') => (*version, *platform, 2),
        _ => return None,
    };
    let end = at + parts.iter().take(used).map(|part| part.len() + 1).sum::<usize>() - 1;
    Some(Release {
        name: "lcg".to_owned(),
        version: version.to_owned(),
        platform: platform.to_owned(),
        path: path[..end].to_owned(),
    })
}

fn cmssw(context: &ProbeContext) -> Option<Release> {
    let version = variable(context, "CMSSW_VERSION")?;
    Some(Release {
        name: "cmssw".to_owned(),
        version: version.to_owned(),
        platform: variable(context, "SCRAM_ARCH").unwrap_or_default().to_owned(),
        path: variable(context, "CMSSW_BASE")
            .or(variable(context, "CMSSW_RELEASE_BASE"))
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Returns the ATLAS release from the variables of `asetup`, otherwise from `/release_setup.sh` of an image.
fn atlas(context: &ProbeContext) -> Option<Release> {
    let release = |version: String, platform: &str, path: &str| Release {
        name: "atlas".to_owned(),
        version,
        platform: platform.to_owned(),
        path: path.to_owned(),
    };
    if let (Some(project), Some(version)) = (variable(context, "AtlasProject"), variable(context, "AtlasVersion")) {
        let platform =
            variable(context, &format!("{project}_PLATFORM")).or(variable(context, "CMTCONFIG")).unwrap_or_default();
        let path = variable(context, &format!("{project}_DIR")).or(variable(context, "AtlasArea")).unwrap_or_default();
        return Some(release(format!("{project} {version}"), platform, path));
    }
    let setup =
        ["/release_setup.sh", "/home/atlas/release_setup.sh"].into_iter().find(|path| context.root.exists(path))?;
    let text = context.root.text(setup).unwrap_or_default();
    // The script sources `/usr/AnalysisBase/25.2.2/InstallArea/x86_64-el9-gcc13-opt/setup.sh`.
    let installed = text.split_whitespace().find_map(|word| {
        let word = word.trim_matches(['"', '\'', ';']);
        let (before, after) = word.split_once("/InstallArea/")?;
        let mut parts = before.rsplit('/');
        let (version, project) = (parts.next()?, parts.next()?);
        let platform = after.split('/').next()?;
        Some(release(format!("{project} {version}"), platform, &format!("{before}/InstallArea/{platform}")))
    });
    installed.or_else(|| in_usr(context))
}

/// Returns the release in `/usr/PROJECT/VERSION/InstallArea/PLATFORM`, if the setup script does not contain it.
fn in_usr(context: &ProbeContext) -> Option<Release> {
    ["AnalysisBase", "AthAnalysis", "AnalysisTop", "Athena", "AthGeneration", "AthSimulation"].iter().find_map(
        |project| {
            let version = context.root.names(format!("/usr/{project}")).into_iter().next_back()?;
            let area = format!("/usr/{project}/{version}/InstallArea");
            let platform = context.root.names(&area).into_iter().next_back()?;
            Some(Release {
                name: "atlas".to_owned(),
                version: format!("{project} {version}"),
                path: format!("{area}/{platform}"),
                platform,
            })
        },
    )
}

fn key4hep(context: &ProbeContext) -> Option<Release> {
    let stack = variable(context, "KEY4HEP_STACK")?;
    // …/releases/2024-03-10/x86_64-almalinux9-gcc11.3.1-opt/key4hep-stack/…/setup.sh
    let parts: Vec<&str> = stack.split('/').collect();
    let at = parts.iter().position(|part| matches!(*part, "releases" | "nightlies"));
    let part = |offset: usize| at.and_then(|at| parts.get(at + offset)).copied().unwrap_or_default().to_owned();
    Some(Release { name: "key4hep".to_owned(), version: part(1), platform: part(2), path: stack.to_owned() })
}

fn spack(context: &ProbeContext) -> Option<Release> {
    let (root, env) = (variable(context, "SPACK_ROOT"), variable(context, "SPACK_ENV"));
    let path = root.or(env)?;
    let version = root.and_then(|root| {
        let text = context.root.text(format!("{root}/lib/spack/spack/__init__.py")).ok()?;
        let line = text.lines().find(|line| line.starts_with("__version__"))?;
        line.split('"').nth(1).map(str::to_owned)
    });
    Some(Release {
        name: "spack".to_owned(),
        version: version.unwrap_or_default(),
        platform: String::new(),
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::super::file_tree::FileTree;
    use super::*;

    fn of(dir: &std::path::Path, env: &[(&str, &str)]) -> Vec<(String, String, String, String)> {
        let env: BTreeMap<String, String> = env.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let context = ProbeContext { root: Arc::new(FileTree::new(dir)), live: false, env, path: Vec::new() };
        releases(&context).into_iter().map(|r| (r.name, r.version, r.platform, r.path)).collect()
    }

    fn strings(parts: [&str; 4]) -> (String, String, String, String) {
        let [a, b, c, d] = parts.map(str::to_owned);
        (a, b, c, d)
    }

    #[test]
    fn lcg_view_is_detected_from_search_paths() {
        let dir = tempfile::tempdir().expect("a directory");
        let view = "/cvmfs/sft.cern.ch/lcg/views/LCG_106/x86_64-el9-gcc13-opt";
        let got = of(dir.path(), &[("PATH", &format!("/usr/bin:{view}/bin"))]);
        assert_eq!(got, [strings(["lcg", "LCG_106", "x86_64-el9-gcc13-opt", view])]);
        let nightly = "/cvmfs/sft-nightlies.cern.ch/lcg/views/dev3/Mon/x86_64-el9-gcc13-opt";
        assert_eq!(
            of(dir.path(), &[("ROOTSYS", nightly)]),
            [strings(["lcg", "dev3", "x86_64-el9-gcc13-opt", nightly])]
        );
    }

    #[test]
    fn cmssw_and_atlas_are_detected_from_variables() {
        let dir = tempfile::tempdir().expect("a directory");
        let got = of(
            dir.path(),
            &[
                ("CMSSW_VERSION", "CMSSW_14_0_1"),
                ("SCRAM_ARCH", "el9_amd64_gcc12"),
                ("AtlasProject", "AnalysisBase"),
                ("AtlasVersion", "25.2.2"),
            ],
        );
        assert_eq!(
            got,
            [
                strings(["atlas", "AnalysisBase 25.2.2", "", ""]),
                strings(["cmssw", "CMSSW_14_0_1", "el9_amd64_gcc12", ""])
            ]
        );
    }

    #[test]
    fn atlas_image_is_detected_from_its_setup_script() {
        let dir = tempfile::tempdir().expect("a directory");
        let area = "/usr/AnalysisBase/25.2.2/InstallArea/x86_64-el9-gcc13-opt";
        std::fs::write(dir.path().join("release_setup.sh"), format!("export A=1\nsource {area}/setup.sh\n"))
            .expect("a file");
        assert_eq!(of(dir.path(), &[]), [strings(["atlas", "AnalysisBase 25.2.2", "x86_64-el9-gcc13-opt", area])]);
    }
}
