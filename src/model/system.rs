//! Operating system, libraries, tools, and physics software that isn't a package.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::Known;

/// What the image's files say of the system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct System {
    /// `os-release`.
    pub os: Known<OsRelease>,
    /// Machine architecture as `uname -m` writes it: `x86_64`, `aarch64`.
    pub arch: String,
    /// The C library.
    pub libc: Known<Libc>,
    /// Highest `GLIBCXX_` version that libstdc++ offers: `3.4.30`; empty when there is no libstdc++.
    pub glibcxx: Known<String>,
    /// Highest `CXXABI_` version that libstdc++ offers: `1.3.13`; empty when there is no libstdc++.
    pub cxxabi: Known<String>,
    /// The locale programs get: `LC_ALL`, else `LC_CTYPE`, else `LANG`, else `C`.
    pub locale: String,
    /// Time zone: `TZ`, else where `/etc/localtime` leads, else `UTC`.
    pub timezone: Known<String>,
    /// Compilers and build tools found on `PATH` by name, sorted by name.
    pub tools: Vec<Tool>,
    /// Every ROOT found, the one that `root` or `import ROOT` takes first.
    pub roots: Vec<RootInstallation>,
    /// Releases that a setup script brought in: LCG view, CMSSW, ATLAS; sorted by name.
    pub releases: Vec<Release>,
}

/// What `os-release` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OsRelease {
    /// `ID`: `debian`, `almalinux`.
    pub id: String,
    /// `VERSION_ID`; empty on rolling distributions.
    pub version: String,
    /// `PRETTY_NAME`.
    pub name: String,
}

/// The C library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Libc {
    /// `glibc`, `musl`, or `none` when the image has no dynamic loader.
    pub name: String,
    /// Version, as `2.36`; empty for `none`.
    pub version: String,
}

/// A compiler or build tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Command: `gcc`, `g++`, `gfortran`, `clang`, `cmake`, `make`, `ninja`, `git`, `bash`, `nvcc`.
    pub name: String,
    /// Path after following links.
    pub path: String,
    /// Version, as its files or its package say it.
    pub version: Known<String>,
}

/// One ROOT installation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RootInstallation {
    /// Version, as `6.40.00`.
    pub version: Known<String>,
    /// How it came here: `wheel`, `conda`, `rpm`, `dpkg`, `lcg`, `cmssw`, `atlas`, `source`.
    pub origin: String,
    /// Directory that holds it.
    pub prefix: String,
    /// C++ standard it was built with, as `17`.
    pub cxx_standard: Known<String>,
    /// The Python it was built for, as `3.11`.
    pub python: Known<String>,
    /// Whether C++ can be compiled at run time: the wheel imports without a compiler and C library headers, then every
    /// macro fails.
    pub jit: Known<bool>,
}

/// A software release brought in by a setup script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// `lcg`, `cmssw`, `atlas`, `key4hep`, `spack`.
    pub name: String,
    /// Version: `LCG_106`, `CMSSW_14_0_1`, `AnalysisBase 25.2.2`.
    pub version: String,
    /// Platform string: `x86_64-el9-gcc13-opt`, `el9_amd64_gcc12`; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// Where it lies; empty when only variables tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}
