//! LCG views and other software stacks below `/cvmfs`: the matching image and the setup line.
//!
//! The inputs of `aidasoft/run-lcg-view`: github.com/AIDASoft/run-lcg-view, `setup-lcg-view.sh` and
//! `run-linux.sh`, read 2026-11-23.

use super::expressions::Unresolved;

/// Inputs of the action that select a view.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs {
    pub(super) release: String,
    pub(super) platform: String,
    pub(super) release_platform: String,
    pub(super) container: String,
    pub(super) view_path: String,
    pub(super) setup_script: String,
    /// Whether the image comes from `/cvmfs/unpacked.cern.ch`, which older versions of the action supported.
    pub(super) is_unpacked: bool,
}

/// A view: its image with the transport, its name and its setup line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) image: String,
    pub(super) name: String,
    pub(super) setup: String,
}

/// Why inputs select no view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ViewError {
    /// An input is known only at run time.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// A path without a platform.
    #[error("`{0}` has no platform, and `container` is not set")]
    NoPlatform(String),
    /// The release or the platform is missing.
    #[error("the release or the platform is not set")]
    NoRelease,
    /// The platform is not Linux.
    #[error("`{0}` is not a Linux platform")]
    NotLinux(String),
}

/// Returns the view that inputs select.
pub(super) fn selected(inputs: &Inputs) -> Result<View, ViewError> {
    let script = if inputs.setup_script.is_empty() { "setup.sh" } else { &inputs.setup_script };
    if !inputs.view_path.is_empty() {
        let path = inputs.view_path.trim_end_matches('/');
        let is_set = !matches!(inputs.container.as_str(), "" | "auto");
        let system = if is_set { inputs.container.as_str() } else { system(path) };
        if system.is_empty() {
            return Err(ViewError::NoPlatform(path.to_owned()));
        }
        return Ok(view(system, inputs.is_unpacked, name_of(path), format!("{path}/{script}")));
    }
    let (release, platform) = match inputs.release_platform.split_once('/') {
        Some(both) => both,
        None => (inputs.release.as_str(), inputs.platform.as_str()),
    };
    if release.is_empty() || platform.is_empty() {
        return Err(ViewError::NoRelease);
    }
    let system = platform.split('-').nth(1).unwrap_or("");
    if system.is_empty() || system.starts_with("mac") {
        return Err(ViewError::NotLinux(platform.to_owned()));
    }
    let path = match release.contains("dev") {
        true => format!("/cvmfs/sft-nightlies.cern.ch/lcg/views/{release}/latest/{platform}"),
        false => format!("/cvmfs/sft.cern.ch/lcg/views/{release}/{platform}"),
    };
    Ok(view(system, inputs.is_unpacked, format!("{release}-{platform}"), format!("{path}/{script}")))
}

/// Returns the view that a line sources. `None` if the path does not contain the platform.
pub(super) fn sourced(line: &str) -> Option<View> {
    let path = line.split_whitespace().find(|word| word.starts_with("/cvmfs/") && word.contains("/lcg/views/"))?;
    let path = path.trim_matches(['"', '\'', ';']);
    let system = system(path);
    (!system.is_empty() && !system.starts_with("mac") && !path.contains('$'))
        .then(|| view(system, false, name_of(path.rsplit_once('/').map_or(path, |(dir, _)| dir)), path.to_owned()))
}

fn view(system: &str, is_unpacked: bool, name: String, script: String) -> View {
    let image = match is_unpacked {
        true => format!("dir:/cvmfs/unpacked.cern.ch/ghcr.io/aidasoft/{system}:latest"),
        false => format!("docker://ghcr.io/aidasoft/{system}:latest"),
    };
    View { image, name, setup: format!("source {script}") }
}

/// Returns `el9` of `…/x86_64-el9-gcc13-opt/…`.
fn system(path: &str) -> &str {
    let part = path.split('/').find(|part| part.starts_with("x86_64-") || part.starts_with("aarch64-"));
    part.and_then(|part| part.split('-').nth(1)).unwrap_or("")
}

/// Returns a short name: the part after `views`, else the last two parts.
fn name_of(path: &str) -> String {
    let short = path.split_once("/views/").map(|(_, rest)| rest.replace('/', "-"));
    short.unwrap_or_else(|| {
        let mut parts: Vec<&str> = path.rsplit('/').filter(|part| !part.is_empty()).take(2).collect();
        parts.reverse();
        parts.join("-")
    })
}

#[cfg(test)]
mod tests {
    use super::{Inputs, View, selected, sourced};

    fn view(image: &str, name: &str, setup: &str) -> View {
        View { image: image.to_owned(), name: name.to_owned(), setup: setup.to_owned() }
    }

    #[test]
    fn release_with_platform_selects_view() {
        let inputs = Inputs { release_platform: "LCG_106/x86_64-el9-gcc13-opt".to_owned(), ..Inputs::default() };
        let expected = view(
            "docker://ghcr.io/aidasoft/el9:latest",
            "LCG_106-x86_64-el9-gcc13-opt",
            "source /cvmfs/sft.cern.ch/lcg/views/LCG_106/x86_64-el9-gcc13-opt/setup.sh",
        );
        assert_eq!(selected(&inputs), Ok(expected.clone()));
        let inputs =
            Inputs { release: "LCG_106".to_owned(), platform: "x86_64-el9-gcc13-opt".to_owned(), ..Inputs::default() };
        assert_eq!(selected(&inputs), Ok(expected));
    }

    #[test]
    fn nightlies_and_custom_paths_select_views() {
        let inputs = Inputs { release_platform: "dev4/x86_64-el9-clang19-opt".to_owned(), ..Inputs::default() };
        let setup = "source /cvmfs/sft-nightlies.cern.ch/lcg/views/dev4/latest/x86_64-el9-clang19-opt/setup.sh";
        assert_eq!(selected(&inputs).map(|view| view.setup), Ok(setup.to_owned()));
        let inputs = Inputs {
            view_path: "/cvmfs/sw.hsf.org/key4hep/".to_owned(),
            container: "el9".to_owned(),
            is_unpacked: true,
            ..Inputs::default()
        };
        let expected = view(
            "dir:/cvmfs/unpacked.cern.ch/ghcr.io/aidasoft/el9:latest",
            "sw.hsf.org-key4hep",
            "source /cvmfs/sw.hsf.org/key4hep/setup.sh",
        );
        assert_eq!(selected(&inputs), Ok(expected));
    }

    #[test]
    fn inputs_without_linux_view_are_rejected() {
        for inputs in [
            Inputs::default(),
            Inputs { release_platform: "LCG_99/x86_64-mac1015-clang120-opt".to_owned(), ..Inputs::default() },
            Inputs { view_path: "/cvmfs/x/y".to_owned(), ..Inputs::default() },
            Inputs { release_platform: "LCG_99/".to_owned(), ..Inputs::default() },
        ] {
            assert!(selected(&inputs).is_err(), "{inputs:?}");
        }
    }

    #[test]
    fn sourced_view_has_image() {
        let line = "source /cvmfs/sft.cern.ch/lcg/views/LCG_106/x86_64-el9-gcc13-opt/setup.sh";
        let found = sourced(line).expect("a view");
        assert_eq!((found.image.as_str(), found.setup.as_str()), ("docker://ghcr.io/aidasoft/el9:latest", line));
        assert_eq!(sourced("source /cvmfs/cms.cern.ch/cmsset_default.sh"), None);
    }
}
