//! Environment variables: values that cannot contain a secret, and names of the rest.

use std::collections::BTreeMap;

use super::redact::redact;
use crate::model::environment::Variables;

/// Variables that are lists separated by colons.
const LISTS: &[&str] = &[
    "CLING_MODULEMAP_FILES",
    "CMAKE_MODULE_PATH",
    "CMAKE_PREFIX_PATH",
    "CMSSW_SEARCH_PATH",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "C_INCLUDE_PATH",
    "CALIBPATH",
    "DATAPATH",
    "FPATH",
    "INFOPATH",
    "JUPYTER_PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LHAPDF_DATA_PATH",
    "LIBRARY_PATH",
    "LOADEDMODULES",
    "MANPATH",
    "MODULEPATH",
    "PATH",
    "PKG_CONFIG_PATH",
    "PYTHONPATH",
    "ROOT_INCLUDE_PATH",
    "ROOT_LIBRARY_PATH",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_DIRS",
];

/// Variables that affect programs and cannot contain a secret; a final `*` matches any suffix.
const VALUES: &[&str] = &[
    "ATLAS_LOCAL_ROOT_BASE",
    "AnalysisBase_PLATFORM",
    "AtlasArea",
    "AtlasBuildBranch",
    "AtlasProject",
    "AtlasVersion",
    "BINARY_TAG",
    "CC",
    "CFLAGS",
    "CI",
    "CMAKE_GENERATOR",
    "CMSSW_BASE",
    "CMSSW_GIT_HASH",
    "CMSSW_RELEASE_BASE",
    "CMSSW_VERSION",
    "CMS_PATH",
    "CMTCONFIG",
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "CPPFLAGS",
    "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES",
    "CXX",
    "CXXFLAGS",
    "FC",
    "FFLAGS",
    "JAX_PLATFORMS",
    "KEY4HEP_STACK",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LCG_PLATFORM",
    "LCG_VERSION",
    "LDFLAGS",
    "LHAPATH",
    "MALLOC_ARENA_MAX",
    "MALLOC_TRIM_THRESHOLD_",
    "MKL_NUM_THREADS",
    "MPLBACKEND",
    "MPLCONFIGDIR",
    "NUMBA_CACHE_DIR",
    "NUMBA_DISABLE_JIT",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OPENBLAS_NUM_THREADS",
    "PYTHIA8DATA",
    "PYTHONBREAKPOINT",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONHOME",
    "PYTHONIOENCODING",
    "PYTHONNOUSERSITE",
    "PYTHONOPTIMIZE",
    "PYTHONSAFEPATH",
    "PYTHONUNBUFFERED",
    "PYTHONUSERBASE",
    "PYTHONUTF8",
    "PYTHONWARNINGS",
    "ROOTSYS",
    "RUCIO_HOME",
    "SCRAM_ARCH",
    "SHELL",
    "SITECONFIG_PATH",
    "SITE_NAME",
    "SOURCE_DATE_EPOCH",
    "SPACK_ENV",
    "SPACK_ROOT",
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_ENABLE_ONEDNN_OPTS",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "VIRTUAL_ENV",
    "X509_CERT_DIR",
    "X509_VOMS_DIR",
    "XCACHE_HOST",
    "XLA_FLAGS",
    "XRD_LOGLEVEL",
    "XRD_NETWORKSTACK",
    "XRD_REQUESTTIMEOUT",
    "XRD_RUNFORKHANDLER",
];

/// Variables set by every shell or engine, which do not describe the environment.
const IGNORED: &[&str] = &["_", "HOSTNAME", "OLDPWD", "PWD", "SHLVL", "container"];

/// Divides variables into lists, values and names. `allow` extends the allow list. `excluded` contains the variables
/// of carnet itself.
pub(super) fn variables(env: &BTreeMap<String, String>, allow: &[String], excluded: &[String]) -> Variables {
    let mut out = Variables::default();
    for (name, value) in env {
        if IGNORED.contains(&name.as_str()) || excluded.iter().any(|pattern| matches(pattern, name)) {
            continue;
        }
        if LISTS.contains(&name.as_str()) {
            out.lists.insert(name.clone(), list(value));
        } else if is_allowed(name) || allow.iter().any(|pattern| matches(pattern, name)) {
            out.values.insert(name.clone(), redact(value));
        } else {
            out.names.insert(name.clone());
        }
    }
    out
}

/// Returns the recorded value of a variable: without credentials in URLs if it is on the allow list or a search path.
/// `None` for other variables.
pub fn recorded(name: &str, value: &str) -> Option<String> {
    (LISTS.contains(&name) || is_allowed(name)).then(|| redact(value))
}

fn is_allowed(name: &str) -> bool {
    VALUES.iter().any(|pattern| matches(pattern, name))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// Splits a list into its entries. Empty entries mean the working directory and are kept; the directory of carnet is
/// excluded.
pub(super) fn list(value: &str) -> Vec<String> {
    if value.is_empty() {
        return Vec::new();
    }
    // Credentials are removed before the URL is split at its colons.
    redact(value).split(':').filter(|entry| !is_own(entry)).map(str::to_owned).collect()
}

/// Reports whether a path belongs to the mount of carnet inside the image.
pub(super) fn is_own(path: &str) -> bool {
    path == "/carnet" || path.starts_with("/carnet/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Variables {
        let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        variables(&env, &["MY_*".to_owned()], &["CARNET_RUN".to_owned()])
    }

    #[test]
    fn only_the_name_of_a_secret_is_recorded() {
        let got = of(&[
            ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
            ("LC_ALL", "C"),
            ("BEARER_TOKEN", "s3cr3t"),
            ("CARNET_RUN", "1"),
        ]);
        assert_eq!(got.names.iter().collect::<Vec<_>>(), ["AWS_SECRET_ACCESS_KEY", "BEARER_TOKEN"]);
        assert_eq!(got.values.get("LC_ALL").map(String::as_str), Some("C"));
        assert!(!serde_json::to_string(&got).expect("json").contains("s3cr3t"));
    }

    #[test]
    fn lists_keep_their_order_without_credentials() {
        let got = of(&[
            ("PATH", "/b:/a::/carnet/bin"),
            ("PYTHONPATH", "https://u:s3cr3t@host/x:/y"),
            ("MY_X", "http://u:s3cr3t@h/"),
        ]);
        assert_eq!(got.lists["PATH"], ["/b", "/a", ""]);
        assert_eq!(got.lists["PYTHONPATH"].last().map(String::as_str), Some("/y"));
        assert!(!serde_json::to_string(&got).expect("json").contains("s3cr3t"));
    }
}
