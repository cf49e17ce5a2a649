//! Compatibility of wheels with a machine, by the tags in their names (PEP 425, 600, 656), as in `packaging.tags`.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

/// A CPython on a Linux machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machine {
    /// Version of Python, major and minor.
    pub python: (u8, u8),
    /// Version of glibc. `None` if unknown, which counts as new enough.
    pub glibc: Option<(u8, u8)>,
    /// Architecture as in `uname -m`: `x86_64`.
    pub arch: String,
}

/// Whether a locked package can be installed on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A wheel is compatible.
    Wheel,
    /// No wheel is compatible, but there is a source archive to build.
    Build(Reason),
    /// The package can't be installed.
    Nothing(Reason),
}

/// Why no wheel is compatible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The package requires another Python version.
    Python(String),
    /// The wheels for this Python and architecture require at least this glibc.
    Glibc((u8, u8)),
    /// No wheel is for this Python.
    OtherPythons,
    /// No wheel is for Linux on this architecture.
    OtherMachines,
    /// There are no wheels.
    NoWheels,
}

/// Decides whether a package with these files can be installed.
pub fn verdict(files: &[String], requires_python: Option<&str>, machine: &Machine) -> Verdict {
    if let Some(range) = requires_python.filter(|range| allows(range, machine.python) == Some(false)) {
        return Verdict::Nothing(Reason::Python(range.to_owned()));
    }
    let wheels: Vec<Tags<'_>> = files.iter().filter_map(|file| Tags::parse(file)).collect();
    if wheels.iter().any(|wheel| wheel.fits(machine)) {
        return Verdict::Wheel;
    }
    let has_source = files.iter().any(|file| is_source(file));
    let reason = reason(&wheels, machine);
    if has_source { Verdict::Build(reason) } else { Verdict::Nothing(reason) }
}

fn reason(wheels: &[Tags<'_>], machine: &Machine) -> Reason {
    let for_python: Vec<_> = wheels.iter().filter(|wheel| wheel.fits_python(machine.python)).collect();
    let glibc = for_python.iter().filter_map(|wheel| wheel.least_glibc(&machine.arch)).min();
    match glibc {
        _ if wheels.is_empty() => Reason::NoWheels,
        Some(glibc) => Reason::Glibc(glibc),
        None if wheels.iter().any(|wheel| wheel.least_glibc(&machine.arch).is_some()) => Reason::OtherPythons,
        None if for_python.is_empty() && wheels.iter().any(|wheel| wheel.platforms.contains(&"any")) => {
            Reason::OtherPythons
        }
        None => Reason::OtherMachines,
    }
}

/// Reports whether a PEP 440 range allows some patch version of a Python. `None` if the range is invalid.
pub fn allows(range: &str, python: (u8, u8)) -> Option<bool> {
    let range = VersionSpecifiers::from_str(range).ok()?;
    let (major, minor) = (u64::from(python.0), u64::from(python.1));
    // More patch versions than any Python has.
    let patches = (0..=30).map(|patch| Version::new([major, minor, patch]));
    Some(patches.into_iter().any(|version| range.contains(&version)))
}

/// Reports whether a Python package can be installed from a file.
pub fn is_archive(file: &str) -> bool {
    is_source(file) || file.ends_with(".whl")
}

fn is_source(file: &str) -> bool {
    [".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"].iter().any(|end| file.ends_with(end))
}

/// The tags in the name of a wheel. Each part can have several, separated by dots.
struct Tags<'a> {
    pythons: Vec<&'a str>,
    abis: Vec<&'a str>,
    platforms: Vec<&'a str>,
}

impl<'a> Tags<'a> {
    /// Parses `name-version[-build]-python-abi-platform.whl`. `None` for any other file.
    fn parse(file: &'a str) -> Option<Self> {
        let stem = file.strip_suffix(".whl")?;
        let mut parts = stem.rsplitn(4, '-');
        let (platform, abi, python) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next()?;
        let split = |part: &'a str| part.split('.').collect();
        Some(Self { pythons: split(python), abis: split(abi), platforms: split(platform) })
    }

    fn fits(&self, machine: &Machine) -> bool {
        self.platforms.iter().any(|platform| match fits_platform(platform, machine) {
            Some(is_any) => self.fits_abi(machine.python, is_any),
            None => false,
        })
    }

    fn fits_python(&self, python: (u8, u8)) -> bool {
        self.fits_abi(python, false) || self.fits_abi(python, true)
    }

    /// Reports whether a pair of interpreter and ABI is compatible (`cpython_tags` and `compatible_tags` of packaging).
    fn fits_abi(&self, (major, minor): (u8, u8), is_any: bool) -> bool {
        let own = format!("{major}{minor}");
        let own_abi = if (major, minor) < (3, 8) { format!("cp{own}m") } else { format!("cp{own}") };
        self.pythons.iter().any(|python| {
            self.abis.iter().any(|abi| match (python.get(..2), python.get(2..)) {
                (Some("cp"), Some(version)) if version == own => {
                    *abi == "none" || !is_any && (*abi == "abi3" || *abi == own_abi)
                }
                (Some("cp"), Some(version)) => {
                    let older = version.strip_prefix('3').and_then(|minor| minor.parse::<u8>().ok());
                    !is_any && *abi == "abi3" && major == 3 && older.is_some_and(|older| (2..minor).contains(&older))
                }
                (Some("py"), Some(version)) => *abi == "none" && is_older(version, major, minor),
                _ => false,
            })
        })
    }

    /// Returns the oldest glibc that a platform of the wheel requires. `None` if no platform is glibc Linux on this architecture.
    fn least_glibc(&self, arch: &str) -> Option<(u8, u8)> {
        self.platforms.iter().filter_map(|platform| manylinux(platform, arch)).min()
    }
}

/// Reports whether `py3` or `py39` names this Python or an older one with the same major version.
fn is_older(version: &str, major: u8, minor: u8) -> bool {
    let Some(rest) = version.strip_prefix(&*major.to_string()) else { return false };
    rest.is_empty() || rest.parse::<u8>().is_ok_and(|older| older <= minor && rest == older.to_string())
}

/// Reports whether a compatible platform is `any`. `None` if the platform is not compatible.
fn fits_platform(platform: &str, machine: &Machine) -> Option<bool> {
    if platform == "any" {
        return Some(true);
    }
    if platform.strip_prefix("linux_") == Some(&machine.arch) {
        return Some(false);
    }
    let needed = manylinux(platform, &machine.arch)?;
    machine.glibc.is_none_or(|have| needed <= have).then_some(false)
}

/// Returns the glibc version that a platform requires: PEP 513, 571, 599 and 600.
fn manylinux(platform: &str, arch: &str) -> Option<(u8, u8)> {
    let rest = platform.strip_suffix(arch)?.strip_suffix('_')?;
    let is_intel = matches!(arch, "x86_64" | "i686");
    let glibc = match rest {
        "manylinux1" => (2, 5),
        "manylinux2010" => (2, 12),
        "manylinux2014" => (2, 17),
        _ => {
            let (major, minor) = rest.strip_prefix("manylinux_")?.split_once('_')?;
            (major.parse().ok()?, minor.parse().ok()?)
        }
    };
    // packaging accepts no older glibc: CentOS 5 on Intel, CentOS 7 on other architectures.
    let oldest = if is_intel { (2, 5) } else { (2, 17) };
    (glibc >= oldest).then_some(glibc)
}

#[cfg(test)]
mod tests;
