//! Properties of a Python that is not run, read from the files of its installation.

use std::path::Path;

use super::super::ProbeContext;
use super::super::file_tree::{FileTree, MAX_LARGE_FILE_SIZE};
use super::super::runtime::passwd;
use super::super::variable::list;
use super::find::Candidate;
use super::site;
use super::venv::venv_of_executable;
use crate::model::known::Known;

/// An installation, read from its files.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) prefix: String,
    pub(super) base_prefix: Option<String>,
    pub(super) system_site: bool,
    /// Minor version: `3.11`. `None` if no library directory was found.
    pub(super) minor: Option<String>,
    /// The executable after following links.
    real: String,
    /// Version in `pyvenv.cfg`.
    written: Option<String>,
}

/// The search path and the active user site directory.
pub(super) struct Paths {
    pub(super) entries: Vec<String>,
    pub(super) user_site: Option<String>,
}

impl Layout {
    /// Returns the installation of a candidate. `None` for a script, which would have to be run.
    pub(super) fn read(context: &ProbeContext, candidate: &Candidate) -> Option<Self> {
        if !candidate.program {
            return None;
        }
        let root = &context.root;
        let venv = venv_of_executable(root, &candidate.path);
        let base = prefix_of(&candidate.real);
        let minor = minor(root, &base, &candidate.real);
        let written = venv.as_ref().and_then(|venv| venv.version.clone());
        Some(Self {
            system_site: venv.as_ref().is_some_and(|venv| venv.system_site),
            base_prefix: venv.as_ref().map(|_| base.clone()),
            prefix: venv.map_or(base, |venv| venv.prefix),
            minor,
            real: candidate.real.clone(),
            written,
        })
    }

    pub(super) fn implementation(&self) -> Known<String> {
        Known::Known(if self.real.contains("pypy") { "pypy" } else { "cpython" }.to_owned())
    }

    /// Returns the full version; this may search a program of several megabytes.
    pub(super) fn version(&self, root: &FileTree) -> Known<String> {
        let found = version(root, self.base(), &self.real, self.minor.as_deref()).or_else(|| self.written.clone());
        found.map_or_else(|| Known::unknown("version not found in any file"), Known::Known)
    }

    /// Returns the ABI tag from the name of an extension module of the standard library.
    pub(super) fn abi(&self, root: &FileTree) -> Known<String> {
        let Some(minor) = &self.minor else { return Known::unknown("standard library not found") };
        let base = self.base();
        let tag = ["lib64", "lib"].iter().find_map(|lib| {
            let names = root.names(format!("{base}/{lib}/python{minor}/lib-dynload"));
            names.iter().find_map(|name| {
                let tag = name.strip_suffix(".so")?.split_once('.')?.1;
                tag.starts_with("cpython-").then(|| tag.to_owned())
            })
        });
        tag.map_or_else(|| Known::unknown("no extension module with an ABI tag found"), Known::Known)
    }

    fn base(&self) -> &str {
        self.base_prefix.as_deref().unwrap_or(&self.prefix)
    }

