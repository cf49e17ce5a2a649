//! The variables of this process that a program on this machine inherits.

use std::collections::BTreeMap;

/// Names of inherited variables: those that the user's software needs. Tokens, agents and credentials are not inherited.
const NAMES: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TERM",
    "DISPLAY",
    "NO_COLOR",
    // Software environments.
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "MANPATH",
    "CPATH",
    "LIBRARY_PATH",
    "PKG_CONFIG_PATH",
    "CMAKE_PREFIX_PATH",
    "CC",
    "CXX",
    "FC",
    "JAVA_HOME",
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "MODULEPATH",
    "LOADEDMODULES",
    "_LMFILES_",
    "MODULESHOME",
    // Software of experiments.
    "ROOTSYS",
    "ROOT_INCLUDE_PATH",
    "JUPYTER_PATH",
    "CLING_STANDARD_PCH",
    "GEANT4_DATA_DIR",
    "X509_CERT_DIR",
    "X509_VOMS_DIR",
    "VO_CMS_SW_DIR",
    "SCRAM_ARCH",
    "CMSSW_BASE",
    "CMSSW_RELEASE_BASE",
    "CMSSW_VERSION",
    "CVMFS",
    "LHAPDF_DATA_PATH",
    "PYTHIA8DATA",
    "BINARY_TAG",
    "LCG_VERSION",
    "LCG_RELEASE_BASE",
];

/// Prefixes of names of inherited variables.
const PREFIXES: &[&str] = &["LC_", "CONDA_", "MAMBA_", "PIXI_", "PYENV_", "ATLAS_LOCAL_", "G4"];

/// Parts of names that are never inherited.
const SECRET: &[&str] = &["TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "API_KEY"];

/// Returns the variables that a program inherits.
pub(super) fn filter(variables: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    variables.into_iter().filter(|(name, _)| is_inherited(name)).collect()
}

fn is_inherited(name: &str) -> bool {
    let is_listed = NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_listed && !SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::is_inherited;

    #[test]
    fn secrets_are_not_inherited() {
        for name in ["PATH", "LC_ALL", "CONDA_PREFIX", "ROOTSYS"] {
            assert!(is_inherited(name), "{name}");
        }
        for name in
            ["AWS_SECRET_ACCESS_KEY", "CONDA_TOKEN", "SSH_AUTH_SOCK", "X509_USER_PROXY", "CI_JOB_TOKEN", "LD_PRELOAD"]
        {
            assert!(!is_inherited(name), "{name}");
        }
    }
}
