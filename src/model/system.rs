//! Operating system, libraries, tools, and physics software that is not installed as a package.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::Known;

/// System properties, read from files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct System {
    /// Content of `os-release`.
    pub os: Known<OsRelease>,
    /// Machine architecture as printed by `uname -m`: `x86_64`, `aarch64`.
    pub arch: String,
    /// The C library.
    pub libc: Known<Libc>,
    /// Highest `GLIBCXX_` version of libstdc++: `3.4.30`; empty if there is no libstdc++.
    pub glibcxx: Known<String>,
    /// Highest `CXXABI_` version of libstdc++: `1.3.13`; empty if there is no libstdc++.
    pub cxxabi: Known<String>,
    /// Locale: `LC_ALL`, otherwise `LC_CTYPE`, otherwise `LANG`, otherwise `C`.
    pub locale: String,
    /// Time zone: `TZ`, otherwise the target of `/etc/localtime`, otherwise `UTC`.
    pub timezone: Known<String>,
    /// Compilers and build tools on `PATH`, sorted by name.
    pub tools: Vec<Tool>,
    /// Every ROOT installation, the one that `root` or `import ROOT` uses first.
    pub roots: Vec<RootInstallation>,
    /// Releases activated by a setup script: LCG view, CMSSW, ATLAS; sorted by name.
    pub releases: Vec<Release>,
}

/// Content of `os-release`.
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
    /// `glibc`, `musl`, or `none` if there is no dynamic loader.
    pub name: String,
    /// Version: `2.36`; empty for `none`.
    pub version: String,
}

/// A compiler or build tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Command: `gcc`, `g++`, `gfortran`, `clang`, `cmake`, `make`, `ninja`, `git`, `bash`, `nvcc`.
    pub name: String,
    /// Path after following symbolic links.
    pub path: String,
    /// Version from its files or its package.
    pub version: Known<String>,
}

/// One ROOT installation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RootInstallation {
    /// Version: `6.40.00`.
    pub version: Known<String>,
    /// Origin: `wheel`, `conda`, `rpm`, `dpkg`, `lcg`, `cmssw`, `atlas` or `source`.
    pub origin: String,
    /// Installation directory.
    pub prefix: String,
    /// C++ standard it was built with: `17`.
    pub cxx_standard: Known<String>,
    /// Python version it was built for: `3.11`.
    pub python: Known<String>,
    /// Whether C++ can be compiled at run time. Without a compiler and C library headers, the wheel can be imported,
    /// but every macro fails.
    pub jit: Known<bool>,
}

/// A software release activated by a setup script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// `lcg`, `cmssw`, `atlas`, `key4hep`, `spack`.
    pub name: String,
    /// Version: `LCG_106`, `CMSSW_14_0_1`, `AnalysisBase 25.2.2`.
    pub version: String,
    /// Platform string: `x86_64-el9-gcc13-opt`, `el9_amd64_gcc12`; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub platform: String,
    /// Path; empty if only environment variables identify the release.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}
