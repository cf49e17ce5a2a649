//! Which distribution an import statement takes a module from.

use std::collections::BTreeSet;

use super::python::{Distribution, Python, normalize};

/// Modules whose distribution has another name, for distributions that don't record what they install
/// (`.egg-info` without `top_level.txt`, Debian's packages). Sorted by module.
///
/// The names are those under which the projects publish on the Python Package Index and on conda-forge.
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
    /// Distributions that win an import on this Python's path; none when its packages couldn't be read.
    pub fn winners(&self) -> impl Iterator<Item = &Distribution> {
        self.distributions.get().into_iter().flatten().filter(|distribution| !distribution.shadowed)
    }

    /// Normalised names of the distributions that provide a module: those that record it, else those of its name.
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

/// Normalised names of the distributions that usually provide a module, whether installed or not.
pub fn likely_providers(module: &str) -> Vec<String> {
    let top = module.split('.').next().unwrap_or(module);
    let known = KNOWN.iter().find(|(name, _)| *name == module || *name == top);
    known.map_or_else(|| vec![normalize(top)], |(_, names)| names.iter().map(|&name| name.to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::likely_providers;

    #[test]
    fn a_module_is_found_under_another_name_or_its_own() {
        assert_eq!(likely_providers("sklearn.tree"), ["scikit-learn"]);
        assert_eq!(likely_providers("google.protobuf"), ["protobuf"]);
        assert_eq!(likely_providers("dask_jobqueue"), ["dask-jobqueue"]);
    }
}