    /// Returns `sys.path` as computed by the interpreter (`getpath` and `site`), except for entries added by code in
    /// `.pth` files.
    pub(super) fn path(&self, context: &ProbeContext) -> Paths {
        let root = &context.root;
        let minor = self.minor.as_deref().unwrap_or_default();
        let base = self.base();
        let mut entries: Vec<String> = context.env.get("PYTHONPATH").map(|value| list(value)).unwrap_or_default();
        entries.retain(|entry| entry.starts_with('/'));
        let lib = if root.exists(format!("{base}/lib64/python{minor}/os.py")) { "lib64" } else { "lib" };
        let short = minor.replace('.', "");
        entries.push(format!("{base}/{lib}/python{short}.zip"));
        entries.push(format!("{base}/{lib}/python{minor}"));
        entries.push(format!("{base}/{lib}/python{minor}/lib-dynload"));
        let mut sites = Vec::new();
        let user_site = if self.base_prefix.is_none() || self.system_site { self.user_site(context) } else { None };
        sites.extend(user_site.clone());
        sites.extend(site_directories(root, &self.prefix, minor));
        if self.base_prefix.is_some() && self.system_site {
            sites.extend(site_directories(root, base, minor));
        }
        for directory in sites {
            for entry in site::expand(root, &directory) {
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
        }
        Paths { entries, user_site }
    }

    /// Returns the user site directory. `None` if `PYTHONNOUSERSITE` is set.
    fn user_site(&self, context: &ProbeContext) -> Option<String> {
        if context.env.get("PYTHONNOUSERSITE").is_some_and(|value| !value.is_empty()) {
            return None;
        }
        let minor = self.minor.as_deref()?;
        if let Some(base) = context.env.get("PYTHONUSERBASE").filter(|base| !base.is_empty()) {
            return Some(format!("{base}/lib/python{minor}/site-packages"));
        }
        let home = context
            .env
            .get("HOME")
            .cloned()
            .or_else(|| passwd(&context.root, 0).ok().flatten().map(|user| user.home))?;
        Some(format!("{}/.local/lib/python{minor}/site-packages", home.trim_end_matches('/')))
    }
}

/// Returns the existing site directories of a prefix in the order of `site`, including those of Debian and Red Hat.
fn site_directories(root: &FileTree, prefix: &str, minor: &str) -> Vec<String> {
    let mut out = Vec::new();
    let debian = prefix == "/usr" && root.is_dir("/usr/lib/python3/dist-packages");
    if debian {
        out.push(format!("/usr/local/lib/python{minor}/dist-packages"));
        out.push("/usr/lib/python3/dist-packages".to_owned());
        out.push(format!("/usr/lib/python{minor}/dist-packages"));
    } else {
        let prefixes = if prefix == "/usr" { vec!["/usr/local", "/usr"] } else { vec![prefix] };
        for prefix in prefixes {
            out.push(format!("{prefix}/lib64/python{minor}/site-packages"));
            out.push(format!("{prefix}/lib/python{minor}/site-packages"));
        }
    }
    let mut seen = Vec::new();
    out.retain(|directory| match root.identity(directory) {
        // `lib64` is often a link to `lib`.
        Some(identity) if !seen.contains(&identity) => {
            seen.push(identity);
            root.is_dir(directory)
        }
        _ => false,
    });
    // If both names refer to one directory, the more common one is used.
    out.into_iter()
        .map(|directory| {
            let plain = directory.replacen("/lib64/", "/lib/", 1);
            if root.identity(&plain) == root.identity(&directory) { plain } else { directory }
        })
        .collect()
}

fn prefix_of(real: &str) -> String {
    let prefix =
        Path::new(real).parent().and_then(Path::parent).map(|prefix| prefix.display().to_string()).unwrap_or_default();
    // Even if `/bin` is not a link, the library is in `/usr`.
    if prefix == "/" { "/usr".to_owned() } else { prefix }
}

/// Returns the minor version (`3.11`) from the name of the executable or the only library directory.
fn minor(root: &FileTree, base: &str, real: &str) -> Option<String> {
    let has = |minor: &str| {
        ["lib", "lib64"].iter().any(|lib| {
            root.exists(format!("{base}/{lib}/python{minor}/os.py"))
                || root.exists(format!("{base}/{lib}/python{minor}/os.pyc"))
        })
    };
    let name = real.rsplit('/').next().unwrap_or_default();
    let named = name.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches('t');
    if named.contains('.') && has(named) {
        return Some(named.to_owned());
    }
    let mut found: Vec<String> = ["lib", "lib64"]
        .iter()
        .flat_map(|lib| root.names(format!("{base}/{lib}")))
        .filter_map(|name| name.strip_prefix("python").map(str::to_owned))
        .filter(|minor| minor.contains('.') && has(minor))
        .collect();
    found.dedup();
    found.sort();
    found.dedup();
    match found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// Returns the full version from the headers, otherwise from the program or its shared library.
fn version(root: &FileTree, base: &str, real: &str, minor: Option<&str>) -> Option<String> {
    let minor = minor?;
    let header = root.text(format!("{base}/include/python{minor}/patchlevel.h")).ok();
    let defined = header.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("#define PY_VERSION "))?;
        line.split('"').nth(1).map(|version| version.trim_end_matches('+').to_owned())
    });
    if defined.is_some() {
        return defined;
    }
    let library = |lib: &str| format!("{base}/{lib}/libpython{minor}.so.1.0");
    let files = [
        real.to_owned(),
        library("lib64"),
        library("lib"),
        library("lib/x86_64-linux-gnu"),
        library("lib/aarch64-linux-gnu"),
    ];
    files.iter().find_map(|path| literal(&root.read(path, MAX_LARGE_FILE_SIZE).ok()?, minor))
}

/// Finds a C string with a full version of this minor release, the start of `sys.version`.
fn literal(bytes: &[u8], minor: &str) -> Option<String> {
    let start = format!("{minor}.");
    let mut rest = bytes;
    while let Some(at) = find(rest, start.as_bytes()) {
        let before = at.checked_sub(1).map_or(0, |before| rest[before]);
        let end = rest[at..].iter().position(|&byte| byte == 0).map_or(rest.len(), |length| at + length);
        if before == 0 && end - at < 16 {
            let text = std::str::from_utf8(&rest[at..end]).unwrap_or_default();
            let text = text.trim_end_matches('+');
            let patch = text.strip_prefix(&start).unwrap_or_default();
            if patch.starts_with(|c: char| c.is_ascii_digit()) && patch.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Some(text.to_owned());
            }
        }
        rest = &rest[at + 1..];
    }
    None
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|&byte| byte == first) {
        if bytes[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_found_as_a_separate_string() {
        assert_eq!(literal(b"x3.11.9\0 \x003.11.2+\0", "3.11").as_deref(), Some("3.11.2"));
        assert_eq!(literal(b"\x003.11.x\0", "3.11"), None);
        assert_eq!(literal(b"", "3.11"), None);
    }
}
