//! What the files of an installation say of a Python that isn't run.

use std::path::Path;

use super::super::ProbeContext;
use super::super::file_tree::{FileTree, LARGE};
use super::super::runtime::passwd;
use super::super::variable::list;
use super::find::Candidate;
use super::site;
use crate::model::known::Known;

/// What `pyvenv.cfg` says (PEP 405).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Venv {
    pub(super) prefix: String,
    /// Directory of the interpreter that it was made with.
    pub(super) home: String,
    pub(super) system_site: bool,
    pub(super) version: Option<String>,
}

/// An installation as its files show it.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) prefix: String,
    pub(super) base_prefix: Option<String>,
    pub(super) system_site: bool,
    /// `3.11`; none when no library directory was found.
    pub(super) minor: Option<String>,
    /// The executable after following links.
    real: String,
    /// What `pyvenv.cfg` says of the version.
    written: Option<String>,
}

/// The search path, and the user site directory that would be active.
pub(super) struct Paths {
    pub(super) entries: Vec<String>,
    pub(super) user_site: Option<String>,
}

/// The virtual environment whose `bin` holds an executable.
pub(super) fn venv_of_executable(root: &FileTree, executable: &str) -> Option<Venv> {
    let bin = Path::new(executable).parent()?;
    let prefix = bin.parent()?.display().to_string();
    venv_of(root, &prefix)
}

/// The virtual environment at a prefix.
pub(super) fn venv_of(root: &FileTree, prefix: &str) -> Option<Venv> {
    let prefix = prefix.trim_end_matches('/');
    let text = root.text(format!("{prefix}/pyvenv.cfg")).ok()?;
    let mut venv = Venv { prefix: prefix.to_owned(), ..Venv::default() };
    for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "home" => value.clone_into(&mut venv.home),
            "include-system-site-packages" => venv.system_site = value.eq_ignore_ascii_case("true"),
            "version" | "version_info" => {
                let numbers: Vec<&str> = value.split('.').take(3).collect();
                venv.version = Some(numbers.join("."));
            }
            _ => {}
        }
    }
    Some(venv)
}

impl Layout {
    /// The installation that a candidate belongs to; none for a script, which only a run could follow.
    pub(super) fn read(place: &ProbeContext, candidate: &Candidate) -> Option<Self> {
        if !candidate.program {
            return None;
        }
        let root = &place.root;
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

    /// The full version; a program of several megabytes may be searched for it.
    pub(super) fn version(&self, root: &FileTree) -> Known<String> {
        let found = version(root, self.base(), &self.real, self.minor.as_deref()).or_else(|| self.written.clone());
        found.map_or_else(|| Known::unknown("no file tells it"), Known::Known)
    }

    /// The ABI tag in the name of an extension module of the standard library.
    pub(super) fn abi(&self, root: &FileTree) -> Known<String> {
        let Some(minor) = &self.minor else { return Known::unknown("its library can't be found") };
        let base = self.base();
        let tag = ["lib64", "lib"].iter().find_map(|lib| {
            let names = root.names(format!("{base}/{lib}/python{minor}/lib-dynload"));
            names.iter().find_map(|name| {
                let tag = name.strip_suffix(".so")?.split_once('.')?.1;
                tag.starts_with("cpython-").then(|| tag.to_owned())
            })
        });
        tag.map_or_else(|| Known::unknown("no extension module tells it"), Known::Known)
    }

    fn base(&self) -> &str {
        self.base_prefix.as_deref().unwrap_or(&self.prefix)
    }

    /// `sys.path` as the interpreter would build it (`getpath` and `site`), without what `.pth` code would add.
    pub(super) fn path(&self, place: &ProbeContext) -> Paths {
        let root = &place.root;
        let minor = self.minor.as_deref().unwrap_or_default();
        let base = self.base();
        let mut entries: Vec<String> = place.env.get("PYTHONPATH").map(|value| list(value)).unwrap_or_default();
        entries.retain(|entry| entry.starts_with('/'));
        let lib = if root.exists(format!("{base}/lib64/python{minor}/os.py")) { "lib64" } else { "lib" };
        let short = minor.replace('.', "");
        entries.push(format!("{base}/{lib}/python{short}.zip"));
        entries.push(format!("{base}/{lib}/python{minor}"));
        entries.push(format!("{base}/{lib}/python{minor}/lib-dynload"));
        let mut sites = Vec::new();
        let user_site = if self.base_prefix.is_none() || self.system_site { self.user_site(place) } else { None };
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

    /// The user site directory: enabled unless `PYTHONNOUSERSITE` says otherwise.
    fn user_site(&self, place: &ProbeContext) -> Option<String> {
        if place.env.get("PYTHONNOUSERSITE").is_some_and(|value| !value.is_empty()) {
            return None;
        }
        let minor = self.minor.as_deref()?;
        if let Some(base) = place.env.get("PYTHONUSERBASE").filter(|base| !base.is_empty()) {
            return Some(format!("{base}/lib/python{minor}/site-packages"));
        }
        let home =
            place.env.get("HOME").cloned().or_else(|| passwd(&place.root, 0).ok().flatten().map(|user| user.home))?;
        Some(format!("{}/.local/lib/python{minor}/site-packages", home.trim_end_matches('/')))
    }
}

/// The site directories of a prefix that exist, in `site`'s order, with those of Debian and of Red Hat.
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
    // The plain name of a pair that is one directory is the one that people know.
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
    // Where `/bin` is no link, its Python still has its library below `/usr`.
    if prefix == "/" { "/usr".to_owned() } else { prefix }
}

/// `3.11`, from the executable's name or the only library directory there is.
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

/// The full version: from the headers, else as it stands in the program or in its shared library.
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
    files.iter().find_map(|path| literal(&root.read(path, LARGE).ok()?, minor))
}

/// A C string that is a version of this minor release: what `sys.version` begins with.
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
    fn a_version_is_found_as_a_string_of_its_own() {
        assert_eq!(literal(b"x3.11.9\0 \x003.11.2+\0", "3.11").as_deref(), Some("3.11.2"));
        assert_eq!(literal(b"\x003.11.x\0", "3.11"), None);
        assert_eq!(literal(b"", "3.11"), None);
    }

    #[test]
    fn pyvenv_cfg_is_read_in_the_words_of_every_tool() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(
            dir.path().join("pyvenv.cfg"),
            "home = /usr/bin\ninclude-system-site-packages = True\nversion_info = 3.11.2.final.0\n",
        )
        .expect("a file");
        let venv = venv_of(&FileTree::new(dir.path()), "/").expect("a venv");
        assert_eq!((venv.home.as_str(), venv.system_site, venv.version.as_deref()), ("/usr/bin", true, Some("3.11.2")));
    }
}
