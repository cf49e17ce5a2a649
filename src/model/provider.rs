//! The distributions that provide a Python module.

use std::collections::BTreeSet;

use super::python::{Distribution, Python, normalize};

/// Modules whose distribution has a different name, for distributions that do not record their modules
/// (`.egg-info` without `top_level.txt`, Debian packages). Sorted by module.
///
/// The names are those on the Python Package Index and on conda-forge.
const KNOWN: &[(&str, &[&str])] = &[
    ("Bio", &["biopython"]),
    ("OpenSSL", &["pyopenssl"]),
    ("PIL", &["pillow"]),
    ("ROOT", &["root"]),
    ("XRootD", &["xrootd"]),
    ("attr", &["attrs"]),
    ("bs4", &["beautifulsoup4"]),
    ("cv2", &["opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv"]),
    ("cppyy", &["cppyy", "root"]),
    ("dateutil", &["python-dateutil"]),
    ("faiss", &["faiss-cpu", "faiss-gpu"]),
    ("git", &["gitpython"]),
    ("google.protobuf", &["protobuf"]),
    ("jwt", &["pyjwt"]),
    ("magic", &["python-magic"]),
    ("mpl_toolkits", &["matplotlib"]),
    ("pkg_resources", &["setuptools"]),
    ("pylab", &["matplotlib"]),
    ("serial", &["pyserial"]),
    ("skimage", &["scikit-image"]),
    ("sklearn", &["scikit-learn"]),
    ("skopt", &["scikit-optimize"]),
    ("tensorflow", &["tensorflow", "tensorflow-cpu", "tensorflow-gpu"]),
    ("torch", &["torch", "pytorch"]),
    ("xgboost", &["xgboost", "py-xgboost"]),
    ("yaml", &["pyyaml"]),
    ("zmq", &["pyzmq"]),
];

impl Python {
    /// Returns the distributions that imports use on this Python's path; empty if its packages could not be read.
    pub fn winners(&self) -> impl Iterator<Item = &Distribution> {
        self.distributions.get().into_iter().flatten().filter(|distribution| !distribution.shadowed)
    }

    /// Returns the normalized names of the distributions that provide a module: those that record it, otherwise those
    /// with a matching name.
    pub fn providers(&self, module: &str) -> BTreeSet<&str> {
        let top = module.split('.').next().unwrap_or(module);
        let recorded: BTreeSet<&str> = self
            .winners()
            .filter(|distribution| distribution.modules.iter().any(|m| m == top || m == module))
            .map(|distribution| distribution.normalized.as_str())
            .collect();
        if !recorded.is_empty() {
            return recorded;
        }
        let named = likely_providers(module);
        self.winners()
            .map(|distribution| distribution.normalized.as_str())
            .filter(|name| named.iter().any(|likely| likely == name))
            .collect()
    }
}

/// Returns the normalized names of the distributions that usually provide a module, whether installed or not.
pub fn likely_providers(module: &str) -> Vec<String> {
    let top = module.split('.').next().unwrap_or(module);
    let known = KNOWN.iter().find(|(name, _)| *name == module || *name == top);
    known.map_or_else(|| vec![normalize(top)], |(_, names)| names.iter().map(|&name| name.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::likely_providers;

    #[test]
    fn provider_has_a_known_name_or_the_name_of_the_module() {
        assert_eq!(likely_providers("sklearn.tree"), ["scikit-learn"]);
        assert_eq!(likely_providers("google.protobuf"), ["protobuf"]);
        assert_eq!(likely_providers("dask_jobqueue"), ["dask-jobqueue"]);
    }
}
